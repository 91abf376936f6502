"""The store says what the registries say, and remembers what they said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_components.ha_ingestor.metadata_store import changes
from custom_components.ha_ingestor.metadata_store.store import FILE, MetadataStore
from custom_components.ha_ingestor.registry.model import Area, Floor, Home, Label

from .homes import LAMP, NOON, burst, devices, entities, entity, ids, look, minute

ISO_NOON = "2026-11-21T12:00:00.000+00:00"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = MetadataStore(tmp_path)
    yield store
    store.close()


def test_what_was_synced_is_there_for_the_next_process(tmp_path: Path) -> None:
    home = Home(
        devices=(LAMP,),
        entities=(entity("light.lamp", device_id="d1"),),
        areas=(Area(area_id="kitchen", name="Kitchen", floor_id="ground"),),
        floors=(Floor(floor_id="ground", name="Ground", level=0),),
        labels=(Label(label_id="old", name="Old"),),
    )
    first = MetadataStore(tmp_path)
    assert first.sync(home, NOON).changes.added == 5
    first.close()
    second = MetadataStore(tmp_path)
    assert ids(entities(second)) == ["light.lamp"]
    assert devices(second)[0]["last_seen"] == ISO_NOON
    second.close()
    for table, name in (("areas", "Kitchen"), ("floors", "Ground"), ("labels", "Old")):
        assert look(tmp_path, f"SELECT data ->> 'name' FROM {table}") == [(name,)]  # noqa: S608


def test_a_change_is_dated_and_the_first_time_stays(store: MetadataStore) -> None:
    store.sync(Home(entities=(entity("light.a"), entity("light.b"))), NOON)
    store.sync(Home(entities=(entity("light.a", name="Desk"), entity("light.b"))), minute(1))
    changed, other = entities(store)
    assert (changed["friendly_name"], changed["first_seen"]) == ("Desk", ISO_NOON)
    assert changed["timestamp"] == "2026-11-21T12:01:00.000+00:00"
    assert other["timestamp"] == ISO_NOON
    assert store.state.changes == changes.Changes(changed=1)


def test_what_is_removed_is_remembered_with_when_it_was_last_seen(store: MetadataStore) -> None:
    store.sync(Home(entities=(entity("light.a"), entity("light.b"))), NOON)
    store.sync(Home(entities=(entity("light.a"), entity("light.b"))), minute(1))
    store.sync(Home(entities=(entity("light.a"),)), minute(2))
    store.sync(Home(entities=(entity("light.a"),)), minute(3))
    assert ids(entities(store)) == ["light.a"]
    gone = entities(store, ("include_removed", "true"))[1]
    assert gone["removed_at"] == "2026-11-21T12:02:00.000+00:00"
    assert gone["last_seen"] == "2026-11-21T12:01:00.000+00:00"


def test_a_device_that_comes_back_keeps_when_it_was_first_seen(store: MetadataStore) -> None:
    home = Home(devices=(LAMP,))
    store.sync(home, NOON)
    store.sync(Home(), minute(1))
    assert devices(store) == []
    assert store.sync(home, minute(2)).changes == changes.Changes(returned=1)
    back = devices(store)[0]
    assert (back["first_seen"], back["removed_at"]) == (ISO_NOON, None)
    assert back["last_seen"] == "2026-11-21T12:02:00.000+00:00"


def test_a_renamed_entity_is_the_same_entity(store: MetadataStore, tmp_path: Path) -> None:
    """Two that swap their names in one sync are the hard case."""
    store.sync(Home(entities=(entity("light.a", "1"), entity("light.b", "2"))), NOON)
    state = store.sync(Home(entities=(entity("light.b", "1"), entity("light.a", "2"))), minute(1))
    assert state.changes == changes.Changes(changed=2, renamed=2)
    a, b = entities(store)
    assert (a["registry_id"], a["previous_entity_ids"]) == ("2", ["light.b"])
    assert (b["registry_id"], b["previous_entity_ids"]) == ("1", ["light.a"])
    assert look(
        tmp_path,
        "SELECT registry_id, old_entity_id, new_entity_id, renamed_at FROM renames "
        "ORDER BY registry_id",
    ) == [
        ("1", "light.a", "light.b", "2026-11-21T12:01:00.000+00:00"),
        ("2", "light.b", "light.a", "2026-11-21T12:01:00.000+00:00"),
    ]


def test_an_entity_that_took_the_name_of_a_removed_one_is_another(store: MetadataStore) -> None:
    store.sync(Home(entities=(entity("light.a", "1"),)), NOON)
    store.sync(Home(entities=(entity("light.a", "2"),)), minute(1))
    assert [row["registry_id"] for row in entities(store)] == ["2"]
    both = entities(store, ("include_removed", "true"))
    assert {row["registry_id"]: row["removed_at"] is None for row in both} == {
        "1": False,
        "2": True,
    }


def test_a_sync_that_finds_nothing_new_writes_nothing(store: MetadataStore, tmp_path: Path) -> None:
    """Flash memory wears out; but at intervals the time is written down."""
    home = burst(20)
    store.sync(home, NOON)
    size = (tmp_path / f"{FILE}-wal").stat().st_size
    for number in range(1, 100):
        store.sync(home, minute(number))
    assert (tmp_path / f"{FILE}-wal").stat().st_size == size
    assert entities(store)[0]["last_seen"] == "2026-11-21T13:39:00.000+00:00"
    store.sync(home, NOON + changes.NOTED_EVERY)
    assert (tmp_path / f"{FILE}-wal").stat().st_size > size


def test_a_changed_entity_does_not_write_the_others(store: MetadataStore, tmp_path: Path) -> None:
    home = burst(2000)
    store.sync(home, NOON)
    store.close()
    store.sync(home, NOON)
    before = (tmp_path / f"{FILE}-wal").stat().st_size
    first, *others = home.entities
    store.sync(replace(home, entities=(replace(first, name="New"), *others)), minute(1))
    assert (tmp_path / f"{FILE}-wal").stat().st_size - before < 100_000


def test_only_the_newest_removals_and_renames_are_remembered(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(changes, "REMEMBERED", 3)
    for number in range(10):
        store.sync(
            Home(entities=(entity(f"light.n{number}"), entity(f"light.x{number}", "x"))),
            minute(number),
        )
    removed = look(tmp_path, "SELECT entity_id FROM entities WHERE removed_at IS NOT NULL")
    assert {name for (name,) in removed} == {"light.n6", "light.n7", "light.n8"}
    renames = look(tmp_path, "SELECT new_entity_id FROM renames")
    assert [name for (name,) in renames] == ["light.x7", "light.x8", "light.x9"]


def test_a_value_that_orjson_refuses_is_stored_all_the_same(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    store.sync(Home(entities=(entity("light.a", options={"n": 2**70}),)), NOON)
    assert entities(store)[0]["options"] == {"n": 2**70}
    store.close()
