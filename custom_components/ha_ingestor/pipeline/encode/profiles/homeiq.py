"""The `homeiq` profile: one measurement for HomeIQ's readers and plain dashboards alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ...model import (
    ENTITY_REMOVED,
    HEARTBEAT,
    STATE_CHANGED,
    EntityContext,
    OtherEvent,
    Point,
    StateEvent,
    StateLike,
    Weather,
)
from .. import columns
from ..line_protocol import quote, series_key
from ..numbers import is_text_only
from .base import Availability, CachedPoint, EncodedSeries, Key, PointSettings, encoded_series
from .events import encode_other_event
from .fields import (
    caused,
    device_fields,
    measured,
    number_field,
    number_in,
    state_texts,
    tags_of,
    weather_fields,
)

OWN_TAGS: Final = columns.HOMEIQ.entity_tags
_CATEGORY_BY_DOMAIN: Final = {
    "alarm_control_panel": "security",
    "lock": "security",
    "climate": "climate",
    "light": "lighting",
    "switch": "appliance",
    "fan": "appliance",
    "vacuum": "appliance",
}
_CATEGORY_BY_DEVICE_CLASS: Final = {
    "door": "security",
    "window": "security",
    "motion": "security",
    "lock": "security",
    "temperature": "climate",
    "humidity": "climate",
    "power": "appliance",
    "energy": "appliance",
}
_CATEGORY_FALLBACK: Final = {"sensor": "monitoring", "binary_sensor": "monitoring"}


def event_category(domain: str, device_class: str) -> str:
    """HomeIQ's coarse grouping; the domain decides before the device class."""
    return (
        _CATEGORY_BY_DOMAIN.get(domain)
        or _CATEGORY_BY_DEVICE_CLASS.get(device_class)
        or _CATEGORY_FALLBACK.get(domain)
        or "general"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeIQ(PointSettings):
    """Encodes state events and other events."""

    own_tags: ClassVar[tuple[str, ...]] = OWN_TAGS

    def encode(self, state_event: StateEvent) -> Point | None:
        """Encode a state event, or None when nothing of it can be stored."""
        entity, new, old, time, context, kind, weather, *_ = state_event
        state = new
        if state is None:
            if old is None:
                return None
            state, kind = old, ENTITY_REMOVED
        is_heartbeat = kind is HEARTBEAT
        # It goes on the entity's own line, which would have a gap otherwise.
        series_kind = STATE_CHANGED if is_heartbeat else kind
        cached: CachedPoint | None = entity.memo.get("cached")
        if (
            cached is None
            or cached.attributes is not state.attributes
            or cached.kind is not series_kind
            or cached.weather is not weather
        ):
            cached = entity.memo["cached"] = self._cached_point(entity, state, series_kind, weather)
        numbers = now = before = ""
        if new is not None:
            if kind is STATE_CHANGED:
                time = new.last_updated_timestamp
            number, now, _ = state_texts(new.state, self.plain_names, self.aliases)
            if cached.is_text_only or cached.convert:
                number = _own_number(cached, new.state)
            numbers = measured(
                number,
                new,
                old,
                with_availability=self.availability is Availability.FIELD,
                is_heartbeat=is_heartbeat,
            )
        if self.numbers_only:
            fields = f"{numbers[:-1]}{cached.tail}" if numbers else cached.tail[1:]
            return (cached.series, fields, time) if fields else None
        if old is not None:
            before = state_texts(old.state, self.plain_names, self.aliases).before
        cause = caused(context, self.causes, self.users)
        return cached.series, f"{numbers}{now}{before}{cause}{cached.tail}", time

    def encode_other_event(self, event: OtherEvent) -> Point:
        """Encode an event that is no change of a state."""
        return encode_other_event(event, columns.HOMEIQ_MEASUREMENT, self)

    def _cached_point(
        self, entity: EntityContext, state: StateLike, kind: str, weather: Weather | None
    ) -> CachedPoint:
        attributes = state.attributes
        key = self.key(entity, attributes, kind, weather)
        series, tail, convert = encoded_series(entity, key, self._encode_series)
        immutable: Mapping[str, Any] | None = attributes
        if kind is not ENTITY_REMOVED:
            text, immutable = self.kept_attributes(entity, state, "attr_")
            tail = f"{text}{tail}"
        says_no_number = is_text_only(entity.domain, attributes)
        return CachedPoint(immutable, kind, weather, series, tail, convert, says_no_number)

    def _encode_series(self, entity: EntityContext, key: Key) -> EncodedSeries:
        """Encode what an entity is, as the series and the end of its fields."""
        kind, device_class, unit, weather, chosen = key
        unit, convert = self.units(device_class, unit)
        series = series_key(
            columns.HOMEIQ_MEASUREMENT,
            (
                *tags_of(OWN_TAGS, entity, {"device_class": device_class}),
                ("event_type", kind),
                ("event_category", event_category(entity.domain, device_class)),
                *self.home_tags(entity.instance),
                ("weather_condition", weather.condition if weather else ""),
                *chosen,
            ),
        )
        tail = "" if self.numbers_only else device_fields(entity, self.tags)
        if kind is not ENTITY_REMOVED:
            if unit and not self.numbers_only:
                tail = f",unit_of_measurement={quote(unit)}{tail}"
            tail += weather_fields(weather)
        return series, tail, convert


def _own_number(cached: CachedPoint, state: str) -> str:
    """Encode the number of a state in the unit that the user chose; a choice has none."""
    return "" if cached.is_text_only else number_field(number_in(state, cached.convert))
