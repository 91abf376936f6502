"""What happened while a destination was not loaded is filled in out of the recorder, once."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.ha_ingestor.sources.recorder import gaps, reader, recovery, rows
from tests.emulator import Emulator
from tests.shell import Point, deliver, points, set_up, spool_path, until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause between pages."""
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    state = hass.states.get(entity_id)
    assert state
    return state


async def disable(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Disable an entry, and let so much time pass that its buffer is dropped."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=2))
    await hass.async_block_till_done()


async def enable(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Enable an entry, and wait until its gaps are filled."""
    await async_wait_recording_done(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    await filled(entry)


async def filled(entry: MockConfigEntry) -> None:
    task = entry.runtime_data.recovery._task
    await until(task.done)


async def capture_and_disable(
    hass: HomeAssistant, entry: MockConfigEntry, *entity_ids: str
) -> None:
    """Capture the state 0 of each entity, by default of one, and disable the destination."""
    await set_up(hass, entry)
    await filled(entry)
    for entity_id in entity_ids or ("sensor.a",):
        hass.states.async_set(entity_id, "0")
    await hass.async_block_till_done()
    await disable(hass, entry)


def in_time_order(database: Emulator, entity_id: str = "sensor.a") -> list[Point]:
    """Return the points of an entity in the order of their times."""
    return sorted(points(database, entity_id), key=lambda point: point.time)


def states_stored(database: Emulator, entity_id: str = "sensor.a") -> list[str]:
    """Return what is stored of an entity in the order of time."""
    return [str(point.fields["state"]) for point in in_time_order(database, entity_id)]


async def ledger(entry: MockConfigEntry) -> dict[str, Any]:
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    return dict(snapshot.ledger)


async def test_every_change_while_the_options_could_not_be_read_is_stored_once(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "0")
    await hass.async_block_till_done()
    good = dict(entry.options)
    await disable(hass, entry)
    hass.config_entries.async_update_entry(entry, options={**good, "filter": "unreadable"})
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    for number in range(1, 4):
        hass.states.async_set("sensor.a", str(number))
        await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    hass.config_entries.async_update_entry(entry, options=good)
    await hass.config_entries.async_reload(entry.entry_id)
    await filled(entry)
    await deliver(hass, entry)

    assert [point.fields["state"] for point in in_time_order(database)] == list("0123")


async def test_every_change_while_a_destination_was_disabled_is_stored_once(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "0", {"unit_of_measurement": "W"})
    hass.states.async_set("sensor.same", "same")
    await hass.async_block_till_done()
    await disable(hass, entry)
    changed = {"0": state_of(hass, "sensor.a").last_changed_timestamp}
    context = Context(user_id="0123456789abcdef0123456789abcdef")
    for number in range(1, 6):
        hass.states.async_set(
            "sensor.a", str(number), {"unit_of_measurement": "W"}, context=context
        )
        changed[str(number)] = state_of(hass, "sensor.a").last_changed_timestamp
        await hass.async_block_till_done()
    await enable(hass, entry)
    hass.states.async_set("sensor.a", "6", {"unit_of_measurement": "W"})
    changed["6"] = state_of(hass, "sensor.a").last_changed_timestamp
    counts = await ledger(entry)
    await deliver(hass, entry)

    stored = in_time_order(database)
    assert [point.fields["state"] for point in stored] == list(changed)
    assert [point.time // 1000 for point in stored] == [
        round(moment % 1 * 1_000_000) + int(moment) * 1_000_000 for moment in changed.values()
    ]
    assert [point.fields.get("old_state") for point in stored] == [None, *"012345"]
    spent = [
        round(later - before, 6)
        for before, later in zip(list(changed.values()), list(changed.values())[1:], strict=False)
    ]
    assert [point.fields["duration_in_state_seconds"] for point in stored[1:]] == spent
    assert [point.fields["value"] for point in stored] == [0, 1, 2, 3, 4, 5, 6]
    assert stored[2].fields["context_id"] == context.id
    assert stored[2].tags == stored[0].tags
    assert len(points(database, "sensor.same")) == 1
    assert counts["recovered"] == 5
    # What is written twice is stored once, but counted twice.
    assert counts["captured"] == len(points(database)) == 8


async def test_own_entities_and_excluded_ones_are_not_filled_in(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, {"filter": {"domains": ["light"]}})
    hass.states.async_set("sensor.a", "0")
    await hass.async_block_till_done()
    await disable(hass, entry)
    before = len(points(database))
    for state in ("on", "off"):
        hass.states.async_set("light.a", state)
    await enable(hass, entry)
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert counts["recovered"] == 0
    assert counts["filtered"]["excluded"] >= 1, counts
    assert len(points(database)) == before


async def test_without_a_watermark_nothing_is_filled_in(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    for number in range(3):
        hass.states.async_set("sensor.a", str(number))
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    await filled(entry)
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database, "sensor.a")] == ["2"]


async def test_after_a_kill_what_happened_before_the_setup_is_filled_in(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """The file of a killed process says up to when it captured; there is no other trace."""
    await set_up(hass, entry)
    await filled(entry)
    hass.states.async_set("sensor.a", "0")
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.flush()
    stored = (spool_path(hass, entry) / "captured-until").read_text()
    assert float(stored.split()[0]) == state_of(hass, "sensor.a").last_updated_timestamp
    await disable(hass, entry)
    for number in range(1, 4):
        hass.states.async_set("sensor.a", str(number))
    (spool_path(hass, entry) / "recollection.json").unlink()
    await enable(hass, entry)
    await deliver(hass, entry)
    found = in_time_order(database)
    assert [point.fields["state"] for point in found] == ["0", "1", "2", "3"]
    assert [point.fields.get("old_state") for point in found] == [None, "0", "1", "2"]
    assert json.loads((spool_path(hass, entry) / "gaps.json").read_text())["gaps"] == []


async def test_after_a_kill_the_recorder_says_what_the_only_change_of_a_gap_follows(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """What was written last is not known any more."""
    await set_up(hass, entry)
    await filled(entry)
    hass.states.async_set("sensor.a", "0")
    await hass.async_block_till_done()
    await disable(hass, entry)
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.new", "1")
    (spool_path(hass, entry) / "recollection.json").unlink()
    await enable(hass, entry)
    await deliver(hass, entry)
    found = sorted(points(database, "sensor.a"), key=lambda point: point.time)
    assert [point.fields["state"] for point in found] == ["0", "1"]
    assert [point.fields.get("old_state") for point in found] == [None, "0"]
    assert len(points(database, "sensor.new")) == 1


async def test_after_a_kill_a_state_that_is_as_the_recorder_has_it_before_is_captured(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The recorder was killed before it stored what was captured in between."""
    await set_up(hass, entry)
    await filled(entry)
    hass.states.async_set("sensor.a", "0")
    await async_wait_recording_done(hass)
    recorder_mock.enabled = False  # what comes now is not stored
    hass.states.async_set("sensor.a", "1")
    await async_wait_recording_done(hass)
    recorder_mock.enabled = True
    await disable(hass, entry)
    starts = (time.time(),)
    hass.states.async_set("sensor.a", "0")
    (spool_path(hass, entry) / "recollection.json").unlink()

    async def started(*_: Any) -> tuple[float, ...]:
        return starts

    monkeypatch.setattr(rows, "async_starts", started)
    await enable(hass, entry)
    await ledger(entry)
    await deliver(hass, entry)
    found = in_time_order(database)
    assert [point.fields["state"] for point in found] == ["0", "1", "0"]
    assert [point.fields.get("old_state") for point in found] == [None, "0", None]


async def test_a_stop_in_the_middle_goes_on_with_the_next_start(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 4)
    await capture_and_disable(hass, entry, "sensor.a", "sensor.b", "sensor.c")
    for number in range(1, 9):
        for name in "abc":
            hass.states.async_set(f"sensor.{name}", str(number))
    await async_wait_recording_done(hass)

    read, is_stopped = rows.async_page, False

    async def some_pages(*args: Any) -> Any:
        nonlocal is_stopped
        runtime = entry.runtime_data
        # The first rows are of our own entities.
        if not is_stopped and runtime.pipeline.ledger.recovered >= 6:
            is_stopped = True
            runtime.recovery._reader.stopping.set()
        return await read(*args)

    monkeypatch.setattr(rows, "async_page", some_pages)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await filled(entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await filled(entry)
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert is_stopped
    for name in "abc":
        found = in_time_order(database, f"sensor.{name}")
        assert [point.fields["state"] for point in found] == [*"012345678"]
        assert [point.fields.get("old_state") for point in found] == [None, *"01234567"]
    # What is written twice is stored once, but counted twice.
    assert counts["recovered"] == 24
    assert counts["captured"] == len(points(database)) == 27


async def test_with_the_option_off_only_the_newest_state_is_captured(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, {"history": {"gap_days": 0}})
    await filled(entry)
    await disable(hass, entry)
    for number in range(3):
        hass.states.async_set("sensor.a", str(number))
    await enable(hass, entry)
    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await filled(entry)
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database, "sensor.a")] == ["2"]


async def test_passwords_of_text_entities_are_not_filled_in(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """The recorder does not keep the mode."""
    await capture_and_disable(hass, entry)
    info: Any = {"unrecorded_attributes": frozenset({"mode"})}
    for word in ("hunter1", "hunter2", "hunter3"):
        hass.states.async_set("text.pin", word, {"mode": "password"}, state_info=info)
        hass.states.async_set("text.gone", word, {"mode": "password"}, state_info=info)
        hass.states.async_set("text.plain", word, {"mode": "text"}, state_info=info)
    hass.states.async_remove("text.gone")
    await enable(hass, entry)
    counts = await ledger(entry)
    await deliver(hass, entry)
    named = [point.fields["state"] for point in points(database, "text.plain")]
    assert named == ["hunter1", "hunter2", "hunter3"]
    assert not points(database, "text.pin")
    assert not points(database, "text.gone")
    assert counts["filtered"]["secret"] >= 6


async def test_an_entity_that_was_removed_in_the_gap_ends_there(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await capture_and_disable(hass, entry)
    hass.states.async_set("sensor.a", "1")
    hass.states.async_remove("sensor.a")
    await enable(hass, entry)
    assert "sensor.a" not in entry.runtime_data.recovery._catalog
    await deliver(hass, entry)
    found = in_time_order(database)
    assert [(each.tags["event_type"], each.fields["old_state"]) for each in found[1:]] == [
        ("state_changed", "0"),
        ("entity_removed", "1"),
    ]


@pytest.mark.parametrize("recorder_config", [{"exclude": {"domains": ["light"]}}])
async def test_what_the_recorder_leaves_out_is_captured_as_it_is_now_and_counted(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await capture_and_disable(hass, entry)
    for state in ("on", "off"):
        hass.states.async_set("light.a", state)
        hass.states.async_set("sensor.a", state)
    await enable(hass, entry)
    shown = (await entry.runtime_data.pipeline.snapshot()).recovery
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database, "light.a")] == ["off"]
    assert shown.status == "idle"
    assert shown.unfillable == 1


async def test_a_spool_that_is_half_full_waits_for_the_database(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await capture_and_disable(hass, entry)
    for number in range(1, 4):
        hass.states.async_set("sensor.a", str(number))
    await async_wait_recording_done(hass)
    monkeypatch.setattr(reader, "SPOOL_FILL_MAX", 0.0)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: entry.runtime_data.pipeline.past_events.recovery.status == "waiting")
    hass.states.async_set("sensor.live", "1")
    await until(lambda: points(database, "sensor.live"))
    assert len(points(database, "sensor.a")) == 1
    monkeypatch.setattr(reader, "SPOOL_FILL_MAX", 0.5)
    await filled(entry)
    await deliver(hass, entry)
    assert len(points(database, "sensor.a")) == 4


async def test_a_recorder_that_fails_keeps_no_present_state_back_and_is_asked_again(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{recovery.__name__}.RETRY_SECONDS", 1.0)
    await capture_and_disable(hass, entry, "sensor.a", "sensor.b")
    for number in range(1, 4):
        hass.states.async_set("sensor.a", str(number))
        hass.states.async_set("sensor.b", str(number))
    await async_wait_recording_done(hass)
    real, failures = rows._page, 0

    def failing(*args: Any) -> Any:
        nonlocal failures
        if failures < 1:
            failures += 1
            # Meanwhile something happens: the present state is one of the past by then.
            hass.loop.call_soon_threadsafe(hass.states.async_set, "sensor.b", "4")
            time.sleep(0.1)
            raise RuntimeError("The database connection has not been established")
        return real(*args)

    monkeypatch.setattr(rows, "_page", failing)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    # Before the recorder is asked again.
    await until(lambda: failures and not entry.runtime_data.recovery.present.deferred)
    found = entry.runtime_data.pipeline.past_events.recovery
    assert found.status == "waiting"
    assert found.position
    assert found.until
    assert found.position < found.until
    await filled(entry)
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states_stored(database) == [*"0123"]
    assert states_stored(database, "sensor.b") == [*"01234"]
    assert counts["captured"] == len(points(database))


async def test_where_the_gap_cannot_be_stored_the_present_states_are_captured_at_once(  # noqa: PLR0917
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await capture_and_disable(hass, entry)
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.a", "2")

    def broken(*_: Any, **__: Any) -> None:
        raise WriteError("Read-only file system")

    monkeypatch.setattr(f"{gaps.__name__}.save_json", broken)
    await enable(hass, entry)
    await deliver(hass, entry)
    assert states_stored(database) == [*"012"]
    assert "cannot be stored: Read-only file system" in caplog.text


async def test_present_states_do_not_wait_for_ever_for_room_in_the_spool(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "READY_SECONDS", 0.0)
    await capture_and_disable(hass, entry)
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.a", "2")
    await async_wait_recording_done(hass)
    monkeypatch.setattr(reader, "SPOOL_FILL_MAX", 0.0)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: len(points(database, "sensor.a")) == 2)
    monkeypatch.setattr(reader, "SPOOL_FILL_MAX", 0.5)
    await filled(entry)
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states_stored(database) == [*"012"]
    assert counts["captured"] == len(points(database))
