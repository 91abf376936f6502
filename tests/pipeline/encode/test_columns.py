"""In one measurement a name is a tag or a field, never both, and a field has one type for ever."""

from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode import columns
from custom_components.ha_ingestor.pipeline.encode.attributes import AttributesPolicy, Shape
from custom_components.ha_ingestor.pipeline.encode.columns import FieldType
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.base import Availability
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import (
    MEASUREMENT_ATTRS,
    CoreSettings,
)
from custom_components.ha_ingestor.pipeline.encode.profiles.events import FIELDS
from custom_components.ha_ingestor.pipeline.encode.profiles.fields import TAGS
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    ENTITY_REMOVED,
    HEARTBEAT,
    STATE_CHANGED,
    STATE_REPORTED,
    Item,
    OtherEvent,
    RegistryRow,
    Weather,
)
from custom_components.ha_ingestor.registry.history_rows import REMOVED, TABLES
from tests.golden.lines import home
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

from .schema import TAG, Schema

PROFILES: list[type[HomeIQ | Tidy]] = [HomeIQ, Tidy]
both = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.__name__)

OWN = (
    *("value", "state", "old_state", "state_value", "previous_state", "attributes", "available"),
    *("duration_in_state_seconds", "unit_of_measurement", "context_id", "context_user", "cause"),
    *("heartbeat", "left_out", "count", "event_data", "event_type", "event_category", "location"),
    *("weather_condition", "weather_temperature", "temperature", "instance", "service", "name"),
    *("clock_unset", "disabled", "removed", "platform", "unique_id", "entity_count"),
)
LONG = "n" * 251
MEASUREMENTS = {
    "home_assistant_events": (columns.HOMEIQ,),
    "events": (columns.TIDY_EVENTS,),
    **{name: (known,) for name, known in columns.REGISTRIES.items()},
}
VALUE_OF: dict[FieldType, float | str | bool] = {
    FieldType.NUMBER: 1.0,
    FieldType.TEXT: "v",
    FieldType.FLAG: True,
}
KINDS = {FieldType.NUMBER: "float", FieldType.TEXT: "str", FieldType.FLAG: "bool"}
PARTS = st.sampled_from(
    [*TAGS, *OWN, "a", "x", "time", "a\\b", "a/b", "_a", "x_a", LONG, "é" * 130]
)
NAMES = st.builds(
    lambda before, name, after: f"{before}{name}{after}",
    st.sampled_from([*[""] * 8, "attr_", "data_", "_"]),
    PARTS,
    st.sampled_from([*[""] * 8, "_str", "_str", "_", "_str_", "\t", "\\"]),
) | st.text(max_size=3)
VALUES = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.sampled_from(["on", "1", "12 W", "", None, 10**400, float("nan"), [1], {"a": 1}]),
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, min_size=3, max_size=12)
STATES = st.sampled_from(["on", "1", "1.10", "00420", "unavailable", "auto", "1e400", "2.5", ""])
ENTITIES = st.builds(
    lambda domain, **described: entity(f"{domain}.a", **described),
    st.sampled_from(["sensor", "select", "event", "events", "light", "devices", "entities"]),
    **{
        name: st.sampled_from(["v", "v", ""])
        for name in (
            *("registry_id", "entity_category", "integration", "area_id", "area", "floor"),
            *("device_id", "device", "manufacturer", "model", "sw_version"),
        )
    },
    labels=st.sampled_from([(), ("l",)]),
)
WEATHER = st.sampled_from([None, Weather(condition="sunny", temperature=1.0, humidity=2.0)])
# The second is from before the clock of the machine was set.
MOMENTS = st.sampled_from([NOON, 1000.0])
STATE = st.builds(
    lambda state, attributes, moment: FakeState(
        state=state, attributes=attributes, last_updated_timestamp=moment
    ),
    STATES,
    ATTRIBUTES,
    MOMENTS,
)
CHANGES = st.builds(
    lambda of, new, old, kind, weather: change(new, old, of=of, time=NOON)._replace(
        kind=kind, weather=weather
    ),
    ENTITIES,
    st.none() | STATE,
    st.none() | STATE,
    st.sampled_from([STATE_CHANGED, STATE_REPORTED, HEARTBEAT]),
    WEATHER,
)
CONTEXT = FakeContext(id="c1", parent_id="c0", user_id="u1")
EVENTS = st.builds(
    lambda event_type, data, of, time: OtherEvent(event_type, data, time, CONTEXT, of),
    st.sampled_from([*FIELDS, ENTITY_REMOVED, "custom"]),
    st.dictionaries(
        st.sampled_from(
            [*("registry_id", "old_state", "name", "source", "message", "service", "domain")]
        )
        | NAMES,
        VALUES,
        max_size=5,
    ),
    st.none() | ENTITIES,
    MOMENTS,
)
ROWS = st.builds(
    lambda tags, fields: RegistryRow("devices", tuple(tags.items()), tuple(fields.items()), NOON),
    st.dictionaries(st.sampled_from(["device_id", "model", "a/b", "_a"]), st.just("v")),
    # What is a tag of one row may not be a field of another: rows come from one table.
    st.dictionaries(st.sampled_from(["name", "a\\b", "x_a", "model"]), st.just("text")),
)
REGISTERED: st.SearchStrategy[RegistryRow] = st.sampled_from(
    [
        RegistryRow(
            measurement,
            tuple((name, "v") for name in known.tags),
            tuple((name, VALUE_OF[kind]) for name, kind in known.fields.items()),
            NOON,
        )
        for measurement, known in columns.REGISTRIES.items()
    ]
)
ITEMS: st.SearchStrategy[list[Item]] = st.lists(CHANGES | EVENTS | REGISTERED, max_size=8)


def schema_of(profile: Profile, items: list[Item]) -> Schema:
    schema = Schema()
    encoded = Encoder(profile=profile).encode(items)
    assert "not_encodable" not in encoded.filtered
    for line in encoded.lines:
        schema.read(line)
    return schema


@both
@settings(max_examples=200, deadline=None)
@given(
    items=ITEMS,
    tags=st.lists(st.sampled_from(sorted(TAGS)), unique=True, max_size=10),
    chosen=st.fixed_dictionaries(
        {
            "attributes": st.builds(AttributesPolicy, shape=st.sampled_from(Shape)),
            "availability": st.sampled_from(Availability),
            "plain_names": st.booleans(),
            "aliases": st.booleans(),
        }
    ),
)
def test_in_no_home_a_name_is_a_tag_and_a_field_or_has_two_types(
    profile: type[HomeIQ | Tidy],
    items: list[Item],
    tags: list[str],
    chosen: dict[str, Any],
) -> None:
    made = profile(
        dumps=json_dumps,
        location="Home",
        tags=tuple(tags),
        **chosen,
        causes={"c1": "automation.a"},
        users={"u1": "Ada"},
    )
    schema = schema_of(made, items)
    assert schema.contradictions == {}
    assert undeclared(schema) == set()


def undeclared(schema: Schema) -> set[tuple[str, str]]:
    """Return the names that are neither listed as ours nor made from those of attributes."""
    found = set()
    for (measurement, name), kinds in schema.kinds.items():
        of = MEASUREMENTS.get(measurement, (columns.TIDY,))
        declared = {
            TAG for known in of if name in {*known.entity_tags, *known.tags, *columns.CHOICES}
        } | {KINDS[known.fields[name]] for known in of if name in known.fields}
        if not kinds <= declared and not is_derived(name, kinds):
            found.add((measurement, name))
    return found


def is_derived(name: str, kinds: set[str]) -> bool:
    """Whether a name can be that of an attribute: texts are called otherwise than numbers."""
    return (
        kinds == ({"str"} if name.endswith("_str") else {"float"}) and name not in columns.CHOICES
    )


@settings(max_examples=200, deadline=None)
@given(
    items=ITEMS,
    tags=st.dictionaries(NAMES, st.sampled_from(["v", ""]), max_size=3),
    tags_attributes=st.frozensets(NAMES, max_size=3),
    measurement_attr=st.sampled_from(MEASUREMENT_ATTRS),
    override=st.sampled_from(["", "all", "devices", "entities"]),
)
def test_with_no_settings_of_core_a_name_is_a_tag_and_a_field(
    items: list[Item],
    tags: dict[str, str],
    tags_attributes: frozenset[str],
    measurement_attr: Any,
    override: str,
) -> None:
    made = Core(
        settings=CoreSettings(
            measurement_attr=measurement_attr,
            override_measurement=override,
            tags=tags,
            tags_attributes=tags_attributes,
        )
    )
    assert schema_of(made, items).contradictions == {}


@given(st.lists(ROWS, max_size=4))
def test_a_field_of_a_row_never_has_the_name_of_its_tag(rows: list[RegistryRow]) -> None:
    for row in rows:
        assert schema_of(Core(), [row]).contradictions == {}


def test_a_tag_that_the_user_adds_is_no_field_any_more() -> None:
    of = entity(manufacturer="Acme", model="T1", sw_version="1.2")
    tags = ("manufacturer", "model", "sw_version")
    schema = schema_of(HomeIQ(dumps=json_dumps, tags=tags), [change(FakeState(state="1"), of=of)])
    for name in tags:
        assert schema.kinds["home_assistant_events", name] == {TAG}


def test_the_registry_id_of_a_rename_is_a_tag_where_the_user_chose_it() -> None:
    renamed = OtherEvent("entity_renamed", {"registry_id": "r1"}, NOON, FakeContext())
    for tags, kind in ((("registry_id",), TAG), ((), "str")):
        schema = schema_of(HomeIQ(dumps=json_dumps, tags=tags), [renamed])
        assert schema.kinds["home_assistant_events", "registry_id"] == {kind}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a\\b": 1, "a/b": 2}, 2),
        ({"_a": 1, "x_a": 2}, 2),
        ({'a"': 1, "a'": 2}, 2),
        ({"a\tb": 1, "a\nb": 2, "a b": 3}, 3),
        ({LONG + "xxxxxx1": 1, LONG + "xxxxxx2": 2}, 2),
        ({"x": "text", "x_str": 1}, 2),
        ({"x": "a", "x_str": "b", "x_str_str": 3}, 3),
        ({"value": 1, "attr_value": 2}, 2),
        ({"time": 1, "time_": 2}, 2),
        ({"a\ud800": 1, "a?": 2}, 2),
    ],
)
@both
def test_two_attributes_are_two_fields(
    profile: type[HomeIQ | Tidy], one: dict[str, Any], other: int
) -> None:
    def names(attributes: dict[str, Any]) -> set[str]:
        policy = AttributesPolicy(shape=Shape.FLAT)
        made = profile(dumps=json_dumps, attributes=policy)
        items: list[Item] = [change(FakeState(state="off", attributes=attributes))]
        return {name for _, name in schema_of(made, items).kinds}

    assert len(names(one) - names({})) == other
    # Nothing depends on what else an entity has: each is the same field when it comes alone.
    assert names(one) == set().union(*(names({name: value}) for name, value in one.items()))


def test_core_keeps_both_of_two_attributes_whose_names_become_one() -> None:
    of = change(FakeState(state="1", attributes={"a\\b": 1, "a/b": 2}))
    point = Core().encode(of)
    assert point
    assert sorted(pair.partition("=")[2] for pair in point[1].split(",")) == ["1.0", "1.0", "2.0"]


@pytest.mark.parametrize(
    ("attributes", "settings_of", "kept"),
    [
        ({"entity_id": "wifi_signal_10", "level": 3}, {}, {"value", "level"}),
        ({"domain": 5, "level": 3}, {}, {"value", "level"}),
        ({"room_str": 4, "level": 3}, {"tags": {"room_str": "x"}}, {"value", "level", "room_str_"}),
        ({"house": 4, "level": 3}, {"tags": {"house": "x"}}, {"value", "level"}),
        ({"house": 4}, {"tags_attributes": frozenset({"house"})}, {"value"}),
    ],
)
def test_core_leaves_out_an_attribute_that_has_the_name_of_a_tag(
    attributes: dict[str, Any], settings_of: dict[str, Any], kept: set[str]
) -> None:
    made = Core(settings=CoreSettings(**settings_of))
    items: list[Item] = [
        change(FakeState(state="1", attributes=attributes)),
        change(FakeState(state="1", attributes={"entity_id": "text"})),
    ]
    schema = schema_of(made, items)
    assert schema.contradictions == {}
    of_first = {name for name, kinds in schema.kinds.items() if kinds == {"float"}}
    assert {name for _, name in of_first} == kept


def test_a_tag_of_core_that_is_called_as_the_state_is_called_otherwise() -> None:
    made = Core(settings=CoreSettings(tags={"value": "x", "state": "y"}))
    point = made.encode(change(FakeState(state="on")))
    assert point
    assert point[:2] == (
        "sensor.kitchen,domain=sensor,entity_id=kitchen,state_=y,value_=x",
        'value=1.0,state="on"',
    )


@pytest.mark.parametrize("measurement", columns.REGISTRIES)
def test_points_of_states_and_of_registries_never_share_a_measurement(measurement: str) -> None:
    attributes = {"disabled": True, "platform": 3, "name": 5, "model": "x", "removed": 1}
    by_unit = {"unit_of_measurement": measurement, **attributes}
    of = entity(f"{measurement}.a")
    made: list[tuple[Profile, Item]] = [
        (
            Tidy(dumps=json_dumps, attributes=AttributesPolicy(shape=Shape.FLAT)),
            change(FakeState(state="5", attributes=attributes), of=of),
        ),
        (
            Core(settings=CoreSettings(override_measurement=measurement)),
            change(FakeState(state="5", attributes=attributes)),
        ),
        (
            Core(settings=CoreSettings(default_measurement=f"{measurement}\n")),
            change(FakeState(state="5", attributes=attributes)),
        ),
        (Core(), change(FakeState(state="5", attributes=by_unit))),
    ]
    for profile, state_event in made:
        (line,) = Encoder(profile=profile).encode([state_event]).lines
        assert line.startswith(f"{measurement}_,")


def test_the_columns_of_the_registries_are_those_of_their_rows() -> None:
    assert set(columns.REGISTRIES) == set(TABLES)
    for measurement, table in TABLES.items():
        known = columns.REGISTRIES[measurement]
        assert known.tags == table.tags
        assert set(known.fields) == {*table.fields, REMOVED}


@both
def test_no_attribute_takes_the_name_of_the_field_clock_unset(profile: type[HomeIQ | Tidy]) -> None:
    made = profile(dumps=json_dumps, attributes=AttributesPolicy(shape=Shape.FLAT))
    early = FakeState(state="5", attributes={"clock_unset": 3}, last_updated_timestamp=1000.0)
    late = FakeState(state="5", attributes={"clock_unset": 3})
    schema = schema_of(made, [change(early), change(late)])
    assert schema.contradictions == {}
    assert sorted(
        (name, *kinds) for (_, name), kinds in schema.kinds.items() if "clock_unset" in name
    ) == [("attr_clock_unset", "float"), ("clock_unset", "bool")]


def test_what_can_be_chosen_as_a_tag_is_listed_as_such() -> None:
    assert set(columns.CHOICES) == set(TAGS)
    for known in (columns.HOMEIQ, columns.TIDY, columns.TIDY_EVENTS, columns.CORE):
        tags = {*known.entity_tags, *known.tags}
        assert tags.isdisjoint(known.fields)


@pytest.mark.parametrize("profile", [HomeIQ, Tidy, Core], ids=lambda profile: profile.__name__)
def test_the_schema_of_a_whole_home_has_no_contradiction(profile: type[Any]) -> None:
    made = Core() if profile is Core else profile(dumps=json_dumps, tags=("model", "sw_version"))
    assert schema_of(made, [*home()]).contradictions == {}
