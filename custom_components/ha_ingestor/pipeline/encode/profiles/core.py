r"""The `core` profile: the points that Home Assistant's built-in `influxdb` integration writes.

The stored points are the same, so that dashboards made for them go on working: measurement, tags,
fields and timestamp. Only these differ, because of the rules in `line_protocol`, which hold for
every profile, or because the built-in integration fails:

- backslashes in measurements, tags and names of fields are `/`; the built-in stores each of them
  once in InfluxDB 2 and twice in InfluxDB 1, and one at the end breaks the tag or the line
- control characters are spaces everywhere, also tabs; in names, and in tags that are no text, the
  built-in stores a line break as `\n`
- measurements and names of tags and fields that begin with `#` or `_` get an `x` in front, a double
  quote in the name of a tag or field is `'`, a tag named `time` is `time_`
- a measurement of nothing but line breaks is `x`; a field without a name is left out
- what is too long for the limits is cut: texts, names, tag values, the number of tags
- lone surrogates are `?`, where the built-in loses the whole batch
- a number that is not finite is no `value`; with InfluxDB 1 the built-in's point is refused
- of two names that become the same, the second ends in `~` and eight digits of its hash
- in a measurement a name is a tag or a field: an attribute that has the name of a tag is left out
  (`entity_id`, `domain`, or one of `tags` and `tags_attributes`), because InfluxDB 1 and 2 cannot
  read such a measurement by that tag and InfluxDB 3 refuses the point; a tag named `state` or
  `value` has a `_` behind it
- the measurements `devices`, `entities` and `home_assistant_statistics` have a `_` behind them:
  there is what the registries say, and the long-term statistics; so have those of MQTT messages
- the text of an entity that is typed as a password gives no point: see `masked`
- a field has one type for ever: a number whose name is `state` or ends in `_str` has a `_` behind
  it, because texts are called so
- a state that is too large for a float is the text `state` where there would be no point otherwise
- attributes that end the built-in's thread: a whole number beyond every float becomes a text,
  a name that is no text becomes one, an object without a text becomes the name of its type
- with InfluxDB 1, the built-in decodes a measurement or tag of bytes
- points of another home have the tag `instance`; with one, no attribute of that name is a field
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar, Final, NamedTuple

from ...ledger import NO_NUMBER, NOT_IN_PROFILE
from ...model import (
    HERE,
    UNAVAILABLE,
    UNKNOWN,
    Convert,
    EntityContext,
    OtherEvent,
    Point,
    StateEvent,
)
from ...text import text_of
from ..columns import (
    CORE,
    STATISTICS,
    core_field_name,
    core_measurement,
    core_number_name,
    core_tag_name,
    marked,
)
from ..line_protocol import escape_key, quote, series_key
from ..numbers import NUMBER_OF_WORD
from .core_measurement import measurement_of
from .core_settings import CoreSettings
from .core_values import float_in, is_immutable, read, single_line

_INSTANCE: Final = "instance"
_NOT_STORED: Final = (UNKNOWN, "", UNAVAILABLE)

# The fields of the state itself, by whether it is a text and whether it is a number.
_TAKEN: Final = {
    (True, False): ("state",),
    (False, True): ("value",),
    (True, True): ("state", "value"),
}


class CoreCachedPoint(NamedTuple):
    """The parts of a point that stay the same while an entity's attributes do.

    Home Assistant shares the object of the attributes while they do not change. It also does when
    an integration changed a list in its place, so what can change is kept with its text.
    """

    attributes: Mapping[str, Any]
    mutable: list[tuple[Any, str]]
    series: str
    fields: str

    def is_old(self) -> bool:
        """Tell whether something changed in its place."""
        return any(text_of(value) != text for value, text in self.mutable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Encodes state events; `numbers_only` is for stores that turn text into zeros."""

    # The built-in integration knows no such field.
    marks_unset_clock: ClassVar[bool] = False

    settings: CoreSettings = field(default_factory=CoreSettings)
    numbers_only: bool = False
    # Points of other homes have a tag that no attribute may share its name with.
    has_instances: bool = False
    # The measurements that the user chose for messages of MQTT topics.
    of_messages: frozenset[str] = frozenset()

    @property
    def nothing(self) -> str:
        """Why a state event gives no point."""
        return NO_NUMBER if self.numbers_only else NOT_IN_PROFILE

    def encode(self, state_event: StateEvent) -> Point | None:
        """Encode a state event, or None when nothing of it can be stored."""
        entity, new, _, time, *_ = state_event
        if new is None or (state := new.state) in _NOT_STORED:
            return None
        word = NUMBER_OF_WORD.get(state)
        number = float_in(state) if word is None else word
        is_text = word is not None or number is None
        taken = _TAKEN[is_text, number is not None]
        cached: CoreCachedPoint | None = entity.memo.get(taken)
        if (
            cached is None
            or cached.attributes is not new.attributes
            or (cached.mutable and cached.is_old())
        ):
            cached = entity.memo[taken] = self._cached_point(entity, new.attributes, taken)
        fields = ""
        if number is not None and isfinite(number):
            fields = f"value={number!r},"
        if is_text and not self.numbers_only:
            fields = f"{fields}state={quote(single_line(state))},"
        fields = f"{fields}{cached.fields}" if cached.fields else fields[:-1]
        if not fields and number is not None and not self.numbers_only:
            fields = f"state={quote(single_line(state))}"
        # A state that was there before anybody listened comes without an event.
        return (cached.series, fields, time or new.last_updated_timestamp) if fields else None

    def encode_other_event(self, event: OtherEvent) -> None:
        """Encode nothing: the built-in integration writes states and no other event."""

    def statistic_tags(
        self, entity: EntityContext | None, _attributes: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        """Return the tags of a long-term statistic, which the built-in integration has none of."""
        tags = {} if entity is None else self._own_tags(entity)
        for name, value in self.settings.tags.items():
            named = core_tag_name(text_of(name))
            tags[f"{named}_" if named in STATISTICS.fields else named] = single_line(value)
        return tuple(tags.items())

    def statistic_unit(self, _kind: str, unit: str) -> tuple[str, Convert | None]:
        """Return the unit of a long-term statistic, which stays as it is."""
        return unit, None

    def _cached_point(
        self, entity: EntityContext, attributes: Mapping[str, Any], taken: Iterable[str]
    ) -> CoreCachedPoint:
        config: tuple[str, frozenset[str]] | None = entity.memo.get("config")
        if config is None:
            config = entity.memo["config"] = self.settings.of(entity)
        measurement, ignored = config
        spent: str | None = None
        if not measurement:
            measurement, spent = measurement_of(self.settings, entity, attributes)
        left_out = ignored if spent is None else ignored | {spent}
        tags, fields = self._split_attributes(attributes, left_out, taken)
        series = self._series(entity, measurement, tags)
        mutable = [
            (value, text_of(value))
            for name, value in attributes.items()
            if not is_immutable(value) and name not in left_out
        ]
        return CoreCachedPoint(attributes, mutable, series, self._field_set(entity, fields))

    def _split_attributes(
        self, attributes: Mapping[str, Any], left_out: Container[Any], taken: Iterable[str]
    ) -> tuple[dict[Any, Any], dict[Any, str]]:
        """Return the attributes that are tags, and encoded those that are fields."""
        tags: dict[Any, Any] = {}
        fields: dict[Any, str] = dict.fromkeys(taken, "")
        for name, value in attributes.items():
            if name in self.settings.tags_attributes:
                tags[name] = value
            elif name not in left_out:
                free = f"{name}_" if name in fields else name
                number, text = read(value)
                if text:
                    fields[f"{free}_str"] = text
                if number is not None:
                    free = core_number_name(text_of(free))
                if number:
                    fields[free] = number
                elif number is not None:
                    fields.pop(free, None)
        if "time" in fields:
            free = "time_"
            while free in fields:
                free += "_"
            fields[free] = fields.pop("time")
        return tags, fields

    def _series(self, entity: EntityContext, measurement: str, found: Mapping[Any, Any]) -> str:
        """Encode measurement and tags; of an entity, only the last ones are remembered."""
        tags = {name: _tag_text(value) for name, value in found.items()}
        known: tuple[str, Mapping[Any, str], str] | None = entity.memo.get("series")
        if known is not None and known[0] == measurement and known[1] == tags:
            return known[2]
        home = {} if entity.instance is HERE else {_INSTANCE: entity.instance.name}
        # First, as what is too much is left out, and last, as no other tag takes its place.
        pairs: dict[Any, str] = self._own_tags(entity) | home | tags
        pairs |= {name: single_line(value) for name, value in self.settings.tags.items()} | home
        named = [
            (core_tag_name(text_of(name)), value) for name, value in pairs.items() if name != ""
        ]
        series = series_key(core_measurement(single_line(measurement), self.of_messages), named)
        entity.memo["series"] = (measurement, tags, series)
        return series

    def _own_tags(self, entity: EntityContext) -> dict[Any, str]:
        return {"domain": entity.domain, "entity_id": entity.entity_id.partition(".")[2]}

    def _field_set(self, entity: EntityContext, fields: dict[Any, str]) -> str:
        """Join fields; of an entity, only the last names are remembered."""
        if self.numbers_only:
            fields = {name: text for name, text in fields.items() if text and text[0] != '"'}
        names = tuple(fields)
        known: tuple[tuple[Any, ...], list[str]] | None = entity.memo.get("names")
        if known is None or known[0] != names:
            known = entity.memo["names"] = (names, _starts(names, self._tag_names()))
        # Empty are the places of the state's own fields.
        pairs = zip(known[1], fields.values(), strict=True)
        return ",".join([start + text for start, text in pairs if start and text])

    def _tag_names(self) -> set[str]:
        names = (*CORE.entity_tags, *self.settings.tags, *self.settings.tags_attributes)
        if self.has_instances:
            names = (*names, _INSTANCE)
        return {escape_key(core_tag_name(text_of(name))) for name in names if name != ""}


def _starts(names: Iterable[Any], tags: Container[str]) -> list[str]:
    """Escape the names of fields; empty for one that has none, or that is a tag."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        field = "" if name == "" else core_field_name(text_of(name))
        if field in tags:
            field = ""
        elif field and field in taken:
            field = marked(field, text_of(name))
        taken.add(field)
        found.append(f"{field}=" if field else "")
    return found


def _tag_text(value: Any) -> str:
    if value is None:
        return ""
    text = text_of(value)
    return single_line(text) if isinstance(value, str) else text
