"""The `core` profile stores what the built-in integration does, but for what it documents."""

from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.util.read_only_dict import ReadOnlyDict
from hypothesis import assume, given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.line_protocol import (
    NAME_MAX_BYTES,
    STRING_MAX_BYTES,
    TAG_VALUE_MAX_BYTES,
    TAGS_MAX,
    quote,
)
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.model import HEARTBEAT, STATE_REPORTED, OtherEvent
from tests.pipeline.encode.test_line_protocol import ANY_TEXT
from tests.pipeline.state_events import FakeContext, FakeState, change, entity

from .built_in import (
    Ours,
    Stored,
    compare_many,
    converter,
    documented,
    line_v1,
    line_v2,
    overwrites,
    stored,
)
from .built_in_changes import NOON, Change

NAME = st.one_of(ANY_TEXT, st.sampled_from(["time", "state", "value", "value_", "time_", "_", ""]))
DIGITS = st.text("0123456789.. ax\n\u0663")
VALUE = st.one_of(
    ANY_TEXT,
    DIGITS,
    st.floats(),
    st.integers(-(10**300), 10**300),
    st.booleans(),
    st.none(),
    st.datetimes(),
    st.lists(st.one_of(DIGITS, st.floats(), st.integers())),
    st.dictionaries(DIGITS, st.integers()),
)


def theirs_v1(of: Change, config: dict[str, Any]) -> Stored | None:
    point = converter(config)(of.event())
    return stored(line_v1(point)) if point else None


def theirs_v2(of: Change, config: dict[str, Any]) -> Stored | None:
    point = converter(config)(of.event())
    return stored(line_v2(point)) if point else None


def ours(of: Change, config: dict[str, Any] | None = None) -> Stored | None:
    return stored(Ours(config or {}).line(of.event()))


def kitchen(state: str = "21", /, **attributes: Any) -> Change:
    return Change(entity_id="sensor.kitchen", state=state, attributes=ReadOnlyDict(attributes))


def fields_of(of: Change, config: dict[str, Any] | None = None) -> dict[str, str]:
    point = ours(of, config)
    assert point
    return point[2]


def test_thousands_of_changes_with_all_settings_are_stored_alike() -> None:
    compared = compare_many(seed=2, configs=120, changes=50)

    assert compared.points > 5000
    # With every exception that is not one any more, these grow; with new ones, they shrink.
    assert compared.alike_v2 > 2300
    assert compared.alike_v1 > 2000


@given(
    state=st.one_of(ANY_TEXT.filter(lambda text: len(text) <= 255), DIGITS),
    attributes=st.dictionaries(NAME, VALUE, max_size=8),
    tags_attributes=st.lists(NAME, max_size=3),
    tags=st.dictionaries(NAME, ANY_TEXT, max_size=3),
    measurement=ANY_TEXT,
)
def test_any_text_in_any_place_is_stored_as_documented(
    state: str,
    attributes: dict[str, Any],
    tags_attributes: list[str],
    tags: dict[str, str],
    measurement: str,
) -> None:
    config = {
        "tags_attributes": tags_attributes + list(attributes)[:1],
        "tags": tags,
        "override_measurement": measurement,
    }
    of = Change(entity_id="sensor.kitchen", state=state, attributes=ReadOnlyDict(attributes))

    assume(not overwrites(attributes))

    point = converter(config)(of.event())

    assert ours(of, config) == (documented(point, config, state) if point else None)


def test_a_backslash_in_a_name_or_tag_is_a_slash() -> None:
    of = kitchen("on", unit_of_measurement="a\\b", room="c\\d", **{"n\\m": 1})
    config = {"tags_attributes": ["room"]}
    tags = {"domain": "sensor", "entity_id": "kitchen"}
    fields = {"state": "str 'on'", "value": "float 1.0"}
    time = NOON * 10**9

    assert [each(of, config) for each in (theirs_v1, theirs_v2, ours)] == [
        (f"a{slash}b", tags | {"room": f"c{slash}d"}, fields | {f"n{slash}m": "float 1.0"}, time)
        for slash in ("\\\\", "\\", "/")
    ]


def test_a_backslash_at_the_end_refuses_no_line() -> None:
    of = kitchen(room="C:\\")
    config = {"tags_attributes": ["room"]}
    with pytest.raises(ValueError, match="missing fields"):
        theirs_v1(of, config)

    as_v2, as_ours = theirs_v2(of, config), ours(of, config)

    assert as_v2
    assert as_v2[1]["room"] == "C: "
    assert as_ours
    assert as_ours[1]["room"] == "C:/"


def test_a_tab_and_a_line_break_in_a_name_are_spaces() -> None:
    of = kitchen(unit_of_measurement="a\tb", text="a\tb", **{"n\nm": 1})

    as_v2, as_ours = theirs_v2(of, {}), ours(of)

    assert as_v2
    assert as_v2[0] == "a\\tb"
    assert as_v2[2] == {
        "value": "float 21.0",
        "text_str": r"str 'a\tb'",
        "n\\nm": "float 1.0",
    }
    assert as_ours
    assert as_ours[0] == "a b"
    assert as_ours[2] == {"value": "float 21.0", "text_str": "str 'a b'", "n m": "float 1.0"}


def test_names_no_server_takes_are_changed() -> None:
    of = kitchen(unit_of_measurement="#/cm3", _hidden=1, time=2, **{'12"': 3})

    assert ours(of, {"tags_attributes": ["time"]}) == (
        "x#/cm3",
        {"domain": "sensor", "entity_id": "kitchen", "time_": "2"},
        {"value": "float 21.0", "x_hidden": "float 1.0", "12'": "float 3.0"},
        NOON * 10**9,
    )


def test_a_measurement_of_line_breaks_and_a_field_without_a_name_refuse_no_line() -> None:
    of = kitchen(unit_of_measurement="\n", **{"": 1})
    with pytest.raises(ValueError, match="missing measurement"):
        theirs_v2(of, {})

    point = ours(of)

    assert point
    assert point[0] == "x"
    assert point[2] == {"value": "float 21.0"}


def test_what_is_too_long_is_cut() -> None:
    long = {f"tag{number:02}": "é" * 1000 for number in range(30)}
    of = kitchen(unit_of_measurement="u" * 300, text="t" * 40_000, **long)

    point = ours(of, {"tags_attributes": list(long)})

    assert point
    measurement, tags, fields, _ = point
    assert measurement == "u" * NAME_MAX_BYTES
    assert len(tags) == TAGS_MAX
    assert tags["tag00"] == "é" * (TAG_VALUE_MAX_BYTES // 2)
    assert fields["text_str"] == f"str {'t' * STRING_MAX_BYTES!r}"


def test_a_lone_surrogate_loses_no_batch() -> None:
    of = kitchen(text="a\ud800b")
    with pytest.raises(UnicodeEncodeError):
        line_v2(converter({})(of.event()) or {}).encode()

    assert fields_of(of)["text_str"] == "str 'a?b'"


@pytest.mark.parametrize("state", ["nan", "inf", "1e999"])
def test_a_state_that_is_not_finite_keeps_its_attributes(state: str) -> None:
    of = kitchen(state, value=1, level=2)
    with pytest.raises(ValueError, match="invalid number"):
        theirs_v1(of, {})

    assert theirs_v2(of, {}) == ours(of)
    assert fields_of(of) == {"value_": "float 1.0", "level": "float 2.0"}


@pytest.mark.parametrize("state", ["nan", "inf", "1e999", "1234E567"])
def test_a_state_that_is_not_finite_is_a_text_where_there_would_be_no_point(state: str) -> None:
    assert fields_of(kitchen(state)) == {"state": f"str {state!r}"}
    assert Core(numbers_only=True).encode(change(FakeState(state=state))) is None


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        raise RuntimeError


@pytest.mark.parametrize(
    ("attributes", "raised", "fields"),
    [
        ({"big": 10**400}, OverflowError, {"big_str": f"str '1{'0' * 400}'"}),
        ({"odd": Hostile()}, RuntimeError, {"odd_str": "str 'Hostile'"}),
        ({5: 1, "b": 2}, TypeError, {"5": "float 1.0", "b": "float 2.0"}),
    ],
    ids=["an integer beyond every float", "no text", "a name that is a number"],
)
def test_what_makes_the_built_in_thread_die_is_a_point(
    attributes: dict[Any, Any], raised: type[Exception], fields: dict[str, str]
) -> None:
    of = Change(entity_id="sensor.kitchen", state="21", attributes=ReadOnlyDict(attributes))
    with pytest.raises(raised):
        theirs_v2(of, {})

    assert fields_of(of) == {"value": "float 21.0"} | fields


def test_bytes_in_a_tag_are_stored_as_in_influxdb_2() -> None:
    of = kitchen(raw=b"ab")
    config = {"tags_attributes": ["raw"]}

    as_v1, as_v2 = theirs_v1(of, config), theirs_v2(of, config)

    assert as_v1
    assert as_v1[1]["raw"] == "ab"
    assert ours(of, config) == as_v2 != as_v1


def test_of_names_that_become_the_same_the_second_is_marked() -> None:
    fields = fields_of(kitchen(**{"a\tb": 1, "a b": 2}))
    assert fields["a b"] == "float 1.0"
    assert sorted(fields.values()) == ["float 1.0", "float 2.0", "float 21.0"]


@pytest.mark.parametrize("state", ["unknown", "unavailable", ""])
def test_a_state_that_says_nothing_is_no_point(state: str) -> None:
    assert ours(kitchen(state, level=2)) is None


def test_a_removed_entity_is_no_point() -> None:
    assert Core().encode(change(None, FakeState(state="21"))) is None


def test_a_state_that_was_there_before_has_the_instant_it_was_set() -> None:
    point = Core().encode(change(FakeState(state="21", last_updated_timestamp=NOON + 7), time=0.0))

    assert point
    assert point[2] == NOON + 7


@pytest.mark.parametrize("kind", [STATE_REPORTED, HEARTBEAT])
def test_a_state_written_again_is_a_point_at_its_own_instant(kind: str) -> None:
    again = change(FakeState(state="21"), time=NOON + 60)._replace(kind=kind)

    assert Core().encode(again) == (
        "sensor.kitchen,domain=sensor,entity_id=kitchen",
        "value=21.0",
        NOON + 60,
    )


def test_other_events_are_no_points() -> None:
    other_event = OtherEvent("call_service", {"domain": "light"}, NOON, FakeContext())

    assert Encoder(profile=Core()).encode([other_event]).filtered == {"not_in_profile": 1}


def test_databases_of_numbers_get_numbers_only() -> None:
    profile = Core(numbers_only=True)
    attributes = {"mode": "eco", "power": "12.5 W", "state_class": "x", "level": 3, "time": 4}
    state_events = [
        change(FakeState(state=state, attributes=attributes | more))
        for state, more in (("on", {}), ("idle", {"level": 5}), ("7", {"level": 6}))
    ]
    state_events.append(change(FakeState(state="idle", attributes={"mode": "eco"})))

    result = Encoder(profile=profile).encode(state_events)

    numbers = {"power": "float 12.5", "time_": "float 4.0"}
    assert [point[2] for line in result.lines if (point := stored(line))] == [
        {"value": "float 1.0", "level": "float 3.0"} | numbers,
        {"level": "float 5.0"} | numbers,
        {"value": "float 7.0", "level": "float 6.0"} | numbers,
    ]
    assert result.filtered == {"no_number": 1}


@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: ("pair", items)])
def test_a_list_changed_in_its_place_is_written_as_it_is_now(
    wrap: Callable[[list[str]], object],
) -> None:
    items = ["milk"]
    # Home Assistant finds the next attributes equal to these, and keeps these.
    attributes = {"items": wrap(items)}
    profile, shopping = Core(), entity("todo.shopping")

    def fields() -> str:
        point = profile.encode(change(FakeState(state="1", attributes=attributes), of=shopping))
        assert point
        return point[1]

    assert f"items_str={quote(str(wrap(['milk'])))}" in fields()
    items.append("bread")
    assert f"items_str={quote(str(wrap(['milk', 'bread'])))}" in fields()


def test_a_changed_unit_or_tag_changes_the_series_and_back() -> None:
    same = entity()
    profile = Core()

    def series(unit: str) -> str:
        attributes = {"unit_of_measurement": unit}
        point = profile.encode(change(FakeState(state="1", attributes=attributes), of=same))
        assert point
        return point[0]

    assert [series(unit).partition(",")[0] for unit in ("W", "kW", "W")] == ["W", "kW", "W"]
