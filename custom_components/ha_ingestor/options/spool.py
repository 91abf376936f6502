"""The page of the delivery and the spool; what is missing is as in the first version."""

import math
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import UnitOfInformation, UnitOfTime
from homeassistant.helpers.selector import BooleanSelector

from ..pipeline.export.settings import DeliverySettings
from ..pipeline.spool.durability import Durability
from ..pipeline.spool.segments.segments import SEGMENT_BYTES
from ..pipeline.spool.settings import SpoolSettings, WhenFull
from .number import Number
from .page import OptionError, Page
from .selectors import choice

SPOOL: Final = "spool"

CONF_DURABILITY: Final = "durability"
CONF_MAX_SIZE: Final = "max_size"
CONF_MAX_AGE: Final = "max_age"
CONF_MIN_FREE: Final = "min_free"
CONF_COMPRESS: Final = "compress"
CONF_GATHER: Final = "gather"
CONF_EXPIRED: Final = "expired"
CONF_REQUEST_POINTS: Final = "request_points"
CONF_LONGEST_PAUSE: Final = "longest_pause"
CONF_FAILURES: Final = "failures_to_open"
CONF_FULL: Final = "full"

QUARANTINE: Final = "quarantine"
EVICT: Final = "evict"

_MIB: Final = 1024 * 1024
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
# Eviction takes a whole segment, which must not be most of what there is.
MIN_SIZE: Final = 8 * SEGMENT_BYTES // _MIB
# A terabyte and ten years: more than any disk or database of a home keeps for us.
SIZE_MAX: Final = 1024 * 1024
AGE_MAX: Final = 3650

# Dashboards are expected to show the last minutes.
GATHER_MAX: Final = 300
# A request costs as much as fifty points, and larger ones than the upper bound help no database.
REQUEST_POINTS_MIN: Final = 10
REQUEST_POINTS_MAX: Final = 10_000
# Somebody who repaired a database does not wait for an hour.
PAUSE_MIN: Final = 5
PAUSE_MAX: Final = 3600
FAILURES_MAX: Final = 20

_STANDARD: Final = SpoolSettings()
_DELIVERY: Final = DeliverySettings()
# Sizes in MiB, the age in days; 0 days are no limit.
_DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_DURABILITY: _STANDARD.durability.value,
    CONF_MAX_SIZE: _STANDARD.max_bytes // _MIB,
    CONF_MAX_AGE: 0,
    CONF_MIN_FREE: _STANDARD.min_free_bytes // _MIB,
    CONF_COMPRESS: _STANDARD.compress,
    CONF_GATHER: _DELIVERY.gather_seconds,
    CONF_EXPIRED: QUARANTINE,
    CONF_REQUEST_POINTS: _DELIVERY.request_points,
    CONF_LONGEST_PAUSE: _DELIVERY.longest_pause,
    CONF_FAILURES: _DELIVERY.failures_to_open,
    CONF_FULL: _STANDARD.full.value,
}


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    if 0 < entered[CONF_MAX_AGE] * _DAY < _HOUR:
        raise OptionError(CONF_MAX_AGE, "age_too_short")
    return dict(entered)


PAGE: Final = Page(
    key=SPOOL,
    schema=vol.Schema(
        {
            vol.Required(CONF_GATHER): Number(0, GATHER_MAX, step=1, unit=UnitOfTime.SECONDS),
            vol.Optional(CONF_REQUEST_POINTS): Number(
                REQUEST_POINTS_MIN, REQUEST_POINTS_MAX, step=1
            ),
            vol.Optional(CONF_LONGEST_PAUSE): Number(
                PAUSE_MIN, PAUSE_MAX, step=1, unit=UnitOfTime.SECONDS
            ),
            vol.Optional(CONF_FAILURES): Number(1, FAILURES_MAX, step=1),
            vol.Required(CONF_DURABILITY): choice(CONF_DURABILITY, Durability),
            vol.Required(CONF_MAX_SIZE): Number(
                MIN_SIZE,
                SIZE_MAX,
                step=1,
                unit=UnitOfInformation.MEBIBYTES,
                too_small="spool_too_small",
            ),
            vol.Optional(CONF_FULL): choice("when_full", WhenFull),
            vol.Optional(CONF_MAX_AGE): Number(0, AGE_MAX, unit=UnitOfTime.DAYS),
            vol.Required(CONF_MIN_FREE): Number(
                0, SIZE_MAX, step=1, unit=UnitOfInformation.MEBIBYTES
            ),
            vol.Required(CONF_COMPRESS): BooleanSelector(),
            vol.Optional(CONF_EXPIRED): choice(CONF_EXPIRED, [QUARANTINE, EVICT]),
        }
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
    placeholders={"min_size": str(MIN_SIZE)},
)


def spool_settings(options: Mapping[str, Any]) -> SpoolSettings:
    """Read the bounds of the spool."""
    page = PAGE.read(options)
    return SpoolSettings(
        durability=Durability(page[CONF_DURABILITY]),
        max_bytes=page[CONF_MAX_SIZE] * _MIB,
        max_age=page[CONF_MAX_AGE] * _DAY or math.inf,
        min_free_bytes=page[CONF_MIN_FREE] * _MIB,
        compress=page[CONF_COMPRESS],
        full=WhenFull(page[CONF_FULL]),
    )


def delivery_settings(options: Mapping[str, Any], *, gzip: bool = True) -> DeliverySettings:
    """Read how points are sent."""
    page = PAGE.read(options)
    return DeliverySettings(
        request_points=page[CONF_REQUEST_POINTS],
        longest_pause=page[CONF_LONGEST_PAUSE],
        failures_to_open=page[CONF_FAILURES],
        gather_seconds=float(page[CONF_GATHER]),
        evicts_expired=page[CONF_EXPIRED] == EVICT,
        gzip=gzip,
    )
