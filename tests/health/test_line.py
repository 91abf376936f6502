"""A line that was encoded is read back as the point that it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.health.line import read_line
from custom_components.ha_ingestor.pipeline.encode.line_protocol import (
    FieldValue,
    field_set,
    line,
    series_key,
)

TEXT = st.text(max_size=20)
# The independent reader refuses numbers below the smallest normal one.
NUMBER = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
VALUE = TEXT | st.booleans() | NUMBER


@given(
    measurement=TEXT,
    tags=st.lists(st.tuples(TEXT, TEXT), max_size=5),
    fields=st.lists(st.tuples(TEXT, VALUE), min_size=1, max_size=5),
)
def test_every_line_is_read_as_an_independent_reader_reads_it(
    measurement: str, tags: list[tuple[str, str]], fields: list[tuple[str, FieldValue]]
) -> None:
    text = line(series_key(measurement, tags), field_set(fields), 1_700_000_000_123_456)
    found, expected = read_line(text), parse_line(text)
    assert found.tags == expected["tags"]
    assert found.fields == expected["fields"]
    assert found.measurement == expected["measurement"]
    assert found.time == 1_700_000_000.123456


@pytest.mark.parametrize(
    ("tags", "entity_id"),
    [
        ({"entity_id": "sensor.attic", "domain": "sensor"}, "sensor.attic"),
        ({"entity_id": "attic", "domain": "sensor"}, "sensor.attic"),
        ({"domain": "sensor"}, ""),
        ({}, ""),
    ],
)
def test_the_entity_is_named_whole(tags: dict[str, Any], entity_id: str) -> None:
    text = line(series_key("°C", tags.items()), "value=1.0", 1)
    assert read_line(text).entity_id == entity_id


@pytest.mark.parametrize("text", ["", "a", "a b", "a b=1", "a b=1 x", " b=1 1"])
def test_a_text_that_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        read_line(text)
