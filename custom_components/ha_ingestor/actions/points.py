"""Writes the points that a user gives."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from ..coordinator import HaIngestorConfigEntry
from ..health.texts.server_text import plain
from ..pipeline.encode.columns import OWN_MEASUREMENTS
from ..pipeline.encode.own_points import GivenPoint, OwnPointEncoder, PointError
from ..pipeline.encode.read_lines import read_lines
from ..pipeline.model import OwnPoint
from ..sources.listed_points import listed_points
from .errors import wrong_input

ATTR_LINES: Final = "line_protocol"
ATTR_POINTS: Final = "points"

# They must not take the place of events in memory, and are checked in the event loop.
POINTS_MAX: Final = 1_000
TEXT_MAX: Final = 512 * 1024
# A line that was given without a time is longer by that.
ENCODED_MAX: Final = TEXT_MAX + 32 * POINTS_MAX
# Enough of a name to find it.
_NAME_SHOWN: Final = 100

_POINT: Final = vol.Schema(
    {
        vol.Required("measurement"): cv.string,
        vol.Optional("tags", default=dict): {cv.string: cv.string},
        vol.Required("fields"): {cv.string: object},
        vol.Optional("time"): object,
    }
)
_POINTS: Final = vol.Schema({ATTR_POINTS: [_POINT]})
# What is in the list is looked at in a thread: a thousand points may have half a million fields.
FIELDS: Final[Mapping[vol.Marker, Any]] = {
    vol.Exclusive(ATTR_LINES, "input"): cv.string,
    vol.Exclusive(ATTR_POINTS, "input"): cv.ensure_list,
}


async def async_write_points(
    entry: HaIngestorConfigEntry,
    line_protocol: str = "",
    points: Sequence[Any] = (),
) -> JsonObjectType:
    """Check all points, then take all of them.

    Raises vol.Invalid for what is no point, and OSError when the disk takes nothing.
    """
    pipeline = entry.runtime_data.pipeline
    encoder = OwnPointEncoder(
        now_ns=time.time_ns() // 1000 * 1000,
        numbers_only=pipeline.numbers_only,
        reserved=OWN_MEASUREMENTS,
    )
    encoded = await entry.runtime_data.coordinator.hass.async_add_executor_job(
        _encoded, encoder, line_protocol, points
    )
    on_disk = await pipeline.write_points(encoded, encoder.left_out)
    received = len(encoded) + encoder.left_out
    return {"received": received, "filtered": encoder.left_out, "on_disk": on_disk}


def _encoded(encoder: OwnPointEncoder, line_protocol: str, points: Sequence[Any]) -> list[OwnPoint]:
    try:
        encoded = encoder.encode(_given(line_protocol, points))
    except PointError as err:
        name = plain(err.name[:_NAME_SHOWN])
        raise wrong_input(err.fault, number=str(err.number), name=name) from err
    if sum(len(each.line) for each in encoded) > ENCODED_MAX:
        raise wrong_input("points_too_large", limit=str(TEXT_MAX // 1024))
    return encoded


def _given(line_protocol: str, points: Sequence[Any]) -> list[GivenPoint]:
    if len(line_protocol) > TEXT_MAX:
        raise wrong_input("points_too_large", limit=str(TEXT_MAX // 1024))
    is_short = line_protocol.count("\n") < 2 * POINTS_MAX and len(points) <= POINTS_MAX
    given: list[GivenPoint] = []
    if is_short:
        listed = _POINTS({ATTR_POINTS: list(points)})[ATTR_POINTS]
        given = [*read_lines(line_protocol), *listed_points(listed)]
    if len(given) > POINTS_MAX or not is_short:
        raise wrong_input("points_too_many", limit=str(POINTS_MAX))
    if not given:
        raise wrong_input("no_points")
    return given
