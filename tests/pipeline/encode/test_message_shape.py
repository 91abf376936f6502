"""What a message of a broker becomes."""

import json
import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.line_protocol import line
from custom_components.ha_ingestor.pipeline.encode.message_shape import (
    MessageShape,
    taken_names,
)
from custom_components.ha_ingestor.pipeline.encode.privacy.secrets import is_secret
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.encode.topic_pattern import PatternError, TopicPattern
from custom_components.ha_ingestor.pipeline.model import Message, MessageCounts


def shape(pattern: str = "zigbee2mqtt/{device}", **more: Any) -> MessageShape:
    known = TopicPattern.of(pattern)
    taken = taken_names([("mqtt", known)], "mqtt")
    return MessageShape(pattern=known, measurement="mqtt", **{"taken": taken, **more})


def stored(
    payload: bytes | str,
    topic: str = "zigbee2mqtt/lamp",
    *,
    numbers_only: bool = False,
    of: MessageShape | None = None,
) -> Any:
    """Return the point that a reader of line protocol sees, or why there is none."""
    raw = payload.encode() if isinstance(payload, str) else payload
    found = (of or shape()).encode(topic, raw, numbers_only=numbers_only)
    if isinstance(found, str):
        return found
    # As the spool does.
    return parse_line(line(*found, 1).encode("utf-8", "replace").decode())


def fields(payload: bytes | str, **more: Any) -> Any:
    found = stored(payload, **more)
    return found if isinstance(found, str) else found["fields"]


def test_levels_of_a_topic_are_tags_and_members_of_an_object_are_fields() -> None:
    found = stored('{"temperature": 21.5, "state": "ON", "battery": {"level": 80}, "link": null}')
    assert (found["measurement"], found["tags"]) == ("mqtt", {"device": "lamp"})
    assert found["fields"] == {
        "temperature": 21.5,
        "state": 1.0,
        "state_str": "ON",
        "battery_level": 80.0,
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("21.5", {"value": 21.5}),
        (" 21.5 ", {"value": 21.5, "value_str": " 21.5 "}),
        ("1.10", {"value": 1.1, "value_str": "1.10"}),
        ("00420", {"value": 420.0, "value_str": "00420"}),
        (
            "12345678901234567890",
            {"value": 12345678901234567000.0, "value_str": "12345678901234567890"},
        ),
        ("1e400", {"value_str": "1e400"}),
        ("off", {"value": 0.0, "value_str": "off"}),
        ("nan", {"value_str": "nan"}),
        ('"°C"', {"value_str": "°C"}),
        ('"so" it said', {"value_str": '"so" it said'}),
        ("true", {"value": 1.0, "value_str": "true"}),
    ],
)
def test_a_plain_payload_is_a_number_and_a_text_where_the_number_does_not_give_it_back(
    payload: str, expected: dict[str, Any]
) -> None:
    assert fields(payload) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('{"a": true, "b": false}', {"a": 1.0, "b": 0.0}),
        ('{"a": "21.5"}', {"a": 21.5}),
        (
            '{"a": 12345678901234567891}',
            {"a": 12345678901234567891.0, "a_str": "12345678901234567891"},
        ),
        ('{"a": 1e400}', {"a_str": "1e400"}),
        (f'{{"a": 1{"0" * 400}}}', {"a_str": f"1{'0' * 400}"}),
        (f'{{"a": -1{"0" * 400}, "b": 1}}', {"a_str": f"-1{'0' * 400}", "b": 1.0}),
        ('{"a": NaN, "b": 1}', {"b": 1.0, "left_out": 1.0}),
        ('{"a": [1, 2], "b": 1}', {"b": 1.0, "left_out": 1.0}),
        ('{"password": "x", "b": 1}', {"b": 1.0, "left_out": 1.0}),
        ('{"login": {"token": "x"}, "b": 1}', {"b": 1.0, "left_out": 1.0}),
        ('{"a": {"b": {"c": {"d": {"e": 1}}}}, "b": 1}', {"b": 1.0, "left_out": 1.0}),
        ('{"a_b": 1, "a": {"b": 2}}', {"a_b": 1.0, "left_out": 1.0}),
        ('{"a_b": 1, "a": {"b": "x"}}', {"a_b": 1.0, "left_out": 1.0}),
        ('{"a": 1, "a": 2}', {"a": 2.0}),
        ('{"a": "\\ud800x", "b": "\\n"}', {"a_str": "?x", "b_str": " "}),
        ('{"": 1, "b": 2}', {"b": 2.0, "left_out": 1.0}),
        ('{"é": 2, "constructor": 3}', {"é": 2.0, "constructor": 3.0}),
    ],
)
def test_unusual_values_of_an_object_become_fields_or_are_left_out(
    payload: str, expected: dict[str, Any]
) -> None:
    assert fields(payload) == expected


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("{", "message_malformed"),
        ('{"a": 1', "message_malformed"),
        (b"\xff\xd8\xff\xe0", "message_malformed"),
        ("[" * 16_000, "message_malformed"),
        ('{"a":' * 3_000, "message_malformed"),
        ('{"a": ' + "9" * 5_000 + "}", "message_malformed"),
        ("{}", "message_without_value"),
        ("[1]", "message_without_value"),
        ('{"a": null}', "message_without_value"),
        ('{"a": NaN}', "message_without_value"),
    ],
)
def test_a_payload_that_gives_no_point_has_a_reason(payload: bytes | str, reason: str) -> None:
    assert fields(payload) == reason


def test_names_that_a_database_keeps_for_itself_become_others_and_stay_apart() -> None:
    names = ["__proto__", "_field", "#", "a\\", "a/", 'a"', "a'", "time", "\ud800", "x" * 300]
    found = fields(json.dumps({name: number for number, name in enumerate(names)}))
    # A name of 300 letters is none: it is left out.
    assert found.pop("left_out") == 1.0
    assert sorted(found.values()) == [*range(9)]
    assert not [name for name in found if name.startswith(("_", "#")) or name == "time"]
    written = shape().encode("zigbee2mqtt/a", b'{"a b,c=d": 1}', numbers_only=False)
    assert written[1] == "a\\ b\\,c\\=d=1.0"


@pytest.mark.parametrize(
    ("topic", "tags"),
    [
        ("zigbee2mqtt/a\\", {"device": "a/"}),
        ("zigbee2mqtt/a b,c=d", {"device": "a b,c=d"}),
        ("zigbee2mqtt/", {}),
        ("zigbee2mqtt/" + "é" * 506, {"device": "é" * 506}),
    ],
)
def test_any_level_is_a_tag_that_every_server_takes(topic: str, tags: dict[str, str]) -> None:
    assert stored("1", topic)["tags"] == tags


def test_what_is_published_under_the_name_of_a_secret_is_not_stored() -> None:
    everything = shape("#")
    for level in ("password", "wifi_token", "pin", "pin/set", "pin_code/get", "Code/SET/state"):
        assert fields("1234", topic=f"home/{level}", of=everything) == "message_without_value"
    assert fields("1234", topic="home/pin/count", of=everything) == {"value": 1234.0}


@pytest.mark.parametrize(
    "payload",
    [
        '{"url": "rtsp://admin:hunter2@camera/1", "b": 1}',
        '{"headers": "Authorization: Bearer hunter2", "b": 1}',
        '{"raw": "{\\"password\\": \\"hunter2\\"}", "b": 1}',
        '{"name": "password", "value": "hunter2", "b": 1}',
        '{"list": {"a": {"api_key": "hunter2"}}, "b": 1}',
        "rtsp://admin:hunter2@camera/1",
        'password="hunter2"',
    ],
)
def test_a_secret_in_a_text_of_a_message_is_not_stored(payload: str) -> None:
    found = shape().encode("zigbee2mqtt/lamp", payload.encode(), numbers_only=False)
    assert "hunter2" not in str(found)
    if payload.startswith("{"):
        assert fields(payload)["b"] == 1.0


def test_members_that_are_secret_are_counted_as_left_out() -> None:
    payload = '{"name": "password", "value": "hunter2", "pin": {"a": 1, "c": 2}, "b": 1}'
    assert fields(payload) == {"name_str": "password", "b": 1.0, "left_out": 3.0}


def test_nothing_that_lies_in_a_code_is_stored() -> None:
    payload = '{"pin": {"entered": "1234"}, "code": {"slot": {"new": 99}}, "b": 1}'
    assert fields(payload) == {"b": 1.0, "left_out": 2.0}


def test_a_topic_that_does_not_fit_a_tag_is_not_stored() -> None:
    """Cut, two of them would be one series."""
    assert fields("1", topic="zigbee2mqtt/" + "é" * 507) == "message_too_large"


def test_the_time_to_check_a_name_grows_with_its_length_only() -> None:
    def seconds(length: int) -> float:
        began = time.process_time()
        assert is_secret("_1" * length + "z") is False
        return time.process_time() - began

    # Eight times as long took 64 times the time, and all of Home Assistant waited.
    short = min(seconds(2_000 + number) for number in range(5))
    assert min(seconds(16_000 + number) for number in range(3)) < 32 * short


def test_a_database_of_numbers_gets_numbers() -> None:
    assert fields('{"state": "ON", "mode": "eco"}', numbers_only=True) == {"state": 1.0}
    assert fields('{"mode": "eco"}', numbers_only=True) == "no_number"
    assert fields("eco", numbers_only=True) == "no_number"


def test_texts_and_numbers_never_share_a_name_whatever_comes() -> None:
    kinds: dict[str, type] = {}
    for value in (1, 1.5, "a", True, "1.10", "on", 10**30):
        for payload in (json.dumps({"x": value}), json.dumps({"x_str": value})):
            for name, found in fields(payload).items():
                assert kinds.setdefault(name, type(found)) is type(found), name


def test_no_field_of_a_message_takes_the_name_of_a_tag() -> None:
    found = stored(
        '{"device": 5, "topic": 1, "left_out": 3, "clock_unset": 1}',
        of=shape("z/{device}/#"),
        topic="z/a/b",
    )
    assert found["tags"] == {"device": "a", "topic": "z/a/b"}
    assert not {"device", "topic", "left_out", "clock_unset"} & found["fields"].keys()
    assert sorted(found["fields"].values()) == [1.0, 1.0, 3.0, 5.0]


def test_a_mark_of_the_byte_order_is_no_part_of_a_payload() -> None:
    assert fields(b'\xef\xbb\xbf{"temperature": 21.5}') == {"temperature": 21.5}
    assert fields(b"\xef\xbb\xbf21.5") == {"value": 21.5}
    assert fields('{"state": "\ufeff"}') == {"state_str": "\ufeff"}


def test_a_level_of_a_topic_can_name_the_field() -> None:
    statestream = shape("home/{domain}/{object}/{field}")
    found = stored("21.5", "home/sensor/attic/state", of=statestream)
    assert (found["tags"], found["fields"]) == (
        {"domain": "sensor", "object": "attic"},
        {"state": 21.5},
    )
    found = stored('{"x": 1}', "home/sensor/attic/color", of=statestream)
    assert found["fields"] == {"color_x": 1.0}
    assert fields("x", topic="home/lock/door/code", of=statestream) == "message_without_value"


def test_the_user_says_which_fields_and_of_which_type() -> None:
    chosen = shape(fields=frozenset({"battery", "version"}), texts=frozenset({"version"}))
    payload = '{"battery": {"level": 1}, "version": 2, "batteries": 3}'
    assert fields(payload, of=chosen) == {"battery_level": 1.0, "version_str": "2"}
    assert fields("5", of=shape(field="power")) == {"power": 5.0}
    assert fields("5", of=shape(field="serial", texts=frozenset({"serial"}))) == {"serial_str": "5"}


def test_of_many_fields_some_are_left_out_and_counted() -> None:
    found = fields(json.dumps({f"f{number}": number for number in range(100)}))
    assert len(found) == 65
    assert found["left_out"] == 36


@given(
    payload=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=4),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
    level=st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=20),
    numbers_only=st.booleans(),
)
def test_any_message_is_one_point_or_has_a_reason(
    payload: bytes, level: str, *, numbers_only: bool
) -> None:
    found = shape().encode(f"zigbee2mqtt/{level}", payload, numbers_only=numbers_only)
    if isinstance(found, str):
        assert found in {"message_malformed", "message_without_value", "no_number"}
        return
    text = line(*found, 1)
    assert "\n" not in text
    # The reference parser takes no subnormal float; the real servers are asked elsewhere.
    assume("e-3" not in text)
    parsed = parse_line(text)
    assert not parsed["tags"].keys() & parsed["fields"].keys()
    for name, value in parsed["fields"].items():
        assert isinstance(value, str) == ("_str" in name[-12:] and name.endswith("_str"))
        assert not (numbers_only and isinstance(value, str))


def test_one_message_that_is_malformed_costs_only_itself_and_all_are_counted() -> None:
    counts = MessageCounts()
    messages = [
        Message("mqtt", "zigbee2mqtt/lamp", payload, 1.0e9, shape(), counts)
        for payload in (b"{", b"1", b"\xff", b"2")
    ]
    encoded = Encoder(profile=Tidy(dumps=json.dumps)).encode(messages)
    times = [parse_line(each)["time"] for each in encoded.lines]
    assert times == [10**18, 10**18 + 1000]
    assert encoded.filtered == {"message_malformed": 2}
    assert (counts.points, counts.filtered) == (2, {"message_malformed": 2})


@pytest.mark.parametrize(
    ("pattern", "topic", "is_match"),
    [
        ("a/{x}", "a/b", True),
        ("a/{x}", "a/", True),
        ("a/{x}", "a", False),
        ("a/{x}", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/uptime", False),
        ("+/b", "$SYS/b", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("+/+", "/", True),
        ("a.b/{x}", "aXb/c", False),
    ],
)
def test_a_pattern_fits_what_a_broker_would_send(
    pattern: str, topic: str, *, is_match: bool
) -> None:
    assert TopicPattern.of(pattern).matches(topic) is is_match


@pytest.mark.parametrize(
    "text", ["a/{x", "a/x}", "a/{}", "a/{1}", "a/{x}y", "a+/b", "#/a", "{x}/{x}", "a/{é}"]
)
def test_a_text_that_is_no_topic_pattern_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        TopicPattern.of(text)


def test_a_pattern_with_wildcards_has_the_topic_as_a_tag() -> None:
    assert TopicPattern.of("a/{x}/{field}").tags == ("x",)
    assert TopicPattern.of("a/{x}/+").tags == ("x", "topic")
    assert TopicPattern.of("a/{x}/{field}").filter == "a/+/+"
    # So has one without any tag, as two of them would be one series.
    assert TopicPattern.of("a/b").tags == ("topic",)
    assert TopicPattern.of("a/{field}").tags == ("topic",)
