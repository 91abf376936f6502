"""When a state is a number."""

import re
from math import isfinite
from typing import Final

# float() also takes "1_000", " 7", "nan", "infinity" and digits of other scripts: none of them is
# a number that an integration meant to report.
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Home Assistant's own reading of states as numbers (helpers.state.state_as_number), less "unknown",
# which is not a zero.
_BOOLEAN_LIKE: Final = dict.fromkeys(
    ("on", "open", "home", "locked", "above_horizon", "true"), 1.0
) | dict.fromkeys(("off", "closed", "not_home", "unlocked", "below_horizon", "false"), 0.0)


def is_number(state: str) -> bool:
    """Whether a state is written as a number, and needs no text beside it."""
    return _NUMBER.fullmatch(state) is not None


def number_of(state: str) -> float | None:
    """Read a state as a finite number, or 1 and 0 for the states that mean yes and no."""
    if _NUMBER.fullmatch(state):
        number = float(state)
        return number if isfinite(number) else None
    return _BOOLEAN_LIKE.get(state)
