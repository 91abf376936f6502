"""The `tidy` profile: one measurement for each domain, few columns, numbers first."""

from dataclasses import dataclass, field
from typing import Final

from ...model import (
    ENTITY_REMOVED,
    HEARTBEAT,
    STATE_CHANGED,
    Capture,
    EntityContext,
    Happening,
    Point,
    StateLike,
    Weather,
)
from .. import columns
from ..attributes import AttributesPolicy, Shape
from ..line_protocol import quote, series_key
from ..numbers import gives_back, is_text_only
from .base import Availability, Described, Face, Key, PointSettings, described
from .events import encode_happening
from .fields import attribute_text, known_cause, measured, number_in, tags_of, weather_fields

OWN_TAGS: Final = columns.TIDY.entity_tags
# The numbers that people draw: what a thing does and is told to do, and not what it could.
DRAWN: Final = frozenset(
    {
        *("temperature", "current_temperature", "target_temp_high", "target_temp_low"),
        *("humidity", "current_humidity", "brightness", "color_temp_kelvin"),
        *("current_position", "current_tilt_position", "percentage", "volume_level"),
        *("battery_level", "battery", "pressure", "wind_speed", "wind_bearing", "dew_point"),
        *("cloud_coverage", "uv_index", "visibility", "elevation", "azimuth"),
        *("latitude", "longitude", "gps_accuracy"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidy(PointSettings):
    """Encodes captures and other events."""

    attributes: AttributesPolicy = field(
        default_factory=lambda: AttributesPolicy(shape=Shape.NUMERIC, only=DRAWN)
    )

    def encode(self, capture: Capture) -> Point | None:
        """Encode a capture, or None when nothing of it can be stored."""
        entity, new, old, time, context, kind, weather, _ = capture
        if new is None:
            data = {"old_state": old.state} if old else {}
            return self.encode_happening(Happening(ENTITY_REMOVED, data, time, context, entity))
        face: Face | None = entity.memo.get("face")
        if face is None or face.attributes is not new.attributes or face.weather is not weather:
            face = entity.memo["face"] = self._face(entity, new, weather)
        if kind is STATE_CHANGED:
            time = new.last_updated_timestamp
        number = None if face.is_text_only else number_in(new.state, face.convert)
        fields = measured(
            number,
            new,
            old,
            with_availability=self.availability is Availability.FIELD,
            is_heartbeat=kind is HEARTBEAT,
        )
        if not self.numbers_only:
            # The text of a converted number is in the unit that it no longer has.
            if number is None or not (face.convert or gives_back(number, new.state)):
                fields = f"{fields}state={quote(new.state)},"
            fields = f"{fields}{known_cause(context, self.causes, self.users)}"
        fields = f"{fields[:-1]}{face.tail}" if fields else face.tail[1:]
        return (face.series, fields, time) if fields else None

    def encode_happening(self, happening: Happening) -> Point:
        """Encode an event that is no change of a state."""
        return encode_happening(happening, columns.TIDY_EVENTS_MEASUREMENT, self)

    def _face(self, entity: EntityContext, state: StateLike, weather: Weather | None) -> Face:
        key = self.key(entity, state.attributes, "", weather)
        series, tail, convert = described(entity, key, self._described)
        text, firm = self.kept_attributes(entity, state, "")
        event_type = attribute_text(state.attributes, "event_type")
        # The state of such an entity is only when it happened.
        if entity.domain == "event" and event_type and not self.numbers_only:
            tail = f"{tail},event_type={quote(event_type)}"
        says_no_number = is_text_only(entity.domain, state.attributes)
        return Face(firm, "", weather, series, f"{text}{tail}", convert, says_no_number)

    def _described(self, entity: EntityContext, key: Key) -> Described:
        """Encode what an entity is, as the series and the end of its fields."""
        _, device_class, unit, weather, chosen = key
        unit, convert = self.units(device_class, unit)
        tags = dict(tags_of(OWN_TAGS, entity, {"device_class": device_class})) | dict(chosen)
        tags |= {
            "unit": unit,
            "location": self.location,
            "weather_condition": weather.condition if weather else "",
        }
        series = series_key(columns.tidy_measurement(entity.domain), tags.items())
        return series, weather_fields(weather, "weather_"), convert
