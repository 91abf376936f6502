"""Encodes long-term statistics, in a measurement of their own: a point for each hour of each.

The columns are the same with every profile, beside the tags that it gives to an entity. Whatever
says what a statistic is, its unit too, is a tag; the fields are numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..model import Convert, EntityContext, OwnPoint
from .columns import STATISTICS_MEASUREMENT
from .encoder import Profile
from .line_protocol import field_set, line, series_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """What a statistic is, as the recorder knows it."""

    statistic_id: str
    source: str
    name: str = ""
    unit: str = ""
    # By which its unit is converted, where no device class says so.
    unit_class: str = ""


class Hour(NamedTuple):
    """The numbers of an hour that begins at `start`, in seconds since 1970; None for no number."""

    start: float
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    sum: float | None = None
    state: float | None = None


class StatisticSeries(NamedTuple):
    """The series of a statistic, encoded, and how its numbers get to their unit."""

    series: str
    convert: Convert | None

    def encode(self, hour: Hour) -> OwnPoint | None:
        """Encode an hour; None where it has no number that can be stored."""
        start, *values, total, state = hour
        if convert := self.convert:
            values = [None if value is None else convert(value) for value in values]
            state = None if state is None else convert(state)
            # What has grown is a difference, which has no zero: 1 °F more is no -17 °C more.
            total = None if total is None else convert(total) - convert(0.0)
        named = zip(("mean", "min", "max", "sum", "state"), (*values, total, state), strict=True)
        fields = field_set(
            (name, value) for name, value in named if isinstance(value, (int, float))
        )
        if not fields:
            return None
        return OwnPoint(STATISTICS_MEASUREMENT, line(self.series, fields, round(start * 1_000_000)))


def series_of(
    statistic: Statistic,
    profile: Profile,
    entity: EntityContext | None,
    attributes: Mapping[str, Any],
) -> StatisticSeries:
    """Encode what a statistic is; the attributes are those of its entity, as far as known."""
    device_class = str(attributes.get("device_class") or "")
    unit, convert = profile.statistic_unit(device_class or statistic.unit_class, statistic.unit)
    # The entity may be shown in another unit.
    attributes = {**attributes, "unit_of_measurement": unit}
    tags = (
        ("statistic_id", statistic.statistic_id),
        ("source", statistic.source),
        ("name", statistic.name),
        ("unit", unit),
        *profile.statistic_tags(entity, attributes),
    )
    return StatisticSeries(series_key(STATISTICS_MEASUREMENT, tags), convert)
