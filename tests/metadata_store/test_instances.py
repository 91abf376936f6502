"""Homes whose ids are equal are stored side by side, and none touches the rows of another."""

import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest

from custom_components.ha_ingestor.metadata_store import changes, schema
from custom_components.ha_ingestor.metadata_store.listings import ENTITIES
from custom_components.ha_ingestor.metadata_store.queries import parse
from custom_components.ha_ingestor.metadata_store.store import FILE, MetadataStore, SetAside
from custom_components.ha_ingestor.registry.model import Device, Home

from .homes import LAMP, NOON, devices, entities, entity, ids, look, minute

HERE = Home(
    devices=(LAMP,),
    entities=(entity("light.lamp", "1", device_id="d1"), entity("light.other", "2")),
    services={"light": {"turn_on": {}}},
)
# A copy of this home that went its own way.
CABIN = Home(
    devices=(Device(device_id="d1", name="Stove"),),
    entities=(
        entity("light.lamp", "1", device_id="d1", name="Porch"),
        entity("sensor.stove", "3", device_id="d1"),
    ),
)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Any:
    store = MetadataStore(tmp_path)
    store.sync(HERE, NOON)
    store.sync(CABIN, minute(1), "cabin")
    yield store
    store.close()


def test_rows_of_two_homes_with_equal_ids_are_kept_apart(store: MetadataStore) -> None:
    [lamp, _] = entities(store)
    [porch, stove] = entities(store, ("instance", "cabin"))
    assert (lamp["instance"], lamp["friendly_name"]) == (None, "Lamp")
    assert (porch["instance"], porch["friendly_name"]) == ("cabin", "Porch")
    assert stove["entity_id"] == "sensor.stove"
    assert (lamp["available_services"], porch["available_services"]) == (["light.turn_on"], None)
    assert [row["entity_count"] for row in devices(store, ("instance", "*"))] == [1, 2]
    assert [row["name"] for row in devices(store, ("instance", "*"), ("platform", "hue"))] == [
        "Lamp",
        "Stove",
    ]
    assert entities(store, ("instance", "boat")) == []


def test_pages_of_all_homes_have_every_row_once(store: MetadataStore) -> None:
    found = []
    for offset in range(5):
        query = [("instance", "*"), ("limit", "1"), ("offset", str(offset))]
        found += json.loads(store.answer(parse(ENTITIES, query), NOON))["entities"]
    assert [(row["instance"], row["entity_id"]) for row in found] == [
        (None, "light.lamp"),
        ("cabin", "light.lamp"),
        (None, "light.other"),
        ("cabin", "sensor.stove"),
    ]


def test_what_is_removed_and_renamed_in_one_home_stays_in_the_other(store: MetadataStore) -> None:
    store.sync(Home(entities=(entity("light.porch", "1"),)), minute(2), "cabin")
    assert ids(entities(store)) == ["light.lamp", "light.other"]
    assert len(devices(store)) == 1
    [porch, stove] = entities(store, ("instance", "cabin"), ("include_removed", "true"))
    assert (porch["entity_id"], porch["previous_entity_ids"]) == ("light.porch", ["light.lamp"])
    assert (stove["entity_id"], stove["removed_at"]) == (
        "sensor.stove",
        "2026-11-21T12:02:00.000+00:00",
    )
    assert entities(store)[0]["previous_entity_ids"] == []
    store.sync(Home(), minute(3))
    assert entities(store) == []
    assert ids(entities(store, ("instance", "cabin"))) == ["light.porch"]


def test_rows_of_a_home_that_is_not_connected_are_stale(store: MetadataStore) -> None:
    """And they were last seen when that home was last read."""

    def answered(*connected: str) -> list[Any]:
        query = parse(ENTITIES, [("instance", "*")])
        rows = json.loads(store.answer(query, minute(9), set(connected)))["entities"]
        return [(row["instance"], row["stale"], row["last_seen"]) for row in rows[:2]]

    store.sync(HERE, minute(5))
    here = (None, False, "2026-11-21T12:05:00.000+00:00")
    assert answered() == [here, ("cabin", True, "2026-11-21T12:01:00.000+00:00")]
    assert answered("cabin") == [here, ("cabin", False, "2026-11-21T12:01:00.000+00:00")]


def test_another_home_is_there_for_the_next_process(store: MetadataStore, tmp_path: Path) -> None:
    store.close()
    after = MetadataStore(tmp_path)
    [porch, _] = entities(after, ("instance", "cabin"))
    assert (porch["stale"], porch["last_seen"]) == (True, "2026-11-21T12:01:00.000+00:00")
    assert entities(after)[0]["last_seen"] == "2026-11-21T12:00:00.000+00:00"
    after.close()


def test_only_the_rows_of_homes_that_are_gone_are_deleted(
    store: MetadataStore, tmp_path: Path
) -> None:
    store.sync(CABIN, minute(2), "boat")
    store.sync(Home(entities=(entity("light.porch", "1"),)), minute(3), "cabin")
    store.keep_only({"boat"})
    assert [row["instance"] for row in entities(store, ("instance", "*"))] == [
        *(None, "boat"),
        *(None, "boat"),
    ]
    assert list(store.state.others) == ["boat"]
    for table in schema.TABLES:
        found = look(tmp_path, f"SELECT count(*) FROM {table} WHERE instance = 'cabin'")  # noqa: S608
        assert found == [(0,)], table
    store.keep_only(())
    assert ids(entities(store, ("instance", "*"))) == ["light.lamp", "light.other"]


def test_the_past_of_one_home_does_not_push_out_that_of_another(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "REMEMBERED", 2)
    store.sync(Home(entities=(entity("light.renamed", "1"),)), minute(2))
    for number in range(9):
        home = Home(
            entities=(entity(f"light.n{number}", f"n{number}"), entity(f"x.n{number}", "x"))
        )
        store.sync(home, minute(3 + number), "cabin")
    [other, renamed] = entities(store, ("include_removed", "true"))
    assert (other["entity_id"], renamed["previous_entity_ids"]) == ("light.other", ["light.lamp"])
    gone = entities(store, ("include_removed", "true"), ("instance", "cabin"))
    assert [row["entity_id"] for row in gone if row["removed_at"]] == ["light.n6", "light.n7"]


@pytest.mark.parametrize("instance", ["it's", '"', "é/\\", "%", "a; DROP TABLE syncs", "*x"])
def test_an_instance_has_any_name(store: MetadataStore, instance: str) -> None:
    store.sync(CABIN, NOON, instance)
    store.keep_only({"cabin", instance})
    assert {row["instance"] for row in entities(store, ("instance", instance))} == {instance}
    assert len(entities(store, ("instance", "*"))) == 6


def test_after_a_new_file_every_home_has_to_be_synced_again(
    store: MetadataStore, tmp_path: Path
) -> None:
    look(tmp_path, "DROP TABLE areas")
    state = store.sync(CABIN, minute(2), "cabin")
    assert state.aside is SetAside.DAMAGED
    assert state.synced_at is None
    assert state.of("cabin").synced_at == minute(2)
    assert ids(entities(store, ("instance", "*"))) == ["light.lamp", "sensor.stove"]
    assert store.sync(HERE, minute(3)).of("cabin").synced_at == minute(2)


def test_when_the_disk_takes_it_again_every_home_has_to_be_synced_again(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    store = MetadataStore(tmp_path)
    store.sync(HERE, NOON)
    state = store.sync(CABIN, NOON, "cabin")
    assert state.error
    assert state.synced_at == state.of("cabin").synced_at == NOON
    assert len(entities(store, ("instance", "*"))) == 4
    (tmp_path / FILE).rmdir()
    state = store.sync(HERE, minute(1))
    assert not state.error
    assert (state.synced_at, state.of("cabin").synced_at) == (minute(1), None)
    store.close()


@pytest.fixture(name="content", scope="module")
def _content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Write a file as the first version did."""
    path = tmp_path_factory.mktemp("first") / FILE
    db = sqlite3.connect(path)
    for statement in schema.MIGRATIONS[0]:
        db.execute(statement)
    row = '{"entity_id":"light.%s","domain":"light","labels":["x"],"aliases":[],"device_id":"d1"}'
    times = ("2026-11-01T00:00:00.000+00:00", "2026-11-02T00:00:00.000+00:00")
    for number in range(200):
        removed = "2026-11-03T00:00:00.000+00:00" if number % 2 else None
        db.execute(
            "INSERT INTO entities (id, data, first_seen, changed_at, last_seen, removed_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (f"r{number}", row % f"n{number:03}", *times, removed, removed),
        )
    db.execute("INSERT INTO renames VALUES ('r0', 'light.old', 'light.n000', ?)", times[1:])
    db.execute("INSERT INTO syncs VALUES ('2026-11-04T00:00:00.000+00:00')")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    return path.read_bytes()


@pytest.fixture(name="first_version")
def _first_version(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / FILE
    file.write_bytes(content)
    return file


def test_a_file_of_the_first_version_is_this_home_with_its_past(first_version: Path) -> None:
    store = MetadataStore(first_version.parent)
    found = entities(store, ("include_removed", "true"), ("label", "x"), ("device_id", "d1"))
    assert len(found) == 200
    assert (
        found[0].items()
        >= {
            "entity_id": "light.n000",
            "instance": None,
            "previous_entity_ids": ["light.old"],
            "first_seen": "2026-11-01T00:00:00.000+00:00",
            "timestamp": "2026-11-02T00:00:00.000+00:00",
            "last_seen": "2026-11-04T00:00:00.000+00:00",
            "removed_at": None,
        }.items()
    )
    assert found[1]["removed_at"] == found[1]["last_seen"] == "2026-11-03T00:00:00.000+00:00"
    assert store.state.aside is None
    store.close()
    assert look(first_version.parent, "PRAGMA user_version") == [(2,)]


@pytest.mark.parametrize("seed", range(15))
def test_a_damaged_file_of_the_first_version_is_put_right_by_the_next_sync(
    first_version: Path, seed: int
) -> None:
    chance = Random(seed)
    data = bytearray(first_version.read_bytes())
    start = chance.randrange(len(data))
    length = chance.choice([1, 16, 512, 4096])
    data[start : start + length] = chance.randbytes(min(length, len(data) - start))
    first_version.write_bytes(data)
    store = MetadataStore(first_version.parent)
    assert not store.sync(HERE, NOON).error
    store.sync(CABIN, NOON, "cabin")
    assert ids(entities(store)) == ["light.lamp", "light.other"]
    assert ids(entities(store, ("instance", "cabin"))) == ["light.lamp", "sensor.stove"]
    store.close()
