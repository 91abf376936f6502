"""The `homeiq` profile: one measurement for HomeIQ's readers and plain dashboards alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..line_protocol import quote, series_key
from ..model import (
    ENTITY_REMOVED,
    STATE_CHANGED,
    Capture,
    EntityContext,
    Happening,
    Point,
    StateLike,
    Weather,
)
from .happenings import encode_happening
from .parts import caused, device_fields, measured, tags_of, weather_fields
from .settings import Availability, Described, Face, Key, PointSettings, described

MEASUREMENT: Final = "home_assistant_events"

OWN_TAGS: Final = (
    *("entity_id", "domain", "device_class", "device_id", "area_id", "area", "integration"),
)
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
    """Encodes captures and other events."""

    def encode(self, capture: Capture) -> Point | None:
        """Encode a capture, or None when nothing of it can be stored."""
        entity, new, old, time, context, kind, weather, _ = capture
        state = new
        if state is None:
            if old is None:
                return None
            state, kind = old, ENTITY_REMOVED
        face: Face | None = entity.memo.get("face")
        if (
            face is None
            or face.attributes is not state.attributes
            or face.kind is not kind
            or face.weather is not weather
        ):
            face = entity.memo["face"] = self._face(entity, state, kind, weather)
        numbers = now = was = ""
        if new is not None:
            if kind is STATE_CHANGED:
                time = new.last_updated_timestamp
            with_availability = self.availability is Availability.FIELD
            numbers = measured(new, old, face.convert, with_availability=with_availability)
        if self.numbers_only:
            fields = f"{numbers[:-1]}{face.tail}" if numbers else face.tail[1:]
            return (face.series, fields, time) if fields else None
        if new is not None:
            text = quote(new.state)
            now = f"state={text},state_value={text}," if self.aliases else f"state={text},"
        if old is not None:
            text = quote(old.state)
            was = (
                f"old_state={text},previous_state={text}," if self.aliases else f"old_state={text},"
            )
        cause = caused(context, self.causes, self.users)
        return face.series, f"{numbers}{now}{was}{cause[:-1]}{face.tail}", time

    def encode_happening(self, happening: Happening) -> Point:
        """Encode an event that is no change of a state."""
        return encode_happening(happening, MEASUREMENT, self)

    def _face(
        self, entity: EntityContext, state: StateLike, kind: str, weather: Weather | None
    ) -> Face:
        attributes = state.attributes
        key = self.key(entity, attributes, kind, weather)
        series, tail, convert = described(entity, key, self._described)
        firm: Mapping[str, Any] | None = attributes
        if kind is not ENTITY_REMOVED:
            text, firm = self.kept_attributes(entity, state, "attr_")
            tail = f"{text}{tail}"
        return Face(firm, kind, weather, series, tail, convert)

    def _described(self, entity: EntityContext, key: Key) -> Described:
        """Encode what an entity is, as the series and the end of its fields."""
        kind, device_class, unit, weather, chosen = key
        unit, convert = self.units(device_class, unit)
        series = series_key(
            MEASUREMENT,
            (
                *tags_of(OWN_TAGS, entity, {"device_class": device_class}),
                ("event_type", kind),
                ("event_category", event_category(entity.domain, device_class)),
                ("location", self.location),
                ("weather_condition", weather.condition if weather else ""),
                *chosen,
            ),
        )
        tail = "" if self.numbers_only else device_fields(entity)
        if kind is not ENTITY_REMOVED:
            if unit and not self.numbers_only:
                tail = f",unit_of_measurement={quote(unit)}{tail}"
            tail += weather_fields(weather)
        return series, tail, convert
