"""Points of users: stored exactly as they were given, or refused with a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.own_points import (
    Fault,
    GivenPoint,
    OwnPointEncoder,
    PointError,
)
from custom_components.ha_ingestor.pipeline.encode.read_lines import read_lines

NOW = 1_795_262_400_123_456_000


def encoded(text: str, *, numbers_only: bool = False) -> list[str]:
    encoder = OwnPointEncoder(now_ns=NOW, numbers_only=numbers_only, reserved=frozenset({"ours"}))
    return [point.line for point in encoder.encode(read_lines(text))]


@pytest.mark.parametrize(
    ("given_line", "stored"),
    [
        ("m v=1 1700000000123456789", "m v=1.0 1700000000123456789"),
        ("m v=1", f"m v=1.0 {NOW + 1000}"),
        (
            'm,b=2,a=1 v=-1.5e3,w=7i,t="a b",u=T 1700000000123456789',
            'm,a=1,b=2 v=-1500.0,w=7i,t="a b",u=true 1700000000123456789',
        ),
        (
            r"a\ b,c\,d=e\ f\=g v\=w=.5 1700000000123456789",
            r"a\ b,c\,d=e\ f\=g v\=w=0.5 1700000000123456789",
        ),
        (r'm t="a\"b\\c\d" 1700000000123456789', r'm t="a\"b\\c\\d" 1700000000123456789'),
        (
            "  m v=9223372036854775807i 1700000000123456789\r",
            "m v=9223372036854775807i 1700000000123456789",
        ),
        ('ä,ö=ü ß="日本" 1700000000123456789', 'ä,ö=ü ß="日本" 1700000000123456789'),
    ],
)
def test_a_line_is_stored_as_it_was_given(given_line: str, stored: str) -> None:
    assert encoded(given_line) == [stored]


def test_empty_lines_and_comments_are_passed_over_and_counted_for_messages() -> None:
    assert len(encoded("\n# m\nm v=1\n\n")) == 1
    with pytest.raises(PointError) as raised:
        encoded("# m\n\nm v=1\nm")
    assert raised.value.number == 4


def test_points_without_a_time_do_not_replace_each_other() -> None:
    times = [line.rpartition(" ")[2] for line in encoded("m v=1\nm v=2\nm v=3")]
    assert len(set(times)) == 3


@pytest.mark.parametrize(
    ("text", "fault", "name"),
    [
        ("m", Fault.SYNTAX, ""),
        ("m v=", Fault.SYNTAX, ""),
        ("m,a v=1", Fault.SYNTAX, ""),
        ("m,a= v=1", Fault.SYNTAX, ""),
        ('m t="open 1', Fault.SYNTAX, ""),
        (r"m\n v=1", Fault.SYNTAX, ""),
        ("m v=1 now", Fault.SYNTAX, ""),
        ("m v=1 1.5", Fault.SYNTAX, ""),
        ("m v=1\x0bm v=1", Fault.SYNTAX, ""),
        ("_m v=1", Fault.NAME, "_m"),
        ("m _v=1", Fault.NAME, "_v"),
        ("m time=1", Fault.NAME, "time"),
        ("m,time=1 v=1", Fault.NAME, "time"),
        ('m a"b=1', Fault.NAME, 'a"b'),
        ("m v\x01=1", Fault.NAME, "v\x01"),
        ("m v\ud800=1", Fault.NAME, "v\ud800"),
        ("m v=1,v=2", Fault.TWICE, "v"),
        ("m,a=1,a=2 v=1", Fault.TWICE, "a"),
        ("m v=nan", Fault.VALUE, "v"),
        ("m v=inf", Fault.VALUE, "v"),
        ("m v=1e999", Fault.VALUE, "v"),
        ("m v=5u", Fault.VALUE, "v"),
        ("m v=1_000", Fault.VALUE, "v"),
        ("m v=0x10", Fault.VALUE, "v"),
        ("m v=on", Fault.VALUE, "v"),
        ("m v=9223372036854775808i", Fault.VALUE, "v"),
        ("m v=99999999999999999999999999i", Fault.VALUE, "v"),
        ("m,v=a v=1", Fault.TAG_AND_FIELD, "v"),
        ("m,a=x v=1\nm a=1", Fault.TAG_AND_FIELD, "a"),
        ("m a=1\nm,a=x v=1", Fault.TAG_AND_FIELD, "a"),
        ("m v=1\nm v=1i", Fault.TYPE, "v"),
        ('m v=1\nm v="1"', Fault.TYPE, "v"),
        ("m v=1\nm v=true", Fault.TYPE, "v"),
        ("m v=1 1700000000", Fault.TIME, ""),
        ("m v=1 1700000000123", Fault.TIME, ""),
        ("m v=1 1700000000123456", Fault.TIME, ""),
        ("m v=1 -1700000000123456789", Fault.TIME, ""),
        ("m v=1 9223372036854775807", Fault.TIME, ""),
        (f"m v=1 {'9' * 100}", Fault.TIME, ""),
        (f"{'m' * 257} v=1", Fault.TOO_LONG, "m" * 256),
        (f"m,a={'x' * 1025} v=1", Fault.TOO_LONG, "a"),
        (f'm t="{"x" * 32769}"', Fault.TOO_LONG, "t"),
        ("m," + ",".join(f"t{n}=1" for n in range(21)) + " v=1", Fault.TOO_LONG, "m"),
        ("m " + ",".join(f"f{n}=1" for n in range(9000)), Fault.TOO_LONG, "m"),
        ("m v=" + "1" * 200_000, Fault.TOO_LONG, "m"),
        ("ours v=1", Fault.RESERVED, "ours"),
    ],
)
def test_what_would_not_be_stored_as_it_is_given_is_refused(
    text: str, fault: Fault, name: str
) -> None:
    with pytest.raises(PointError) as raised:
        encoded(text)
    assert (raised.value.fault, raised.value.name) == (fault, name)


def test_both_bounds_of_the_time_are_taken() -> None:
    for time in (10**17, 9223372036854775000):
        assert encoded(f"m v=1 {time}") == [f"m v=1.0 {time}"]


def test_the_same_name_may_be_a_tag_of_one_measurement_and_a_field_of_another() -> None:
    assert len(encoded('m,a=x v=1\nn a=1,v="x"')) == 2


def test_a_database_of_numbers_gets_no_text() -> None:
    text = 'm v=1,t="x"\nm t="y"\nm w=true'
    encoder = OwnPointEncoder(now_ns=NOW, numbers_only=True, reserved=frozenset())
    lines = [point.line for point in encoder.encode(read_lines(text))]
    assert [line.split(" ")[1] for line in lines] == ["v=1.0", "w=true"]
    assert encoder.left_out == 1


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        lines = encoded(text)
    except PointError:
        return
    for line in lines:
        parse_line(line)


@given(
    measurement=st.text(max_size=20),
    tags=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4),
    fields=st.dictionaries(
        st.text(max_size=10),
        st.one_of(st.floats(), st.booleans(), st.text(max_size=30), st.none(), st.integers()),
        max_size=4,
    ),
)
def test_an_accepted_point_is_read_back_by_an_independent_parser(
    measurement: str, tags: dict[str, str], fields: dict[str, Any]
) -> None:
    point = GivenPoint(
        number=1, measurement=measurement, tags=tags, fields=fields, time_ns=NOW + 789
    )
    encoder = OwnPointEncoder(now_ns=NOW, numbers_only=False, reserved=frozenset())
    try:
        (own,) = encoder.encode([point])
    except PointError:
        return
    assert "\n" not in own.line
    found = parse_line(own.line.encode("utf-8", "replace").decode())

    def shown(text: str) -> str:
        return "".join(" " if ord(sign) < 32 else sign for sign in text)

    def as_stored(value: Any) -> Any:
        if isinstance(value, str):
            return shown(value).encode("utf-8", "replace").decode()
        return value

    assert found["measurement"] == measurement
    assert found["tags"] == {name: as_stored(value) for name, value in tags.items() if value}
    assert found["fields"] == {name: as_stored(value) for name, value in fields.items()}
    assert {name: type(value) for name, value in found["fields"].items()} == {
        name: type(value) for name, value in fields.items()
    }
    assert found["time"] == NOW + 789
