"""The lists of HomeIQ's data-api, with its filters and its words."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.metadata_store.listings import (
    DEVICES,
    ENTITIES,
    Listing,
    QueryError,
)
from custom_components.ha_ingestor.metadata_store.queries import parse
from custom_components.ha_ingestor.metadata_store.store import FILE, MetadataStore
from custom_components.ha_ingestor.registry.model import Device, Entity, Home

from .homes import LAMP, NOON, burst, devices, entities, entity, ids, minute

# CONTRACTS 1.5.3 and 1.5.4, with the types that readers expect.
DEVICE_WORDS = {
    "device_id": str,
    "name": str,
    "manufacturer": str,
    "model": str,
    "entity_count": int,
    "timestamp": str,
    "status": str,
    "labels": list,
}
DEVICE_WORDS_OR_NONE = [
    "integration",
    "sw_version",
    "area_id",
    "config_entry_id",
    "via_device",
    "device_type",
    "device_category",
    "power_consumption_idle_w",
    "power_consumption_active_w",
    "power_consumption_max_w",
    "setup_instructions_url",
    "troubleshooting_notes",
    "device_features_json",
    "community_rating",
    "last_capability_sync",
    "serial_number",
    "model_id",
]
ENTITY_WORDS = {
    "entity_id": str,
    "domain": str,
    "platform": str,
    "disabled": bool,
    "timestamp": str,
    "friendly_name": str,
    "supported_features": int,
    "aliases": list,
    "labels": list,
    "options": dict,
}
ENTITY_WORDS_OR_NONE = [
    "device_id",
    "unique_id",
    "area_id",
    "config_entry_id",
    "name",
    "name_by_user",
    "original_name",
    "capabilities",
    "available_services",
    "icon",
    "original_icon",
    "device_class",
    "unit_of_measurement",
]

HOME = Home(
    devices=(
        LAMP,
        Device(device_id="d2", name="Bridge", manufacturer="Signify", model="BSB002"),
        Device(device_id="d3", name="Plug", via_device_id="d2", area_id="attic", labels=("x",)),
    ),
    entities=(
        entity("light.lamp", device_id="d1", aliases=("Leselampe", "ΣΠΊΤΙ")),
        entity("light.plain", labels=("battery", "old")),
        entity("sensor.power", device_id="d1", platform="power", effective_area_id="kitchen"),
        entity("switch.plug", device_id="d3", labels=("old",), aliases=("Socket",)),
    ),
    services={"light": {"turn_on": {}, "turn_off": {}}, "scene": {"apply": {}}},
)


@pytest.fixture(scope="module", name="store")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataStore]:
    """A small home with a past."""
    store = MetadataStore(tmp_path_factory.mktemp("home"))
    gone = Device(device_id="d0", name="Gone")
    former = entity("sensor.gone", device_id="d1")
    store.sync(Home(devices=(gone,), entities=(former,)), minute(-1))
    store.sync(HOME, NOON)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([], ["light.lamp", "light.plain", "sensor.power", "switch.plug"]),
        ([("domain", "light")], ["light.lamp", "light.plain"]),
        ([("platform", "power")], ["sensor.power"]),
        ([("device_id", "d1")], ["light.lamp", "sensor.power"]),
        ([("device_id", "d1"), ("domain", "light")], ["light.lamp"]),
        ([("area_id", "kitchen")], ["sensor.power"]),
        ([("label", "old")], ["light.plain", "switch.plug"]),
        ([("label", "old"), ("label", "battery")], ["light.plain"]),
        ([("label", "ol")], []),
        ([("alias", "LAMP")], ["light.lamp"]),
        ([("alias", "σπίτι")], ["light.lamp"]),
        ([("alias", "%")], []),
        ([("has_aliases", "true")], ["light.lamp", "switch.plug"]),
        ([("has_aliases", "false"), ("domain", "light")], ["light.plain"]),
        ([("domain", "")], ["light.lamp", "light.plain", "sensor.power", "switch.plug"]),
        ([("domain", "nothing")], []),
        ([("include_removed", "1"), ("domain", "sensor")], ["sensor.gone", "sensor.power"]),
    ],
)
def test_entities_are_filtered(
    store: MetadataStore, parameters: list[tuple[str, str]], expected: list[str]
) -> None:
    assert ids(entities(store, *parameters)) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([], ["d1", "d2", "d3"]),
        ([("manufacturer", "Signify")], ["d1", "d2"]),
        ([("manufacturer", "Unknown")], ["d3"]),
        ([("model", "BSB002")], ["d2"]),
        ([("area_id", "attic")], ["d3"]),
        ([("platform", "power")], ["d1"]),
        ([("device_type", "light")], []),
        ([("device_category", "light")], []),
        ([("include_removed", "true")], ["d0", "d1", "d2", "d3"]),
    ],
)
def test_devices_are_filtered(
    store: MetadataStore, parameters: list[tuple[str, str]], expected: list[str]
) -> None:
    assert ids(devices(store, *parameters)) == expected


def test_an_answer_has_every_key_of_a_device_that_readers_expect(store: MetadataStore) -> None:
    lamp, bridge, plug = devices(store)
    for word, kind in DEVICE_WORDS.items():
        assert type(lamp[word]) is kind, word
    assert not [word for word in DEVICE_WORDS_OR_NONE if word not in lamp]
    assert (lamp["name"], lamp["model"], lamp["entity_count"]) == ("Lamp", "Unknown", 2)
    assert (bridge["entity_count"], plug["entity_count"]) == (0, 1)
    assert (plug["via_device"], plug["labels"], plug["manufacturer"]) == ("d2", ["x"], "Unknown")
    assert devices(store, ("platform", "power"))[0]["entity_count"] == 1


def test_an_answer_has_every_key_of_an_entity_that_readers_expect(store: MetadataStore) -> None:
    lamp, _, power, plug = entities(store)
    for word, kind in ENTITY_WORDS.items():
        assert type(lamp[word]) is kind, word
    assert not [word for word in ENTITY_WORDS_OR_NONE if word not in lamp]
    assert lamp["available_services"] == ["light.turn_off", "light.turn_on"]
    assert power["available_services"] is None
    assert (plug["domain"], plug["aliases"], plug["labels"]) == ("switch", ["Socket"], ["old"])


def test_what_is_added_to_a_row_is_its_past_whatever_texts_are_in_it(tmp_path: Path) -> None:
    hostile = {"a": '"}],\\', "b": {"c": "}", "\N{SNOWMAN}": 2**70}, "d": []}
    store = MetadataStore(tmp_path)
    for number, name in enumerate(["light.a", "light.b", 'light."}']):
        home = Home(
            devices=(Device(device_id='"}', name='},{"'),),
            entities=(entity(name, "r", options=hostile, device_id='"}'),),
            services={"light": {"on": {}}} if number == 2 else {},
        )
        store.sync(home, minute(number))
    store.sync(Home(), minute(3))
    store.sync(Home(services={"light": {"on": {}}}), minute(4))
    seen = {"first_seen": "2026-11-21T12:00:00.000+00:00"}
    gone = {"last_seen": "2026-11-21T12:02:00.000+00:00"}
    gone |= {"removed_at": "2026-11-21T12:03:00.000+00:00"}
    (found,) = entities(store, ("include_removed", "1"))
    assert found["options"] == hostile
    assert found["available_services"] == ["light.on"]
    assert found["previous_entity_ids"] == ["light.a", "light.b"]
    assert found["timestamp"] == "2026-11-21T12:02:00.000+00:00"
    assert found | seen | gone == found
    (found,) = devices(store, ("include_removed", "1"), now=minute(5))
    assert (found["name"], found["device_id"]) == ('},{"', '"}')
    assert (found["entity_count"], found["status"]) == (0, "active")
    assert found["timestamp"] == gone["last_seen"]
    assert found | seen | gone == found
    store.close()


@pytest.mark.parametrize("data", ["{}", '{"available_services": ["light.on"', "[]", "1"])
def test_a_damaged_row_of_actions_costs_no_other_row(tmp_path: Path, data: str) -> None:
    store = MetadataStore(tmp_path)
    store.sync(Home(entities=(entity("light.a"),), services={"light": {"on": {}}}), NOON)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA ignore_check_constraints = 1")
        db.execute("UPDATE services SET data = ?", (data,))
    db.close()
    assert [row["available_services"] for row in entities(store)] == [None]
    store.close()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (entity("light.bed_room_2", name="Mine", original_name="Its"), "Mine"),
        (entity("light.bed_room_2", original_name="Its"), "Its"),
        (entity("light.bed_room_2"), "Bed Room 2"),
    ],
)
def test_the_friendly_name_is_the_best_there_is(tmp_path: Path, row: Entity, expected: str) -> None:
    store = MetadataStore(tmp_path)
    store.sync(Home(entities=(row,)), NOON)
    assert entities(store)[0]["friendly_name"] == expected
    store.close()


def test_capabilities_are_their_names_and_disabled_is_yes_or_no(tmp_path: Path) -> None:
    able = entity("light.a", capabilities={"b": [1], "a": 2}, disabled_by="user")
    store = MetadataStore(tmp_path)
    store.sync(Home(entities=(able, entity("light.b"))), NOON)
    a, b = entities(store)
    assert (a["capabilities"], a["disabled"]) == (["a", "b"], True)
    assert (b["capabilities"], b["disabled"]) == (None, False)
    store.close()


@pytest.mark.parametrize(("days", "status"), [(29.9, "active"), (30.1, "inactive")])
def test_what_was_not_seen_for_thirty_days_is_inactive(
    store: MetadataStore, days: float, status: str
) -> None:
    assert devices(store, now=minute(days * 24 * 60))[0]["status"] == status


def test_the_answer_says_how_many_it_has_and_how_many_it_may_have(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    store.sync(burst(120), NOON)
    told = json.loads(store.answer(parse(ENTITIES, []), NOON))
    assert (len(told["entities"]), told["count"], told["limit"]) == (100, 100, 100)
    told = json.loads(store.answer(parse(DEVICES, [("limit", "7")]), NOON))
    assert (len(told["devices"]), told["count"], told["limit"]) == (7, 7, 7)
    store.close()


@pytest.mark.parametrize(
    ("listing", "key", "limit"), [(DEVICES, "device_id", 1000), (ENTITIES, "entity_id", 100)]
)
def test_a_home_beyond_the_limit_is_read_page_by_page(
    tmp_path: Path, listing: Listing, key: str, limit: int
) -> None:
    store = MetadataStore(tmp_path)
    store.sync(burst(1586), NOON)
    found: list[str] = []
    while True:
        parameters = [("limit", str(limit)), ("offset", str(len(found)))]
        told = json.loads(store.answer(parse(listing, parameters), NOON))
        assert told["offset"] == len(found)
        found += [row[key] for row in told[listing.table]]
        if told["count"] < limit:
            break
    assert len(found) == len(set(found)) == 1586
    assert found == sorted(found)
    store.close()


def test_pages_hold_what_the_filter_asks_for_and_end(store: MetadataStore) -> None:
    lights = ids(entities(store, ("domain", "light")))
    assert len(lights) == 2
    assert [ids(entities(store, ("domain", "light"), ("offset", text))) for text in "012"] == [
        lights,
        lights[1:],
        [],
    ]
    assert entities(store, ("offset", "999999999")) == []


def test_pages_keep_apart_what_had_one_name_after_the_other(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    for registry_id in "dcab":
        store.sync(Home(entities=(entity("light.x", registry_id),)), NOON)
    found = [
        entities(store, ("include_removed", "true"), ("offset", offset))[0]["registry_id"]
        for offset in "0123"
    ]
    assert found == ["a", "b", "c", "d"]
    store.close()


@pytest.mark.parametrize("text", ["-1", "ten", "1.5", "٣", "1" * 5000, " 1"])
def test_an_offset_that_is_no_number_in_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"^offset: not one number from 0 to 999999999$"):
        parse(DEVICES, [("offset", text)])


@pytest.mark.parametrize("listing", [DEVICES, ENTITIES], ids=lambda listing: listing.table)
@pytest.mark.parametrize("text", ["0", "-1", "ten", "1.5", "99999", "٣", "1" * 5000])
def test_a_limit_that_is_no_number_in_the_bounds_is_refused(listing: Listing, text: str) -> None:
    with pytest.raises(QueryError, match=f"^limit: .* from 1 to {listing.limit_max}$"):
        parse(listing, [("limit", text)])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([("domian", "light")], "domian: not one of limit, domain"),
        ([("domain", "light"), ("domain", "switch")], "domain: given more than once"),
        ([("has_aliases", "maybe")], "has_aliases: neither true nor false"),
        ([("limit", "1"), ("limit", "2")], "limit: "),
    ],
)
def test_an_invalid_query_is_refused(parameters: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(QueryError, match=f"^{words}"):
        parse(ENTITIES, parameters)


@given(
    name=st.sampled_from(["domain", "platform", "device_id", "area_id", "label", "alias"]),
    text=st.text(),
)
def test_no_text_in_a_query_can_break_it(store: MetadataStore, name: str, text: str) -> None:
    """Whatever it is, it is compared, and never part of a command."""
    found = ids(entities(store, (name, text)))
    assert not text or set(found) <= {"light.lamp", "light.plain", "sensor.power", "switch.plug"}
