"""From the options of a config entry to settings; what is missing is as it always was."""

import math
from collections.abc import Mapping
from typing import Any, Final

from .pipeline.durability import Durability
from .pipeline.segments import SEGMENT_BYTES
from .pipeline.spool_settings import SpoolSettings

# Each page of the options has a key of its own.
SPOOL: Final = "spool"

CONF_DURABILITY: Final = "durability"
CONF_MAX_SIZE: Final = "max_size"
CONF_MAX_AGE: Final = "max_age"
CONF_MIN_FREE: Final = "min_free"
CONF_COMPRESS: Final = "compress"

_MIB: Final = 1024 * 1024
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
# Eviction takes a whole segment, which must not be most of what there is.
MIN_SIZE: Final = 8 * SEGMENT_BYTES // _MIB

_STANDARD: Final = SpoolSettings()
# Sizes in MiB, the age in days; 0 days are no limit.
SPOOL_DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_DURABILITY: _STANDARD.durability.value,
    CONF_MAX_SIZE: _STANDARD.max_bytes // _MIB,
    CONF_MAX_AGE: 0,
    CONF_MIN_FREE: _STANDARD.min_free_bytes // _MIB,
    CONF_COMPRESS: _STANDARD.compress,
}


class OptionError(ValueError):
    """An option that cannot be used: the field, and a slug that says why."""

    def __init__(self, field: str, reason: str) -> None:
        """Blame one field."""
        super().__init__(reason)
        self.field = field
        self.reason = reason


def accepted_spool(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    page = {**SPOOL_DEFAULTS, **entered}
    for key in (CONF_MAX_SIZE, CONF_MIN_FREE):
        page[key] = int(page[key])
    if page[CONF_MAX_SIZE] < MIN_SIZE:
        raise OptionError(CONF_MAX_SIZE, "spool_too_small")
    if 0 < page[CONF_MAX_AGE] * _DAY < _HOUR:
        raise OptionError(CONF_MAX_AGE, "age_too_short")
    return page


def spool_settings(options: Mapping[str, Any]) -> SpoolSettings:
    """Read the bounds of the spool."""
    page = {**SPOOL_DEFAULTS, **options.get(SPOOL, {})}
    return SpoolSettings(
        durability=Durability(page[CONF_DURABILITY]),
        max_bytes=page[CONF_MAX_SIZE] * _MIB,
        max_age=page[CONF_MAX_AGE] * _DAY or math.inf,
        min_free_bytes=page[CONF_MIN_FREE] * _MIB,
        compress=page[CONF_COMPRESS],
    )
