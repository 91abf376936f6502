"""The `tidy` profile: one measurement for each domain, few columns, numbers first."""

from dataclasses import dataclass, field
from typing import ClassVar, Final

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
from ..attributes import AttributesPolicy, Shape
from ..line_protocol import quote, series_key
from ..numbers import is_text_only, means_yes_or_no, round_trips
from .base import Availability, CachedPoint, EncodedSeries, Key, PointSettings, encoded_series
from .events import encode_other_event
from .fields import (
    attribute_text,
    known_cause,
    measured,
    number_field,
    number_in,
    tags_of,
    weather_fields,
)

OWN_TAGS: Final = columns.TIDY.entity_tags
# Numeric attributes that are useful in charts: present and target values, no capabilities.
CHARTED: Final = frozenset(
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
    """Encodes state events and other events."""

    own_tags: ClassVar[tuple[str, ...]] = OWN_TAGS

    attributes: AttributesPolicy = field(
        default_factory=lambda: AttributesPolicy(shape=Shape.NUMERIC, only=CHARTED)
    )

    def encode(self, state_event: StateEvent) -> Point | None:
        """Encode a state event, or None when nothing of it can be stored."""
        entity, new, old, time, context, kind, weather, *_ = state_event
        if new is None:
            data = {"old_state": old.state} if old else {}
            return self.encode_other_event(OtherEvent(ENTITY_REMOVED, data, time, context, entity))
        cached: CachedPoint | None = entity.memo.get("cached")
        if (
            cached is None
            or cached.attributes is not new.attributes
            or cached.weather is not weather
        ):
            cached = entity.memo["cached"] = self._cached_point(entity, new, weather)
        if kind is STATE_CHANGED:
            time = new.last_updated_timestamp
        number = None if cached.is_text_only else number_in(new.state, cached.convert)
        fields = measured(
            number_field(number),
            new,
            old,
            with_availability=self.availability is Availability.FIELD,
            is_heartbeat=kind is HEARTBEAT,
        )
        if not self.numbers_only:
            # The text of a converted number is in the unit that it no longer has.
            is_converted = cached.convert is not None and not means_yes_or_no(new.state)
            if number is None or not (is_converted or round_trips(number, new.state)):
                fields = f"{fields}state={quote(new.state)},"
            fields = f"{fields}{known_cause(context, self.causes, self.users)}"
        fields = f"{fields[:-1]}{cached.tail}" if fields else cached.tail[1:]
        return (cached.series, fields, time) if fields else None

    def encode_other_event(self, event: OtherEvent) -> Point:
        """Encode an event that is no change of a state."""
        return encode_other_event(event, columns.TIDY_EVENTS_MEASUREMENT, self)

    def _cached_point(
        self, entity: EntityContext, state: StateLike, weather: Weather | None
    ) -> CachedPoint:
        key = self.key(entity, state.attributes, "", weather)
        series, tail, convert = encoded_series(entity, key, self._encode_series)
        text, immutable = self.kept_attributes(entity, state, "")
        event_type = attribute_text(state.attributes, "event_type")
        # The state of such an entity is only when it happened.
        if entity.domain == "event" and event_type and not self.numbers_only:
            tail = f"{tail},event_type={quote(event_type)}"
        says_no_number = is_text_only(entity.domain, state.attributes)
        return CachedPoint(immutable, "", weather, series, f"{text}{tail}", convert, says_no_number)

    def _encode_series(self, entity: EntityContext, key: Key) -> EncodedSeries:
        """Encode what an entity is, as the series and the end of its fields."""
        _, device_class, unit, weather, chosen = key
        unit, convert = self.units(device_class, unit)
        tags = dict(tags_of(OWN_TAGS, entity, {"device_class": device_class})) | dict(chosen)
        tags |= {
            "unit": unit,
            **dict(self.home_tags(entity.instance)),
            "weather_condition": weather.condition if weather else "",
        }
        measurement = columns.tidy_measurement(entity.domain, self.of_messages)
        series = series_key(measurement, tags.items())
        return series, weather_fields(weather, "weather_"), convert
