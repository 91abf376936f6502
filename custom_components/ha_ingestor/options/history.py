"""The page of the history: what happened while nobody captured."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from .number import Number
from .page import Page

HISTORY: Final = "history"

CONF_GAP_DAYS: Final = "gap_days"

# A restart or a night. Who disables a destination for longer rarely wants that time back.
_DEFAULT_DAYS: Final = 1
# Few recorders keep more, and few databases take it.
_MAX_DAYS: Final = 31

PAGE: Final = Page(
    key=HISTORY,
    schema=vol.Schema({vol.Required(CONF_GAP_DAYS): Number(0, _MAX_DAYS, unit="d")}),
    defaults={CONF_GAP_DAYS: _DEFAULT_DAYS},
)


def gap_days(options: Mapping[str, Any]) -> float:
    """Read how much of a gap is filled, in days; zero fills none."""
    return float(PAGE.read(options)[CONF_GAP_DAYS])
