"""What a database knows of its measurements, and what of a point contradicts it.

InfluxDB 1.6, 1.13 and 2.7 refuse a field of another type and store a tag and a field of one name,
which they cannot read apart. InfluxDB 3 has columns, and refuses both. VictoriaMetrics knows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .line_protocol import Point

type Name = tuple[str, str]

_TYPES: Final = {float: "float", int: "integer", bool: "boolean", str: "string"}
_V3_TAG: Final = "iox::column_type::tag"
_V3_FIELD: Final = "iox::column_type::field::"


@dataclass(slots=True, kw_only=True)
class Columns:
    """The tags and the types of the fields, by measurement and name."""

    tags: set[Name] = field(default_factory=set)
    fields: dict[Name, str] = field(default_factory=dict)

    def copy(self) -> Self:
        """Return one that learns on its own."""
        return type(self)(tags=set(self.tags), fields=dict(self.fields))

    def learn(self, point: Point) -> None:
        """Remember what a stored point says; what was there before stays."""
        measurement, tags = point.series
        self.tags.update((measurement, name) for name, _ in tags)
        for name, value in point.fields.items():
            self.fields.setdefault((measurement, name), _TYPES[type(value)])


def types_of(types: Mapping[Name, type]) -> dict[Name, str]:
    """Say types as a database does."""
    return {name: _TYPES[kind] for name, kind in types.items()}


def contradiction(point: Point, known: Columns, dialect: Dialect) -> str:
    """Say in the server's words why a point is refused; empty when it is not."""
    if dialect is Dialect.VICTORIAMETRICS:
        return ""
    return _of_columns(point, known) if dialect is Dialect.V3 else _of_fields(point, known)


def _of_fields(point: Point, known: Columns) -> str:
    measurement = point.series[0]
    for name, value in point.fields.items():
        kind = _TYPES[type(value)]
        before = known.fields.get((measurement, name), kind)
        if before != kind:
            return (
                f'field type conflict: input field "{name}" on measurement "{measurement}" '
                f"is type {kind}, already exists as type {before}"
            )
    return ""


def _of_columns(point: Point, known: Columns) -> str:
    measurement, tags = point.series
    columns = {
        name: f"{_V3_FIELD}{kind}" for (of, name), kind in known.fields.items() if of == measurement
    }
    columns |= dict.fromkeys((name for of, name in known.tags if of == measurement), _V3_TAG)
    given = [(name, _V3_TAG) for name, _ in tags]
    given += [(name, f"{_V3_FIELD}{_TYPES[type(value)]}") for name, value in point.fields.items()]
    for name, kind in given:
        before = columns.setdefault(name, kind)
        if before != kind:
            return f"invalid column type for column '{name}', expected {before}, got {kind}"
    return ""
