"""When a state is a number, and when it is a text.

- What is written as a finite number has a `value`, so that no graph has a gap.
- It is a text too, unless the number alone gives it back: `21` and `21.5` need no text, but `1.10`,
  `21.0`, `00420`, `1e3` and twenty digits do. What is too large for a float is a text alone.
- States that mean yes and no are a text and 1 or 0. Python prints `True`, so templates say it.
- A choice is a text alone, so that the options 1, 2 and auto are not now a number and now a text: a
  `select`, `input_select` or `event`, a sensor of the device class `enum`, and what else lists its
  `options`. So is free text (`text`, `input_text`), unless it has a unit or a state class, which
  say that it is a measurement.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from ..model import StateLike
from ..text import has_truth

# float() also takes "1_000", " 7", "nan", "infinity" and digits of other scripts: none of them is
# a number that an integration meant to report.
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Home Assistant's own reading of states as numbers (helpers.state.state_as_number), less "unknown",
# which is not a zero.
NUMBER_OF_WORD: Final = {
    **dict.fromkeys(("on", "open", "home", "locked", "above_horizon"), 1.0),
    **dict.fromkeys(("off", "closed", "not_home", "unlocked", "below_horizon"), 0.0),
}
_BOOLEAN_LIKE: Final = {
    **NUMBER_OF_WORD,
    **dict.fromkeys(("true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("false", "False", "FALSE"), 0.0),
}

_CHOICES: Final = frozenset({"select", "input_select", "event"})
_FREE_TEXTS: Final = frozenset({"text", "input_text"})


def is_text_only(domain: str, attributes: Mapping[str, Any]) -> bool:
    """Whether an entity's states are texts, even those that look like numbers."""
    device_class = attributes.get("device_class")
    if (
        domain in _CHOICES
        or (isinstance(device_class, str) and device_class == "enum")
        or isinstance(attributes.get("options"), (list, tuple, set, frozenset))
    ):
        return True
    return domain in _FREE_TEXTS and not (
        has_truth(attributes.get("unit_of_measurement")) or has_truth(attributes.get("state_class"))
    )


def round_trips(number: float, state: str) -> bool:
    """Whether the number alone reproduces the text of the state."""
    return repr(number).removesuffix(".0") == state


def measurement_of(domain: str, state: StateLike) -> float | None:
    """Read a state as a finite number that measures something; a choice or yes and no does not."""
    if is_text_only(domain, state.attributes):
        return None
    return _written_number(state.state)


def number_of(state: str) -> float | None:
    """Read a state as a finite number, or 1 and 0 for the states that mean yes and no."""
    number = _written_number(state)
    return _BOOLEAN_LIKE.get(state) if number is None else number


def means_yes_or_no(state: str) -> bool:
    """Whether a state means yes or no, whose number is in no unit."""
    return state in _BOOLEAN_LIKE


def _written_number(state: str) -> float | None:
    if not _NUMBER.fullmatch(state):
        return None
    number = float(state)
    return number if isfinite(number) else None
