"""What a refused point is about."""

import pytest

from custom_components.ha_ingestor.health.rejected_point import (
    attribute_of,
    entities_of,
    entity_of,
    subject_of,
    subjects_of,
)
from custom_components.ha_ingestor.pipeline.spool.quarantine.records import RejectedPoint

HOMEIQ = (
    'home_assistant_events,domain=light,entity_id=light.a value=1.0,attr_x_str="a",attr_y=1.0 1'
)
CORE = "°C,domain=sensor,entity_id=kitchen value=21.0,x=1.0 1"
PLAIN = 'light,entity_id=light.a value=1.0,attr_value=2.0,x_str="a",x=1.0 1'
V2 = 'field type conflict: input field "{}" on measurement "m" is type float, already exists as'
V1 = '{{"error":"partial write: field type conflict: input field \\"{}\\" on measurement'
V3 = "invalid column type for column '{}', expected iox::column_type::field::string, got"


@pytest.mark.parametrize(
    ("line", "entity"),
    [
        (HOMEIQ, "light.a"),
        (CORE, "sensor.kitchen"),
        ("m,entity_id=light.a,domain=light value=1.0 1", "light.a"),
        ("m,entity_id=alone value=1.0 1", ""),
        ("events,event_type=x count=1.0 1", ""),
        (r"m,name=a\,entity_id\=light.b,entity_id=light.a value=1.0 1", "light.a"),
    ],
)
def test_the_entity_of_a_line_is_read_from_its_tags(line: str, entity: str) -> None:
    assert entity_of(line) == entity


@pytest.mark.parametrize(
    ("line", "prefix", "field", "attribute"),
    [
        (HOMEIQ, "attr_", "attr_x_str", "x"),
        (HOMEIQ, "attr_", "attr_y", "y"),
        (HOMEIQ, "attr_", "value", ""),
        (HOMEIQ, "attr_", "attr_z", ""),
        (PLAIN, "", "x_str", "x"),
        (PLAIN, "", "attr_value", "value"),
        (PLAIN, "", "value", ""),
        (CORE, "", "x", "x"),
        (CORE, "", "m", ""),
    ],
)
@pytest.mark.parametrize("words", [V1, V2, V3])
def test_an_attribute_is_meant_when_the_reason_names_its_field(
    line: str, prefix: str, field: str, attribute: str, words: str
) -> None:
    rejection = RejectedPoint(line=line, reason=words.format(field))
    assert attribute_of(rejection, {"x": 1, "y": 1, "value": 1, "m": 1}, prefix) == attribute


def test_of_two_similar_names_the_exact_attribute_is_meant() -> None:
    rejection = RejectedPoint(line=PLAIN, reason=V2.format("x_str"))
    assert attribute_of(rejection, {"x": 1, "x_str": 1}, "") == "x_str"


@pytest.mark.parametrize(
    ("line", "subject"),
    [
        ("m,domain=light,entity_id=light.a v=1 1", "light.a"),
        ("weather,station=roof,unit=mm rain=3 1", "weather, station=roof, unit=mm"),
        ("rain v=1 1", "rain"),
        (r"my\ rain,of=a\,b v=1 1", "my rain, of=a,b"),
        (f"m,t={'x' * 500} v=1 1", f"m, t={'x' * 115}…"),
        ("no line", "?"),
    ],
)
def test_a_point_without_an_entity_is_named_by_its_measurement_and_tags(
    line: str, subject: str
) -> None:
    assert subject_of(line) == subject


def test_what_was_refused_is_named_once_and_the_newest_first() -> None:
    records = [
        {"status": 400, "line": "a,entity_id=light.a v=1 1"},
        {"status": 0, "line": "expired v=1 1"},
        {"status": 400, "line": "rain v=1 1"},
        {"status": 400, "line": "a,entity_id=light.a v=1 2"},
    ]
    assert subjects_of(records) == ["light.a", "rain"]
    assert entities_of(records) == ["light.a"]
