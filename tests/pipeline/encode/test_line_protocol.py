"""Whatever text comes in, one point goes out, and reads back as the documentation says."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.line_protocol import (
    STRING_MAX_BYTES,
    TAGS_MAX,
    TIME_MAX_US,
    FieldValue,
    encode_value,
    field_set,
    line,
    series_key,
)

from .documented import cut, spaced, stored_key, stored_name, stored_tag

# Every character there is, lone surrogates and control characters included, and those that mean
# something to a parser more often than chance would have them.
ANY_TEXT = st.text(st.characters(codec=None) | st.sampled_from(' ,="\\#_\n\r\t\0\ud800é€😀'))
NAME = st.one_of(ANY_TEXT, st.sampled_from(["time", "_field", "#/cm3", "", "a" * 300]))
TIME = st.integers(-(10**17), 10**17)


def parsed(text: str) -> dict[str, Any]:
    """Read a line as a server does: from bytes, and it must be exactly one."""
    raw = text.encode("utf-8", "replace")
    assert b"\n" not in raw
    point: dict[str, Any] = parse_line(raw.decode())
    return point


@given(
    measurement=NAME,
    tags=st.dictionaries(NAME, ANY_TEXT, max_size=5),
    fields=st.dictionaries(
        NAME,
        # The reference parser takes no subnormal float; the real servers are asked elsewhere.
        st.one_of(ANY_TEXT, st.floats(allow_subnormal=False), st.booleans(), st.integers()),
        min_size=1,
        max_size=5,
    ),
    time_us=TIME,
)
def test_any_text_in_any_place_is_exactly_one_point(
    measurement: str, tags: dict[str, str], fields: dict[str, FieldValue], time_us: int
) -> None:
    encoded = field_set([*fields.items(), ("certain", True)])
    point = parsed(line(series_key(measurement, tags.items()), encoded, time_us))

    assert point["measurement"] == stored_name(measurement)
    expected_tags: dict[str, str] = {}
    for key, text in tags.items():
        if text:
            expected_tags.setdefault(stored_key(key), stored_tag(text))
    assert (point["tags"] or {}) == expected_tags
    expected_fields: dict[str, object] = {}
    for key, value in [*fields.items(), ("certain", True)]:
        if isinstance(value, str):
            expected_fields.setdefault(stored_key(key), spaced(cut(value, STRING_MAX_BYTES)))
        elif isinstance(value, bool):
            expected_fields.setdefault(stored_key(key), value)
        elif math.isfinite(value):
            expected_fields.setdefault(stored_key(key), float(value))
    assert point["fields"] == expected_fields
    assert point["time"] == min(max(time_us, 0), TIME_MAX_US) * 1000


@given(ANY_TEXT.filter(bool))
def test_only_what_is_documented_changes_in_a_text(text: str) -> None:
    assert parsed(f"m f={encode_value(text)} 1")["fields"]["f"] == spaced(text)


def test_long_strings_are_cut_between_characters() -> None:
    for text in ("x" * 70_000, "€" * 20_000, "😀" * 20_000, "ab" + "😀" * 20_000):
        stored = parsed(f"m f={encode_value(text)} 1")["fields"]["f"]

        assert text.startswith(stored)
        assert STRING_MAX_BYTES - 3 <= len(stored.encode()) <= STRING_MAX_BYTES


def test_a_series_key_stays_below_the_limit_of_the_servers() -> None:
    worst = series_key("," * 9999, [(f"{n}" + "=" * 999, "," * 9999) for n in range(99)])

    assert len(worst.encode()) < 65_535
    assert len(parsed(f"{worst} f=1 1")["tags"]) == TAGS_MAX


def test_numbers_are_floats_and_those_no_server_stores_are_left_out() -> None:
    assert encode_value(7) == "7.0"
    assert encode_value(1e-7) == "1e-07"
    assert encode_value(True) == "true"
    for number in (math.nan, math.inf, -math.inf, 10**400):
        assert encode_value(number) is None
    assert field_set([("f", math.nan)]) == ""


def test_tags_are_sorted_and_empty_ones_left_out() -> None:
    assert series_key("m", [("b", "2"), ("a", "1"), ("c", "")]) == "m,a=1,b=2"


def test_of_names_that_become_the_same_the_first_wins() -> None:
    assert series_key("m", [("time", "1"), ("time_", "2")]) == "m,time_=1"
    assert field_set([("_a", True), ("x_a", False)]) == "x_a=true"
    # What a lone surrogate is stored as.
    assert series_key("m", [("\ud800", "1"), ("?", "2")]) == "m,?=1"
    assert field_set([("?", True), ("\ud800", False)]) == "?=true"
