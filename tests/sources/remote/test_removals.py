"""The removal of an entity of another home is told once, also after a kill of this one.

Its time is not sent: the point has the time at which it was heard, the recorder there another one.
"""

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.pipeline.model import StateEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.sources.remote.removals import REMOVALS_MAX, RemovalTimes
from custom_components.ha_ingestor.sources.remote.watermarks import WATERMARKS
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, points, set_up, until

from .conftest import entry_with, remote
from .following import balanced, connected, link_of
from .history import HISTORY, Recorder, filled
from .test_gone_entities import events, started, stored_before

REMOVALS = "ha_ingestor.remote_removals"
CHANGED, REMOVED = "state_changed", "entity_removed"


def moments(database: Emulator, entity_id: str) -> list[float]:
    return sorted(point.time / 1e9 for point in points(database, entity_id))


def stored_removals(
    hass_storage: dict[str, Any], entry: MockConfigEntry, *removals: tuple[str, float]
) -> None:
    [subentry_id] = entry.subentries
    content = {subentry_id: [list(each) for each in removals]}
    hass_storage[REMOVALS] = {"version": 1, "data": content}


async def test_each_removal_that_an_earlier_process_captured_has_its_time_again(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.stays", "1", start - 1)
    names = ["sensor.twice", "sensor.far", "sensor.new"]
    for name in names:
        recorder.wrote(name, "0", start - 50)
        recorder.wrote(name, "", start + 100)
    # It came back, and went once more.
    recorder.wrote("sensor.twice", "1", start + 101)
    recorder.wrote("sensor.twice", "", start + 102)
    # The second one happened while nobody listened.
    recorder.wrote("sensor.new", "1", start + 101)
    recorder.wrote("sensor.new", "", start + 101.5)
    # One is there.
    for state, at in (("0", -50), ("", 100), ("1", 101)):
        recorder.wrote("sensor.back", state, start + at)
    home.changing("sensor.back", "1", start + 101)
    entry = entry_with(database, remote(home))
    there = ["sensor.stays", "sensor.back"]
    stored_before(hass_storage, entry, start, there=there, gone=names)
    stored_removals(
        hass_storage,
        entry,
        ("sensor.back", start + 100.7),
        ("sensor.twice", start + 100.7),
        ("sensor.new", start + 100.7),
        ("sensor.twice", start + 102.1),
        ("sensor.far", start + 110),
        ("sensor.unknown", 1.0),
    )
    await started(hass, home, entry)
    await balanced(entry)
    await deliver(hass, entry)
    assert events(database, "sensor.twice") == [
        (REMOVED, None, "0"),
        (CHANGED, "1", None),
        (REMOVED, None, "1"),
    ]
    expected = {
        "sensor.twice": [100.7, 101.0, 102.1],
        "sensor.far": [100.0],
        "sensor.new": [100.7, 101.0, 101.5],
        "sensor.back": [100.7, 101.0],
    }
    for name, seconds in expected.items():
        assert moments(database, name) == pytest.approx(
            [start + each for each in seconds], abs=1e-5
        )


async def test_a_removal_that_the_recorder_there_lacks_has_its_time_again(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """Both homes were killed; what was stored of the entities is older than the removal."""
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.stays", "1", start - 1)
    names = ["sensor.known", "sensor.gone", "sensor.later", "sensor.before"]
    for name in names:
        recorder.wrote(name, "0", start - 50)
    recorder.wrote("sensor.later", "1", start + 200)
    entry = entry_with(database, remote(home))
    there, gone = ["sensor.stays", "sensor.known", "sensor.later"], ["sensor.gone", "sensor.before"]
    stored_before(hass_storage, entry, start, there=there, gone=gone)
    told = [(name, start + 100) for name in names[:3]]
    stored_removals(hass_storage, entry, *told, ("sensor.before", start - 2))
    await started(hass, home, entry)
    await balanced(entry)
    await deliver(hass, entry)
    for name in names[:2]:
        assert events(database, name) == [(REMOVED, None, "0")]
        assert moments(database, name) == pytest.approx([start + 100], abs=1e-5)
    # It came back.
    assert events(database, "sensor.later") == [(CHANGED, "1", "0"), (REMOVED, None, "1")]
    assert moments(database, "sensor.later")[1] > start + 900
    assert events(database, "sensor.before") == []


async def killed(
    hass: HomeAssistant,
    home: Home,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    happens: Callable[[], None] = lambda: None,
) -> None:
    """Go on as after a kill: with what is on the disk now, and nothing that a stop stores."""
    on_disk = deepcopy(hass_storage)
    await hass.config_entries.async_unload(entry.entry_id)
    await home.stop()
    hass_storage.clear()
    hass_storage.update(on_disk)
    del hass.data[WATERMARKS]
    happens()
    await home.start()
    asked = home.commands[HISTORY]
    await hass.config_entries.async_setup(entry.entry_id)
    await connected(entry)
    await until(lambda: home.commands[HISTORY] > asked)
    await until(lambda: not link_of(entry).home.gaps)


async def test_removals_that_are_delivered_before_a_kill_are_told_once(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """The moment on the disk is older, so the history is read again."""
    recorder, start = Recorder(home), time.time() - 30
    names = ["sensor.a", "sensor.b", "sensor.twice"]
    home.changing("sensor.stays", "1", start)
    for name in names:
        home.changing(name, "0", start + 1)
        recorder.wrote(name, "0", start + 1)
    entry = entry_with(database, remote(home))
    stored_before(hass_storage, entry, start + 2, there=["sensor.stays", *names])
    await set_up(hass, entry)
    await connected(entry)
    await home.send(*(home.removing(name) for name in names))
    removed = time.time() - 0.4
    await home.set_state("sensor.twice", "1", removed + 0.2)
    await home.send(home.removing("sensor.twice"))
    await until(lambda: link_of(entry).health.events >= 5)
    await deliver(hass, entry)
    told = {name: moments(database, name) for name in names}
    assert [len(each) for each in told.values()] == [1, 1, 3]
    for name in names:
        recorder.wrote(name, "", removed)
    recorder.wrote("sensor.twice", "1", removed + 0.2)
    recorder.wrote("sensor.twice", "", removed + 0.3)
    await killed(hass, home, entry, hass_storage)
    await balanced(entry)
    await deliver(hass, entry)
    for name in names:
        assert set(moments(database, name)) == set(told[name])


async def test_a_removal_is_on_the_disk_before_it_is_captured(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also one that is seen at the end of a gap."""
    recorder, start = Recorder(home), time.time() - 1000
    names = [f"sensor.s{number}" for number in range(5)]
    for name in ("sensor.stays", *names, "sensor.missed"):
        home.changing(name, "0", start)
    recorder.wrote("sensor.missed", "0", start)
    entry = entry_with(database, remote(home))
    [subentry_id] = entry.subentries
    offer, on_disk = Pipeline.offer, dict[str, bool]()

    def stored(entity_id: str, moment: float) -> bool:
        content = hass_storage.get(REMOVALS, {"data": {}})["data"].get(subentry_id, ())
        return [entity_id, moment] in content

    def watched(self: Pipeline, event: Any) -> None:
        if isinstance(event, StateEvent) and event.new is None:
            name = event.entity.entity_id
            on_disk[name] = stored(name, event.time)
        offer(self, event)

    monkeypatch.setattr(Pipeline, "offer", watched)
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 7)
    await home.send(*(home.removing(name) for name in names))
    await until(lambda: link_of(entry).health.events >= 12)
    assert on_disk == dict.fromkeys(names, True)
    await home.stop()
    home.removing("sensor.missed")
    await filled(entry, home)
    await balanced(entry)
    await deliver(hass, entry)
    assert events(database, "sensor.missed") == [(CHANGED, "0", None), (REMOVED, None, "0")]
    _, moment = moments(database, "sensor.missed")
    content = hass_storage[REMOVALS]["data"][subentry_id]
    assert ["sensor.missed", pytest.approx(moment, abs=1e-5)] in content


async def test_a_removal_that_is_not_captured_is_not_stored(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    home.changing("sensor.a", "0", time.time() - 100)
    home.changing("light.excluded", "0", time.time() - 100)
    entry = entry_with(database, remote(home, filter={"domains": ["light"]}))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 2)
    await home.send(home.removing("light.excluded"))
    await home.send(home.removing("sensor.a"))
    await until(lambda: link_of(entry).health.events >= 4)
    [subentry_id] = entry.subentries
    stored = [name for name, _ in hass_storage[REMOVALS]["data"][subentry_id]]
    assert stored == ["sensor.a"]


async def test_a_removal_is_not_before_the_last_state_and_stored_so(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    """The clock there is a moment ahead, which nobody sees."""
    later = time.time() + 30
    home.changing("sensor.a", "0", later)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 1)
    await home.send(home.removing("sensor.a"))
    await until(lambda: link_of(entry).health.events >= 2)
    [[name, moment]] = link_of(entry).home.removals.content()
    assert (name, moment) == ("sensor.a", pytest.approx(later, abs=1e-5))
    await deliver(hass, entry)
    assert events(database, "sensor.a") == [(CHANGED, "0", None), (REMOVED, None, "0")]
    assert moments(database, "sensor.a") == pytest.approx([later, later], abs=1e-5)


def test_times_are_bounded_and_forgotten_once_they_are_never_read_again() -> None:
    removals = RemovalTimes()
    for number in range(REMOVALS_MAX + 2):
        removals.note(f"sensor.s{number}", 100.0 + number)
    assert len(removals.content()) == REMOVALS_MAX
    removals.forget_before(REMOVALS_MAX + 101)
    assert [name for name, _ in removals.content()] == [
        f"sensor.s{number}" for number in range(REMOVALS_MAX - 2, REMOVALS_MAX + 2)
    ]


def test_of_a_damaged_file_as_much_is_read_as_there_is() -> None:
    removals = RemovalTimes()
    for content in (None, {"a": 1}, 7, "text"):
        removals.load(content)
    assert removals.content() == []
    infinite = ["sensor.a", float("inf")]
    removals.load([["sensor.a", 1], ["sensor.b", "2"], [3, 4.0], infinite, None, ["sensor.c", 5.5]])
    assert removals.of(["sensor.a", "sensor.b", "sensor.c"]) == {
        "sensor.a": [1.0],
        "sensor.c": [5.5],
    }
