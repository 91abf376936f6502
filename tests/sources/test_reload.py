"""A reload, a setup that fails and a stop in between: nothing that was received is lost."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

import custom_components.ha_ingestor as integration
from custom_components.ha_ingestor.coordinator import HealthCoordinator
from custom_components.ha_ingestor.destination import build
from custom_components.ha_ingestor.enrich.attribution import Attribution
from custom_components.ha_ingestor.enrich.describe import Describer
from custom_components.ha_ingestor.enrich.weather import WeatherWatch
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.sources.local import LocalSource
from tests.emulator import Emulator
from tests.shell import deliver, listeners, new_entry, points, set_up, until

ROOT = "custom_components.ha_ingestor"
BUFFER_EVENTS = f"{ROOT}.sources.reload_buffer.BUFFER_EVENTS"
BUFFER_BYTES = f"{ROOT}.sources.reload_buffer.BUFFER_BYTES"


def states(database: Emulator, entity_id: str = "sensor.a") -> list[Any]:
    return [point.fields.get("state") for point in points(database, entity_id)]


def rules(**effects: float) -> dict[str, Any]:
    rule = {"name": "A", "entities": ["sensor.a"], **effects}
    return {"noise": {"rules": [rule], "window": 0}}


async def ledger(entry: MockConfigEntry) -> dict[str, Any]:
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    return dict(snapshot.ledger)


def own(counts: dict[str, Any]) -> int:
    """How many were events of our own entities."""
    return int(counts["filtered"].get("own_entity", 0))


async def stop(hass: HomeAssistant) -> None:
    await hass.async_stop(force=True)


async def test_what_is_too_much_for_memory_during_a_reload_is_counted(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest state of each entity is there all the same."""
    monkeypatch.setattr(BUFFER_EVENTS, 50)
    await set_up(hass, entry)
    before = await ledger(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("sensor.rare", "once")
    for number in range(200):
        hass.states.async_set(f"sensor.s{number % 3}", str(number))
    assert await hass.config_entries.async_setup(entry.entry_id)
    after = await ledger(entry)
    await deliver(hass, entry)

    stored = [point.fields["state"] for point in points(database)]
    assert stored[0] == "once"
    assert stored[-3:] == ["197", "198", "199"]
    lost = after["lost"]["reload_gap"]
    assert lost > 0
    assert len(stored) + lost == 201
    assert after["received"] - before["received"] == 201 + own(after) - own(before)


async def test_few_huge_states_during_a_reload_do_not_fill_the_memory(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BUFFER_BYTES, 10_000)
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(30):
        hass.states.async_set("sensor.a", str(number), {"text": f"{number}" + "x" * 1000})
    assert await hass.config_entries.async_setup(entry.entry_id)
    lost = (await ledger(entry))["lost"]["reload_gap"]
    await deliver(hass, entry)

    assert 0 < lost < 30
    assert len(states(database)) == 30 - lost
    assert states(database)[-1] == "29"


async def test_other_events_that_are_too_many_for_a_reload_are_lost_and_those_of_excluded_are_not(
    hass: HomeAssistant, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With room for the states of our own entities, which are set during the reload.
    monkeypatch.setattr(BUFFER_EVENTS, 40)
    entry = MockConfigEntry(
        domain="ha_ingestor",
        data=new_entry(database.url).data,
        options={
            "events": {"types": ["doorbell"]},
            "filter": {"entities": ["sensor.excluded"]},
        },
    )
    await set_up(hass, entry)
    hass.states.async_set("sensor.excluded", "0")
    before = await ledger(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(50):
        hass.bus.async_fire("doorbell", {"number": number})
        hass.states.async_set("sensor.excluded", str(number + 1))
    assert await hass.config_entries.async_setup(entry.entry_id)
    after = await ledger(entry)
    await deliver(hass, entry)
    rung = [point.fields["data_number"] for point in points(database)]
    assert rung == list(range(50 - len(rung), 50))
    assert 0 < len(rung) < 40
    assert after["lost"] == {"reload_gap": 50 - len(rung)}
    assert after["filtered"]["excluded"] - before["filtered"]["excluded"] == 50


async def test_more_entities_than_a_reload_has_room_for_are_counted(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that were there before a first set-up that failed, and those that came since."""
    monkeypatch.setattr(BUFFER_EVENTS, 100)
    for number in range(150):
        hass.states.async_set(f"sensor.before_{number}", "1")
    entry.add_to_hass(hass)
    with monkeypatch.context() as failing:
        failing.setattr(WeatherWatch, "async_start", _fail_at_once)
        assert not await hass.config_entries.async_setup(entry.entry_id)
    for number in range(300):
        hass.states.async_set(f"sensor.after_{number}", "1")
    assert await hass.config_entries.async_reload(entry.entry_id)
    counts = await ledger(entry)
    await deliver(hass, entry)
    stored = [point.tags["entity_id"] for point in points(database)]
    assert 100 <= len(stored) <= 200
    assert stored == [f"sensor.after_{number}" for number in range(300 - len(stored), 300)]
    assert counts["lost"] == {"reload_gap": 450 - len(stored)}


async def test_events_of_a_reload_say_what_they_said_when_they_were_fired(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = MockConfigEntry(
        domain="ha_ingestor",
        data=new_entry(database.url).data,
        options={"events": {"types": ["doorbell"]}},
    )
    await set_up(hass, entry)
    data: dict[str, Any] = {"nested": {"list": []}}

    def ring(number: int) -> None:
        data["number"] = number
        data["nested"]["list"].append(number)
        hass.bus.async_fire("doorbell", data)

    ring(1)
    ring(2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    ring(3)
    ring(4)
    assert await hass.config_entries.async_setup(entry.entry_id)
    ring(5)
    await deliver(hass, entry)

    rung = [point for point in points(database) if point.tags["event_type"] == "doorbell"]
    assert [point.fields["data_number"] for point in rung] == [1, 2, 3, 4, 5]
    assert [point.fields["event_data"].count("[1") for point in rung] == [1] * 5
    lengths = [len(point.fields["event_data"]) for point in rung]
    assert lengths == sorted(set(lengths))


async def test_a_reload_that_takes_long_loses_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "0")
    freezer.tick()
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(1, 4):
        hass.states.async_set("sensor.a", str(number))
        freezer.tick(timedelta(minutes=10))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    assert states(database) == ["0", "1", "2", "3"]


async def test_an_entity_that_is_removed_in_a_reload_is_told_with_its_area(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Attic room")
    lamp = registry.async_get_or_create("light", "hue", "1").entity_id
    registry.async_update_entity(lamp, area_id=area.id)
    await set_up(hass, entry)
    hass.states.async_set(lamp, "on")
    assert await hass.config_entries.async_unload(entry.entry_id)
    registry.async_remove(lamp)
    hass.states.async_remove(lamp)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    last = points(database, lamp)[-1]
    assert last.tags["event_type"] == "entity_removed"
    assert last.tags["area_id"] == area.id


@pytest.mark.parametrize("clock", [timedelta(), timedelta(hours=-5)], ids=["right", "set back"])
async def test_of_the_time_while_it_was_disabled_the_newest_states_are_captured(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    freezer: FrozenDateTimeFactory,
    clock: timedelta,
) -> None:
    """Who disables a destination for a day does not want the day in memory."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.same", "same")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    hass.states.async_set("sensor.a", "one")
    freezer.tick(timedelta(hours=1))
    async_fire_time_changed(hass)
    freezer.tick(clock)
    hass.states.async_set("sensor.a", "two")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await deliver(hass, entry)
    assert states(database, "sensor.same") == ["same"]
    assert states(database) == ["two"]


async def _reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)


async def _disable_for_a_moment(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)


@pytest.mark.parametrize("again", [_reload, _disable_for_a_moment])
async def test_an_outage_after_a_reload_is_stored(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    again: Callable[[HomeAssistant, MockConfigEntry], Any],
) -> None:
    """Home Assistant was there all the time: what it sets now is no echo of its start."""
    await set_up(hass, entry)
    hass.states.async_set("light.a", "on", {"brightness": 1})
    await again(hass, entry)
    hass.states.async_set("light.a", "unavailable", {"restored": True})
    hass.states.async_set("light.a", "on", {"brightness": 1})
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database, "light.a") == ["on", "unavailable", "on"]
    assert "restart_echo" not in counts["filtered"]


async def test_what_is_throttled_outlives_a_reload_and_obeys_the_new_rules(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, rules(throttle=200))
    for number in range(3):
        hass.states.async_set("sensor.a", str(number))
    await _reload(hass, entry)
    hass.states.async_set("sensor.a", "3")
    held = await ledger(entry)
    assert states(database) == ["0"]
    assert held["filtered"]["throttled"] == 2

    hass.config_entries.async_update_entry(entry, options=rules(deadband=1))
    await hass.async_block_till_done()
    await until(lambda: states(database) == ["0", "3"])
    assert (await ledger(entry))["lost"] == {}


async def test_what_is_throttled_is_on_the_disk_when_home_assistant_stops_before_the_next_setup(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, rules(throttle=200))
    for number in range(3):
        hass.states.async_set("sensor.a", str(number))
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("sensor.b", "meanwhile")
    await stop(hass)
    assert states(database) == ["0", "2"]
    assert states(database, "sensor.b") == ["meanwhile"]


@pytest.mark.parametrize("before", [{}, rules(heartbeat=60), rules(deadband=1)], ids=str)
async def test_a_new_heartbeat_rule_works_for_an_entity_that_stays_silent(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, before: dict[str, Any]
) -> None:
    await set_up(hass, entry, before)
    hass.states.async_set("sensor.a", "21")
    await hass.async_block_till_done()
    hass.config_entries.async_update_entry(entry, options=rules(heartbeat=0.01))
    await hass.async_block_till_done()
    await until(partial(_flushed, entry, lambda: len(points(database, "sensor.a")) > 2))
    assert set(states(database)) == {"21"}
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""


async def test_a_heartbeat_rule_works_for_an_entity_that_was_excluded_before(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, {"filter": {"entities": ["sensor.a"]}})
    hass.states.async_set("sensor.a", "21")
    await ledger(entry)
    assert states(database) == []
    hass.config_entries.async_update_entry(entry, options=rules(heartbeat=0.01))
    await hass.async_block_till_done()
    await until(partial(_flushed, entry, lambda: states(database)[:2] == ["21", "21"]))


async def _flushed(entry: MockConfigEntry, condition: Callable[[], bool]) -> bool:
    """Deliver what there is, and look."""
    await entry.runtime_data.pipeline.flush()
    return condition()


async def _fail(*_: Any, **__: Any) -> Any:
    raise RuntimeError("this step fails")


def _fail_at_once(*_: Any, **__: Any) -> Any:
    raise RuntimeError("this step fails")


STEPS: dict[str, tuple[Any, str, Any]] = {
    "client": (integration, "async_client", _fail),
    "attribution": (Attribution, "_async_read_users", _fail),
    "catalog": (Describer, "describe", _fail_at_once),
    "profile": (build, "profile_of", _fail_at_once),
    "pipeline": (build, "NoiseFilterSettings", _fail_at_once),
    "coordinator": (HealthCoordinator, "__init__", _fail_at_once),
    "registries": (build, "async_registries", _fail),
    "history": (build, "history_of", _fail_at_once),
    "first refresh": (HealthCoordinator, "async_config_entry_first_refresh", _fail),
    "start": (Pipeline, "start", _fail_at_once),
    "metadata": (integration, "async_keep", _fail_at_once),
    "update listener": (MockConfigEntry, "add_update_listener", _fail_at_once),
    "weather": (WeatherWatch, "async_start", _fail_at_once),
    "source": (LocalSource, "_async_take_over", _fail_at_once),
    "heartbeats": (LocalSource, "_async_start_heartbeats", _fail),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_setup_that_fails_undoes_itself_and_loses_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """The harness itself fails for a task, a timer or a thread that is left."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("sensor.a", "2")
    unloaded = listeners(hass)

    with monkeypatch.context() as failing:
        failing.setattr(*STEPS[step])
        assert not await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert listeners(hass) == unloaded
    hass.states.async_set("sensor.a", "3")

    assert await hass.config_entries.async_reload(entry.entry_id)
    hass.states.async_set("sensor.a", "4")
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database) == ["1", "2", "3", "4"]
    assert counts["lost"] == {}


@pytest.mark.parametrize("step", [step for step in STEPS if step != "catalog"])
async def test_a_first_setup_that_fails_misses_nothing_of_what_is_there(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    hass.states.async_set("sensor.a", "1")
    entry.add_to_hass(hass)
    with monkeypatch.context() as failing:
        failing.setattr(*STEPS[step])
        assert not await hass.config_entries.async_setup(entry.entry_id)
    hass.states.async_set("sensor.b", "2")
    assert await hass.config_entries.async_reload(entry.entry_id)
    hass.states.async_set("sensor.a", "3")
    await deliver(hass, entry)
    assert (states(database), states(database, "sensor.b")) == (["1", "3"], ["2"])


async def test_a_final_write_during_an_unload_brings_everything_to_the_disk(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry, rules(throttle=200))
    for number in range(3):
        hass.states.async_set("sensor.a", str(number))
    stop_pipeline = Pipeline.stop

    async def stop_slowly(self: Pipeline, *, hand_over: bool = False) -> Any:
        if hand_over:
            hass.states.async_set("sensor.b", "meanwhile")
            hass.set_state(CoreState.final_write)
            hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
            await asyncio.sleep(0.1)
        return await stop_pipeline(self, hand_over=hand_over)

    monkeypatch.setattr(Pipeline, "stop", stop_slowly)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)
    assert states(database) == ["0", "2"]
    assert states(database, "sensor.b") == ["meanwhile"]


async def test_a_first_setup_whose_platforms_fail_can_be_repeated(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hass.states.async_set("sensor.a", "1")
    forward = hass.config_entries.async_forward_entry_setups

    async def forward_and_fail(*args: Any) -> None:
        await forward(*args)
        raise RuntimeError("this step fails")

    entry.add_to_hass(hass)
    with monkeypatch.context() as failing:
        failing.setattr(hass.config_entries, "async_forward_entry_setups", forward_and_fail)
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await deliver(hass, entry)
    assert states(database) == ["1"]


async def test_a_setup_that_ends_after_the_final_write_has_everything_on_the_disk(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hass.states.async_set("sensor.a", "1")
    refresh = HealthCoordinator.async_config_entry_first_refresh

    async def refresh_late(self: HealthCoordinator) -> None:
        hass.set_state(CoreState.final_write)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await asyncio.sleep(0.1)
        await refresh(self)

    monkeypatch.setattr(HealthCoordinator, "async_config_entry_first_refresh", refresh_late)
    await set_up(hass, entry)
    assert states(database) == ["1"]
    hass.states.async_set("sensor.a", "2")
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)
    assert states(database) == ["1"]


async def test_a_final_write_during_a_setup_that_hangs_brings_a_reload_to_the_disk(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("sensor.a", "2")
    go_on = asyncio.Event()

    async def hang(*_: Any) -> None:
        await go_on.wait()
        raise RuntimeError("no answer")

    with monkeypatch.context() as hanging:
        hanging.setattr(integration, "async_client", hang)
        setup = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
        await asyncio.sleep(0)
        hass.states.async_set("sensor.a", "3")
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await until(lambda: states(database) == ["1", "2", "3"])
        go_on.set()
        assert not await setup
        await hass.async_block_till_done()


async def test_a_final_write_while_the_states_are_captured_brings_all_of_them_to_the_disk(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(1_000):
        hass.states.async_set(f"sensor.s{number}", "1")
    catch_up, calls = LocalSource._catch_up, []

    def catch_up_and_stop(self: LocalSource, count: int) -> None:
        catch_up(self, count)
        calls.append(count)
        if len(calls) == 2:
            hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)

    monkeypatch.setattr(LocalSource, "_catch_up", catch_up_and_stop)
    await set_up(hass, entry)
    await until(lambda: len(points(database)) == 1_000)


async def test_what_happens_while_the_states_are_captured_is_captured_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """They are too many for one go: others run in between, and set states."""
    for number in range(1_500):
        hass.states.async_set(f"sensor.s{number}", "before")
    is_over = False

    async def change() -> None:
        count = 0
        while not is_over:
            hass.states.async_set(f"sensor.s{count % 1_500}", f"during {count}")
            count += 1
            await asyncio.sleep(0)
        hass.states.async_set("sensor.s0", "after")

    change_all = hass.async_create_background_task(change(), "changes")
    await set_up(hass, entry)
    is_over = True
    await change_all
    expected: dict[str, list[Any]] = {}
    await deliver(hass, entry)
    for point in points(database):
        expected.setdefault(point.tags["entity_id"], []).append(point.fields["state"])
    for entity_id, stored in expected.items():
        assert len(set(stored)) == len(stored), entity_id
    now = {state.entity_id: state.state for state in hass.states.async_all("sensor")}
    ours = {entity_id: stored[-1] for entity_id, stored in expected.items()}
    assert {key: now[key] for key in ours} == ours
    assert len(ours) == 1_500
    changes = sorted(
        int(text.split()[1]) for stored in expected.values() for text in stored if "during" in text
    )
    # From the first that a state was not the one before.
    assert changes[-1] - changes[0] + 1 == len(changes)


async def test_an_event_that_cannot_be_captured_is_counted_and_costs_no_other(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    describe = Describer.describe

    def describe_most(self: Any, entity_id: str) -> Any:
        if entity_id == "sensor.odd":
            raise RuntimeError("this entity is odd")
        return describe(self, entity_id)

    monkeypatch.setattr(Describer, "describe", describe_most)
    hass.states.async_set("sensor.odd", "1")
    hass.states.async_set("sensor.a", "1")
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database) == ["1"]
    assert counts["lost"] == {"internal_error": 1}


async def test_of_a_disabled_destination_nothing_comes_after_it_was_disabled(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    hass.states.async_set("sensor.a", "2")
    await stop(hass)
    assert states(database) == ["1"]


async def test_several_reloads_in_a_row_hand_on_what_waits(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, rules(throttle=300))
    for number in range(5):
        hass.states.async_set("sensor.a", str(number))
        hass.states.async_set("sensor.b", str(number))
        await _reload(hass, entry)
    counts = await ledger(entry)
    assert counts["filtered"]["throttled"] == 3
    assert counts["waiting"] == 1
    await stop(hass)
    assert states(database) == ["0", "4"]
    assert states(database, "sensor.b") == ["0", "1", "2", "3", "4"]


async def test_a_cause_is_known_that_ran_before_or_during_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    contexts = [Context(), Context()]
    ran = {"name": "Dusk", "entity_id": "automation.dusk"}
    hass.bus.async_fire("automation_triggered", ran, context=contexts[0])
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire("automation_triggered", ran, context=contexts[1])
    hass.states.async_set("light.a", "on", context=contexts[1])
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.states.async_set("light.a", "off", context=contexts[0])
    await deliver(hass, entry)
    stored = [point.fields.get("cause") for point in points(database, "light.a")]
    assert stored == ["automation.dusk"] * 2


async def test_a_removed_destination_leaves_nobody_who_listens(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    before = listeners(hass)
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    left = {
        name: count - before.get(name, 0)
        for name, count in listeners(hass).items()
        if count > before.get(name, 0)
    }
    # What Home Assistant itself listens to since the first entity was there.
    assert "state_changed" not in left


@pytest.mark.parametrize(
    "data",
    [
        {"entity_id": "sensor.odd"},
        {"new_state": None, "old_state": None},
        {"entity_id": ["sensor.a"], "new_state": None, "old_state": None},
        {"entity_id": "sensor.odd", "old_state": None, "new_state": {"state": "1"}},
        {},
    ],
)
@pytest.mark.parametrize("room", [20_000, 1])
async def test_an_event_that_is_no_change_of_a_state_is_counted_in_a_reload_too(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    data: dict[str, Any],
    room: int,
) -> None:
    """Whoever may fire events may call one `state_changed`."""
    monkeypatch.setattr(BUFFER_EVENTS, room)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    before = await ledger(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire("state_changed", data)
    hass.states.async_set("sensor.a", "2")
    await hass.config_entries.async_setup(entry.entry_id)
    counts = await ledger(entry)
    await deliver(hass, entry)
    received = [each["received"] - own(each) for each in (before, counts)]
    assert received[1] - received[0] == 2
    # In a buffer for one event, the newest state of one entity has room.
    assert states(database) == (["1"] if room == 1 else ["1", "2"])
