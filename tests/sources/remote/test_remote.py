"""What happens in another home is in the database once, with its own times and its own tags."""

import asyncio
import time
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.ha_ingestor.clients.homeassistant.errors import Problem
from custom_components.ha_ingestor.sources.reload_handover import RELOAD_HANDOVERS
from custom_components.ha_ingestor.sources.remote import link, registry_reader
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home, Refusal
from tests.shell import deliver, points, set_up, until
from tests.sources import rates

from .conftest import entry_with, remote
from .following import balanced, captured, connected, link_of

NOON = 1_795_262_400.0


def told(database: Emulator, entity_id: str | None = None) -> list[Any]:
    return [
        (point.tags["entity_id"], point.fields.get("state"), point.time / 1e9)
        for point in points(database, entity_id)
    ]


async def test_states_are_captured_with_their_own_times_and_tags(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.areas = [{"area_id": "attic", "name": "Attic", "floor_id": None}]
    home.devices = [{"id": "d1", "name": "Plug", "area_id": "attic", "manufacturer": "Shelly"}]
    home.register("sensor.power", device_id="d1", platform="shelly", entity_category="diagnostic")
    home.changing("sensor.power", "1", NOON, unit_of_measurement="W")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await home.set_state("sensor.power", "2.5", NOON + 60, context="ctx", unit_of_measurement="W")
    await captured(entry, 2)
    assert (await balanced(entry))["received"] == 2
    await deliver(hass, entry)

    first, second = points(database)
    assert (first.fields["state"], first.time) == ("1", int(NOON * 1e9))
    assert second.time == int((NOON + 60) * 1e9)
    assert second.tags == {
        "entity_id": "sensor.power",
        "domain": "sensor",
        "event_type": "state_changed",
        "event_category": "monitoring",
        "device_id": "d1",
        "area_id": "attic",
        "area": "Attic",
        "integration": "shelly",
        "location": "Cabin",
        "instance": "cabin",
    }
    expected = {
        "value": 2.5,
        "old_state": "1",
        "duration_in_state_seconds": 60.0,
        "context_id": "ctx",
        "manufacturer": "Shelly",
        "unit_of_measurement": "W",
    }
    assert expected.items() <= second.fields.items()


async def test_the_rate_of_this_home_is_without_the_events_of_the_other(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates.tell_soon(monkeypatch)
    home.changing("light.a", "on", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    for each in range(3):
        hass.states.async_set("sensor.here", str(each))
    await home.set_state("light.a", "off", NOON + 1)
    await captured(entry, 2)
    await rates.come_from_elsewhere(entry, 2)


async def test_changes_during_an_interruption_are_captured_each_once(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    for number in range(3):
        home.changing(f"sensor.s{number}", "0", NOON + number)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 3)
    await home.stop()
    home.changing("sensor.s0", "1", NOON + 10)
    home.changing("sensor.s1", "0", NOON + 11, unit="W")
    home.changing("sensor.new", "1", NOON + 12)
    home.removing("sensor.s2")
    await until(lambda: link_of(entry).health.state.failures >= 2)
    await home.start()
    await connected(entry, 2)
    await captured(entry, 7)
    await home.drop()
    await connected(entry, 3)
    await captured(entry, 7)
    ledger, state = await balanced(entry), link_of(entry).health.state
    await deliver(hass, entry)
    assert ledger["received"] == ledger["captured"] == 7
    assert told(database, "sensor.s0") == [("sensor.s0", "0", NOON), ("sensor.s0", "1", NOON + 10)]
    assert told(database, "sensor.s1")[1] == ("sensor.s1", "0", NOON + 11)
    assert told(database, "sensor.new") == [("sensor.new", "1", NOON + 12)]
    [_, removed] = points(database, "sensor.s2")
    assert removed.tags["event_type"] == "entity_removed"
    assert removed.fields["old_state"] == "0"
    assert state.successes == 3
    assert state.attempts == state.successes + state.failures
    assert state.reconnect_seconds is not None


async def test_a_burst_is_not_lost_when_the_connection_ends_in_it(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.register("light.a")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    # The registry event makes what is behind it wait, and then nobody answers any more.
    home.silent.add("config/entity_registry/get_entries")
    event = {"event_type": "entity_registry_updated", "data": {"action": "update"}}
    event["data"]["entity_id"] = "light.a"  # type: ignore[index]
    await home.fire("entity_registry_updated", event)
    await home.send(*(home.changing("light.a", str(each), NOON + each) for each in range(500)))
    await until(lambda: home.commands["config/entity_registry/get_entries"] >= 2)
    home.silent.clear()
    await home.drop()
    await connected(entry, 2)
    await captured(entry, 500)
    await deliver(hass, entry)
    assert [state for _, state, _ in told(database, "light.a")] == [str(n) for n in range(500)]


async def test_deliver_now_tries_to_connect_at_once(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    monkeypatch.setattr(link, "backoff", lambda *_: 3600.0)
    await home.drop()
    await until(lambda: link_of(entry).health.state.next_retry)
    await hass.services.async_call("ha_ingestor", "flush", blocking=True)
    await connected(entry, 2)


async def test_a_refused_token_is_presented_once(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    entry = entry_with(database, remote(home, token="revoked"))
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.state.is_given_up)
    await asyncio.sleep(0.3)
    # Neither a reload nor a try at once changes that.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    entry.runtime_data.remotes.async_try_now()
    await asyncio.sleep(0.2)
    assert home.logins == ["revoked"]
    await deliver(hass, entry)


async def test_a_token_that_is_revoked_ends_it_and_a_new_one_begins_again(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.changing("sensor.a", "1", NOON)
    subentry = remote(home)
    entry = entry_with(database, subentry)
    await set_up(hass, entry)
    await connected(entry)
    home.token = "new"
    await home.drop()
    await until(lambda: link_of(entry).health.state.is_given_up)
    home.changing("sensor.a", "2", NOON + 1)
    [stored] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, stored, data={**stored.data, "token": "new"})
    await hass.async_block_till_done()
    await connected(entry)
    await captured(entry, 1)
    assert home.logins == ["good", "good", "new"]
    await deliver(hass, entry)
    assert [state for _, state, _ in told(database)] == ["1", "2"]


async def test_after_so_many_failures_nothing_more_is_tried_if_that_was_wanted(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    await home.stop()
    entry = entry_with(database, remote(home, attempts=3))
    await set_up(hass, entry)
    health = link_of(entry).health
    await until(lambda: health.state.is_given_up)
    assert (health.state.attempts, health.state.failures) == (3, 3)
    await home.start()
    entry.runtime_data.remotes.async_try_now()
    await connected(entry)
    await deliver(hass, entry)


async def test_a_home_that_starts_is_followed_once_it_runs(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.state = "STARTING"
    home.changing("sensor.a", "unavailable", NOON, restored=True)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.state.is_waiting_for_start)
    assert not link_of(entry).health.state.connected
    home.changing("sensor.a", "1", NOON + 1)
    home.state = "RUNNING"
    await connected(entry)
    await captured(entry, 1)
    await deliver(hass, entry)
    assert told(database) == [("sensor.a", "1", NOON + 1)]


async def test_what_a_restart_there_sets_again_is_counted_and_not_written(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.changing("sensor.same", "1", NOON, unit="W")
    home.changing("sensor.other", "1", NOON + 1)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    await home.stop()
    home.states.clear()
    home.changing("sensor.same", "1", NOON + 100, unit="W")
    home.changing("sensor.other", "2", NOON + 101)
    await home.start()
    await connected(entry, 2)
    await captured(entry, 4)
    await home.set_state("sensor.same", "3", NOON + 200, unit="W")
    await captured(entry, 5)
    ledger = await balanced(entry)
    assert ledger["filtered"] == {"restart_echo": 1}
    await deliver(hass, entry)
    [_, changed] = points(database, "sensor.same")
    # It had this state since noon, whatever the restart says.
    assert changed.fields["duration_in_state_seconds"] == 200.0
    assert [state for _, state, _ in told(database, "sensor.other")] == ["1", "2"]


@pytest.mark.parametrize("is_restarted", [True, False])
async def test_after_a_restart_of_both_homes_only_what_is_different_is_written(
    hass: HomeAssistant, home: Home, database: Emulator, *, is_restarted: bool
) -> None:
    """Gaps are not filled, so only what was written before tells what is as before.

    So it is if the destination was disabled while the other home restarted.
    """
    home.changing("sensor.same", "1", NOON, unit="W")
    home.changing("sensor.other", "1", NOON + 1)
    entry = entry_with(database, remote(home), history={"gap_days": 0})
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    if is_restarted:
        # Another process knows only what is on the disk.
        hass.data[RELOAD_HANDOVERS].pop(entry.entry_id).async_drop()
    home.states.clear()
    home.changing("sensor.same", "1", NOON + 100, unit="W")
    home.changing("sensor.other", "2", NOON + 101)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    await connected(entry)
    await captured(entry, 2)
    await entry.runtime_data.pipeline.commit()
    ledger = await balanced(entry)
    assert ledger["filtered"] == {"restart_echo": 1}
    await deliver(hass, entry)
    assert told(database, "sensor.same") == [("sensor.same", "1", NOON)]
    [_, other] = points(database, "sensor.other")
    assert (other.fields["state"], other.fields["old_state"]) == ("2", "1")


async def test_our_own_entities_and_those_of_its_filter_are_left_out(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.register("sensor.points", platform="ha_ingestor")
    home.register("sensor.by_area", area_id="attic")
    for name in ("points", "by_area", "kept"):
        home.changing(f"sensor.{name}", "1", NOON)
    entry = entry_with(database, remote(home, filter={"areas": ["attic"]}))
    await set_up(hass, entry)
    hass.states.async_set("sensor.here", "1")
    await connected(entry)
    await captured(entry, 3)
    ledger = await balanced(entry)
    assert ledger["filtered"] == {"excluded": 1}
    await deliver(hass, entry)
    assert {entity_id for entity_id, _, _ in told(database)} == {"sensor.kept", "sensor.here"}


async def test_two_homes_with_the_same_entities_stay_apart(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    async with Home() as other:
        other.location = "Boat"
        home.changing("sensor.a", "1", NOON)
        other.changing("sensor.a", "1", NOON)
        entry = entry_with(database, remote(home), remote(other, "boat"), noise={"window": 3600})
        await set_up(hass, entry)
        hass.states.async_set("sensor.a", "1")
        await connected(entry)
        await until(lambda: link_of(entry, 1).health.events == 1)
        await until(lambda: link_of(entry, 0).health.events == 1)
        await deliver(hass, entry)
    found = {(point.tags.get("instance"), point.tags["location"]) for point in points(database)}
    assert found == {(None, "test home"), ("cabin", "Cabin"), ("boat", "Boat")}


async def test_what_happens_during_a_reload_is_captured_over_the_same_connection(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.changing("sensor.a", "0", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(1, 6):
        await home.set_state("sensor.a", str(number), NOON + number)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await captured(entry, 6)
    await home.set_state("sensor.a", "6", NOON + 6)
    await captured(entry, 7)
    assert home.logins == ["good"]
    await balanced(entry)
    await deliver(hass, entry)
    assert [state for _, state, _ in told(database)] == [str(number) for number in range(7)]


async def test_the_connection_to_a_removed_remote_home_is_closed(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    [subentry_id] = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    await until(lambda: not home.clients)
    assert entry.runtime_data.remotes.all == ()
    await deliver(hass, entry)


async def test_a_new_area_holds_for_the_events_behind_it(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.areas = [{"area_id": "attic", "name": "Attic"}, {"area_id": "cellar", "name": "Cellar"}]
    home.register("light.a", area_id="attic")
    home.changing("light.a", "on", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    home.register("light.a", area_id="cellar")
    fired = {
        "event_type": "entity_registry_updated",
        "data": {"action": "update", "entity_id": "light.a"},
        "time_fired": "2026-11-21T12:00:01+00:00",
        "context": {"id": "moved", "parent_id": None, "user_id": None},
    }
    await home.fire("entity_registry_updated", fired)
    await home.set_state("light.a", "off", NOON + 2)
    await captured(entry, 3)
    home.areas = [{"area_id": "attic", "name": "Attic"}, {"area_id": "cellar", "name": "Crypt"}]
    await home.fire("area_registry_updated", {"data": {"action": "update", "area_id": "cellar"}})
    await home.set_state("light.a", "on", NOON + 3)
    await captured(entry, 4)
    await deliver(hass, entry)
    states = [each for each in points(database) if each.tags["event_type"] == "state_changed"]
    assert [each.tags["area"] for each in states] == ["Attic", "Cellar", "Crypt"]
    [marker] = [each for each in points(database) if each.tags["event_type"] == "entity_moved"]
    assert marker.fields["old_area"] == "Attic"
    assert marker.fields["new_area"] == "Cellar"
    assert marker.fields["context_id"] == "moved"
    assert marker.time == int((NOON + 1) * 1e9)
    assert marker.tags["instance"] == "cabin"


async def test_an_entity_that_was_renamed_while_away_goes_on_under_its_new_name(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.register("light.before", id="uuid", area_id="attic")
    home.changing("light.before", "on", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    await home.stop()
    del home.entities["light.before"]
    home.removing("light.before")
    home.register("light.after", id="uuid", area_id="attic")
    home.changing("light.after", "on", NOON + 10)
    await home.start()
    await connected(entry, 2)
    await captured(entry, 4)
    await deliver(hass, entry)
    kinds = sorted(
        (point.tags["entity_id"], point.tags["event_type"], point.tags.get("area_id"))
        for point in points(database)
    )
    assert kinds == [
        ("light.after", "entity_renamed", None),
        ("light.after", "state_changed", "attic"),
        ("light.before", "entity_removed", "attic"),
        ("light.before", "state_changed", "attic"),
    ]


async def test_other_events_come_where_the_token_allows_it(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    def answer(asked: Any) -> Any:
        if asked["event_type"] == "call_service":
            raise Refusal(code="unauthorized")

    home.answers["subscribe_events"] = answer
    entry = entry_with(database, remote(home), events={"types": ["call_service", "my_event"]})
    await set_up(hass, entry)
    await connected(entry)
    event = {
        "event_type": "my_event",
        "data": {"entity_id": "light.nowhere", "level": 3},
        "time_fired": "2026-11-21T12:00:01+00:00",
        "context": {"id": "mine", "parent_id": None, "user_id": None},
    }
    await home.fire("my_event", event)
    await captured(entry, 1)
    await deliver(hass, entry)
    [point] = points(database)
    assert point.tags["event_type"] == "my_event"
    assert point.tags["instance"] == "cabin"
    assert point.tags["location"] == "Cabin"
    assert (point.fields["data_level"], point.fields["context_id"]) == (3.0, "mine")
    assert point.time == int((NOON + 1) * 1e9)


@pytest.mark.parametrize(
    "content", [{"c": {"sensor.never": {"+": {"s": "1"}}}}, {"a": 7}, "text", None]
)
async def test_what_cannot_be_understood_leads_to_a_new_snapshot(
    hass: HomeAssistant, home: Home, database: Emulator, content: Any
) -> None:
    home.changing("sensor.a", "1", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    home.changing("sensor.a", "2", NOON + 1)
    await home.send(content)
    await connected(entry, 2)
    await captured(entry, 2)
    await deliver(hass, entry)
    assert [state for _, state, _ in told(database)] == ["1", "2"]


@pytest.mark.parametrize(
    "case", list(product(["get_config", "auth/current_user"], [None, [], "text", 7]))
)
async def test_an_answer_of_another_kind_is_a_problem_of_the_other_home(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
    case: tuple[str, Any],
) -> None:
    command, answer = case
    home.answers[command] = lambda _: answer
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.state.failures)
    assert link_of(entry).health.state.problem is Problem.PROTOCOL
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("cause", ["automation.evening", None])
async def test_the_automation_behind_a_change_is_told_to_administrators(
    hass: HomeAssistant, home: Home, database: Emulator, cause: str | None
) -> None:
    home.is_admin = cause is not None
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    ran = {
        "event_type": "automation_triggered",
        "data": {"entity_id": "automation.evening", "name": "Evening"},
        "time_fired": "2026-11-21T12:00:01+00:00",
        "context": {"id": "run", "parent_id": None, "user_id": None},
    }
    await home.fire("automation_triggered", ran)
    await home.set_state("light.a", "on", NOON + 2, context="run")
    await captured(entry, 1)
    await deliver(hass, entry)
    [point] = points(database)
    assert point.fields.get("cause") == cause


async def test_after_a_start_only_what_is_newer_than_what_was_captured_comes(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    subentry = remote(home)
    data = {subentry.subentry_id: NOON}
    hass_storage["ha_ingestor.remotes"] = {"version": 1, "key": "ha_ingestor.remotes", "data": data}
    home.changing("sensor.before", "1", NOON - 1)
    home.changing("sensor.last", "1", NOON)
    home.changing("sensor.later", "1", NOON + 1)
    entry = entry_with(database, subentry)
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    await deliver(hass, entry)
    assert told(database) == [("sensor.later", "1", NOON + 1)]


@pytest.mark.parametrize("part", [None, 5, [], "x", {"there": 5, "gone": [None], "told": {"": ""}}])
async def test_damaged_files_of_remote_homes_do_not_keep_a_destination_from_its_start(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any], part: Any
) -> None:
    subentry = remote(home)
    for key in ("remotes", "remote_entities", "remote_removals"):
        data = {subentry.subentry_id: part, "": part}
        hass_storage[f"ha_ingestor.{key}"] = {"version": 1, "key": key, "data": data}
    home.changing("sensor.a", "1", NOON)
    entry = entry_with(database, subentry)
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)


async def test_what_changed_while_the_destination_was_disabled_is_captured(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    home.changing("sensor.a", "1", NOON)
    home.changing("sensor.b", "1", NOON + 1)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    by_user = ConfigEntryDisabler.USER
    await hass.config_entries.async_set_disabled_by(entry.entry_id, by_user)
    [subentry_id] = entry.subentries
    assert hass_storage["ha_ingestor.remotes"]["data"] == {subentry_id: NOON + 1}
    assert not home.clients
    # As before in the end, but not all the time.
    home.changing("sensor.a", "2", NOON + 10)
    home.changing("sensor.a", "1", NOON + 20)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    await connected(entry)
    await captured(entry, 1)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("sensor.a", "1", NOON), ("sensor.a", "1", NOON + 20)]
    assert len(points(database, "sensor.b")) == 1
    # Of a destination that is removed nothing is kept.
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass_storage["ha_ingestor.remotes"]["data"] == {}


async def test_up_to_when_a_home_was_captured_is_stored_after_it_is_safely_on_the_disk(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    home.changing("sensor.a", "1", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    [subentry_id] = entry.subentries
    now = dt_util.utcnow()
    async_fire_time_changed(hass, now + timedelta(seconds=6))
    await hass.async_block_till_done(wait_background_tasks=False)
    assert "ha_ingestor.remotes" not in hass_storage
    # The first soon, as a kill before that would leave no gap to be filled.
    async_fire_time_changed(hass, now + timedelta(seconds=12))
    await until(lambda: "ha_ingestor.remotes" in hass_storage)
    assert hass_storage["ha_ingestor.remotes"]["data"] == {subentry_id: NOON}
    await home.set_state("sensor.a", "2", NOON + 1)
    await captured(entry, 2)
    for seconds in (31, 62):
        assert hass_storage["ha_ingestor.remotes"]["data"] == {subentry_id: NOON}
        async_fire_time_changed(hass, now + timedelta(seconds=seconds))
        await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: hass_storage["ha_ingestor.remotes"]["data"] == {subentry_id: NOON + 1})
    await deliver(hass, entry)


def registry_event(action: str, entity_id: str, second: int, **more: Any) -> Any:
    return {
        "event_type": "entity_registry_updated",
        "data": {"action": action, "entity_id": entity_id, **more},
        "time_fired": f"2026-11-21T12:00:{second:02}+00:00",
        "context": {"id": f"at {second}", "parent_id": None, "user_id": None},
    }


async def test_in_a_burst_each_event_has_what_the_registry_said_at_its_time(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.areas = [{"area_id": name, "name": name.title()} for name in ("attic", "cellar", "roof")]
    home.register("light.a", id="uuid", area_id="attic", labels=[])
    home.changing("light.a", "0", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    kind = "entity_registry_updated"
    # All of this is over before the first question is answered.
    old = {"area_id": "attic", "labels": []}
    await home.fire(kind, registry_event("update", "light.a", 1, changes=old))
    await home.send(home.changing("light.a", "1", NOON + 2))
    await home.fire(kind, registry_event("update", "light.a", 3, changes={"area_id": "cellar"}))
    await home.send(home.changing("light.a", "2", NOON + 4))
    renamed = {"changes": {"entity_id": "light.a"}, "old_entity_id": "light.a"}
    await home.fire(kind, registry_event("update", "light.b", 5, **renamed))
    await home.send(home.removing("light.a"), home.changing("light.b", "3", NOON + 6))
    await home.fire(kind, registry_event("update", "light.b", 7, changes={"area_id": "roof"}))
    del home.entities["light.a"]
    home.register("light.b", id="uuid", area_id=None, labels=["loud"])
    await home.send(home.changing("light.b", "4", NOON + 8))
    await captured(entry, 10)
    await deliver(hass, entry)
    states = [
        (each.tags["entity_id"], each.fields.get("state"), each.tags.get("area_id"))
        for each in points(database)
        if each.tags["event_type"] in {"state_changed", "entity_removed"}
    ]
    assert states == [
        ("light.a", "0", "attic"),
        ("light.a", "1", "cellar"),
        ("light.a", "2", "roof"),
        ("light.a", None, "roof"),
        ("light.b", "3", "roof"),
        ("light.b", "4", None),
    ]
    moves = [
        (each.fields.get("old_area_id"), each.fields.get("new_area_id"), each.time)
        for each in points(database)
        if each.tags["event_type"] == "entity_moved"
    ]
    assert moves == [
        ("attic", "cellar", int((NOON + 1) * 1e9)),
        ("cellar", "roof", int((NOON + 3) * 1e9)),
        ("roof", None, int((NOON + 7) * 1e9)),
    ]
    [rename] = [each for each in points(database) if each.tags["event_type"] == "entity_renamed"]
    assert rename.time == int((NOON + 5) * 1e9)


async def test_with_the_connection_lost_no_registry_event_makes_the_others_wait(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.register("light.a")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    monkeypatch.setattr(registry_reader, "QUIET_SECONDS", 0.5)
    kind = "entity_registry_updated"
    for number in range(100):
        await home.fire(kind, registry_event("update", "light.a", 1, changes={"icon": "mdi:a"}))
        await home.send(home.changing("light.a", str(number), NOON + number))
    await until(lambda: link_of(entry).health.events > 0 or home.clients)
    await home.drop()
    await connected(entry, 2)
    await captured(entry, 100)
    await deliver(hass, entry)


async def test_a_home_that_hangs_does_not_delay_the_stop(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.greets = False
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await until(lambda: home.looks)
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert time.monotonic() - began < link.STOP_SECONDS - 1
