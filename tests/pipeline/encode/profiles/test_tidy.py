"""The `tidy` profile: few columns, and numbers above all."""

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    AttributesPolicy,
    Shape,
)
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    Weather,
)
from tests.pipeline.encode.profiles.points import KITCHEN, point
from tests.pipeline.state_events import NOON, FakeState, change


def test_a_tidy_point_is_a_number_with_few_columns() -> None:
    new = FakeState(
        state="21.5",
        attributes={
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "friendly_name": "Kitchen",
            "battery_level": 80,
            "firmware": "1.2",
        },
        last_changed_timestamp=NOON + 7,
        last_updated_timestamp=NOON + 7,
    )

    assert point(Tidy, change(new, FakeState(state="20"), of=KITCHEN), location="Home") == {
        "measurement": "sensor",
        "tags": {
            "entity_id": "sensor.kitchen",
            "area": "Kitchen",
            "floor": "Ground",
            "device": "Thermometer",
            "integration": "demo",
            "device_class": "temperature",
            "unit": "°C",
            "location": "Home",
        },
        "fields": {"value": 21.5, "duration_in_state_seconds": 7.0, "battery_level": 80.0},
        "time": round((NOON + 7) * 1e9),
    }


def test_a_tidy_text_is_a_state_and_what_means_yes_or_no_is_both() -> None:
    assert point(Tidy, change(FakeState(state="heat")))["fields"] == {"state": "heat"}
    assert point(Tidy, change(FakeState(state="on")))["fields"] == {"state": "on", "value": 1.0}


def test_a_removed_entity_is_a_tidy_event() -> None:
    removed = point(Tidy, change(None, FakeState(state="on"), of=KITCHEN))

    assert removed["measurement"] == "events"
    assert removed["tags"]["event_type"] == "entity_removed"
    assert removed["fields"]["old_state"] == "on"


def test_a_tidy_attribute_never_takes_the_name_of_a_field_of_ours() -> None:
    state = FakeState(state="1", attributes={"value": 7, "state": 8})
    policy = AttributesPolicy(shape=Shape.NUMERIC)

    assert point(Tidy, change(state), attributes=policy)["fields"] == {
        "value": 1.0,
        "attr_value": 7.0,
        "attr_state": 8.0,
    }


def test_weather_leaves_the_attributes_of_a_tidy_point_alone() -> None:
    state = FakeState(state="heat", attributes={"temperature": 21.0})
    state_event = change(state)._replace(weather=Weather(condition="snowy", temperature=-3.0))

    fields = point(Tidy, state_event)["fields"]
    assert (fields["temperature"], fields["weather_temperature"]) == (21.0, -3.0)
