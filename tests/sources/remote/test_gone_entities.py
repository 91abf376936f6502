"""A gap asks also about entities that are gone when it ends."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.ha_ingestor.clients.homeassistant.states import Change, State
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.sources.remote import watermarks
from custom_components.ha_ingestor.sources.remote.entities import (
    GONE_MAX,
    Entities,
    StoredEntities,
)
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, points, set_up, until

from .conftest import entry_with, remote
from .following import balanced, connected, link_of
from .history import HISTORY, Recorder, filled_and_delivered, interrupted

MOMENTS = "ha_ingestor.remotes"
ENTITIES = "ha_ingestor.remote_entities"


def events(database: Emulator, entity_id: str) -> list[Any]:
    return [
        (each.tags["event_type"], each.fields.get("state"), each.fields.get("old_state"))
        for each in sorted(points(database, entity_id), key=lambda point: point.time)
    ]


def stored_before(
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    moment: float,
    *,
    there: Iterable[str] = (),
    gone: Iterable[str] = (),
) -> None:
    [subentry_id] = entry.subentries
    content = {"there": list(there), "gone": list(gone)}
    hass_storage[MOMENTS] = {"version": 1, "data": {subentry_id: moment}}
    hass_storage[ENTITIES] = {"version": 1, "data": {subentry_id: content}}


async def started(hass: HomeAssistant, home: Home, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: home.commands[HISTORY] > 0)
    await until(lambda: not link_of(entry).home.gaps)


async def test_what_was_gone_before_this_home_started_is_told_up_to_its_removal(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """The recorder there has one removal; another entity went with a restart."""
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.stays", "1", start - 1)
    names = ["sensor.removed", "sensor.went", "sensor.unchanged"]
    for name in names:
        recorder.wrote(name, "0", start - 50)
    for name in names[:2]:
        recorder.wrote(name, "1", start + 100)
        recorder.wrote(name, "2", start + 200)
    recorder.wrote("sensor.removed", "", start + 300)
    entry = entry_with(database, remote(home))
    stored_before(hass_storage, entry, start, there=["sensor.stays", "sensor.excluded", *names])
    await started(hass, home, entry)
    ledger = await balanced(entry)
    assert link_of(entry).health.state.unfillable == 0
    await deliver(hass, entry)
    for name in names[:2]:
        assert events(database, name) == [
            ("state_changed", "1", "0"),
            ("state_changed", "2", "1"),
            ("entity_removed", None, "2"),
        ]
    assert events(database, "sensor.unchanged") == [("entity_removed", None, "0")]
    assert events(database, "sensor.excluded") == []
    removed = max(point.time for point in points(database, "sensor.removed"))
    assert removed == pytest.approx((start + 300) * 1e9, abs=1000)
    assert ledger["received"] == ledger["captured"] == ledger["recovered"] == 7


async def test_what_was_told_to_be_gone_is_not_told_again(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """Its recorder knows nothing of a removal when the home was killed."""
    recorder, start = Recorder(home), time.time() - 1000
    recorder.wrote("sensor.gone", "0", start - 50)
    recorder.wrote("sensor.again", "0", start - 50)
    recorder.wrote("sensor.again", "1", start + 50)
    home.changing("sensor.stays", "1", start - 1)
    home.changing("sensor.back", "1", start + 60)
    recorder.wrote("sensor.back", "1", start + 60)
    entry = entry_with(database, remote(home))
    gone = ["sensor.gone", "sensor.again", "sensor.back"]
    stored_before(hass_storage, entry, start, there=["sensor.stays"], gone=gone)
    await started(hass, home, entry)
    await balanced(entry)
    await deliver(hass, entry)
    assert events(database, "sensor.gone") == []
    assert [state for _, state, _ in events(database, "sensor.again")] == ["1", None]
    assert events(database, "sensor.back") == [("state_changed", "1", None)]


async def test_what_came_back_and_went_again_in_an_interruption_is_told(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.stays", "1", start)
    home.changing("sensor.a", "0", start + 1)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 2)
    await home.send(home.removing("sensor.a"))
    await until(lambda: link_of(entry).health.events >= 3)
    await home.stop()
    # Between what was captured and now.
    recorder.wrote("sensor.a", "1", start + 100)
    recorder.wrote("sensor.a", "", start + 200)
    ledger = await filled_and_delivered(hass, home, entry)
    found = [state for _, state, _ in events(database, "sensor.a")]
    assert sorted(found, key=str) == ["0", "1", None, None]
    assert ledger["recovered"] == 2


async def test_a_removal_that_is_not_told_yet_is_told_after_a_restart(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    start = time.time() - 1000
    home.changing("sensor.a", "0", start)
    home.changing("sensor.b", "0", start)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 2)
    home.removing("sensor.a")
    home.silent.add(HISTORY)
    await home.start()
    await connected(entry, 2)
    await until(lambda: bool(link_of(entry).home.gaps))
    there = frozenset({"sensor.a", "sensor.b"})
    assert link_of(entry).home.stored_entities() == StoredEntities(there=there)


async def test_the_entities_of_a_home_are_stored_when_they_change(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    start = time.time() - 1000
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 1)
    [subentry_id] = entry.subentries
    passed = 0.0

    async def wait(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=passed))
        await hass.async_block_till_done(wait_background_tasks=False)

    def content() -> Any:
        return hass_storage[ENTITIES]["data"].get(subentry_id)

    await wait(6)
    await until(lambda: ENTITIES in hass_storage)
    assert content() == {"there": ["sensor.a"], "gone": []}
    # As it is not written again, it stays away.
    del hass_storage[ENTITIES]
    await home.set_state("sensor.a", "1", start + 1)
    await until(lambda: link_of(entry).health.events >= 2)
    await wait(60)
    assert ENTITIES not in hass_storage
    await home.set_state("sensor.b", "1", start + 2)
    await until(lambda: link_of(entry).health.events >= 3)
    await wait(6)
    await until(lambda: ENTITIES in hass_storage)
    assert content() == {"there": ["sensor.a", "sensor.b"], "gone": []}
    await home.send(home.removing("sensor.a"))
    await until(lambda: link_of(entry).health.events >= 4)
    await wait(60)
    await until(lambda: content()["gone"] == ["sensor.a"])
    assert content()["there"] == ["sensor.b"]
    await deliver(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    assert content() is None


def test_only_the_newest_removed_entities_are_remembered() -> None:
    entities, names = Entities(), [f"sensor.s{number}" for number in range(GONE_MAX + 2)]
    for name in names:
        old = State(
            entity_id=name,
            state="1",
            attributes={},
            last_changed_timestamp=1.0,
            last_updated_timestamp=1.0,
            context=None,  # type: ignore[arg-type]
        )
        entities.note(Change(name, old, None))
    assert entities.stored(()).gone == tuple(names[2:])


async def test_only_an_entity_that_comes_while_it_is_watched_is_known_to_be_added(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = time.time() - 1000
    home.changing("sensor.there", "0", start)
    entry = entry_with(database, remote(home))
    added: list[tuple[str, bool]] = []
    offer = Pipeline.offer

    def watched(self: Pipeline, event: Any) -> None:
        added.append((event.entity.entity_id, event.is_added))
        offer(self, event)

    monkeypatch.setattr(Pipeline, "offer", watched)
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 1)
    await home.set_state("sensor.comes", "1", start + 1)
    await home.set_state("sensor.comes", "2", start + 2)
    await until(lambda: link_of(entry).health.events >= 3)
    await deliver(hass, entry)
    found = [each for each in added if each[0] in {"sensor.there", "sensor.comes"}]
    assert found == [("sensor.there", False), ("sensor.comes", True), ("sensor.comes", False)]


async def test_what_is_new_when_a_gap_ends_is_stored_before_the_gap_is_filled(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kill before that, and its removal there, would leave nobody who asks about it."""
    monkeypatch.setattr(watermarks, "FIRST_SECONDS", 3600.0)
    for interval in ("INTERVAL", "NEW_ENTITIES"):
        monkeypatch.setattr(watermarks, interval, timedelta(hours=1))
    Recorder(home)
    start = time.time() - 1000
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 1)
    home.changing("sensor.new", "0", start + 100)
    home.silent.add(HISTORY)
    await home.start()
    await connected(entry, 2)
    await until(lambda: bool(link_of(entry).home.gaps))
    await until(lambda: ENTITIES in hass_storage)
    [subentry_id] = entry.subentries
    stored = hass_storage[ENTITIES]["data"][subentry_id]
    assert stored["there"] == ["sensor.a", "sensor.new"]
