"""What goes wrong while gaps are filled costs no event and no later attempt."""

import asyncio
import errno
import time
from typing import Any

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_purge_done,
    async_wait_recording_done,
)

from custom_components.ha_ingestor.sources.recorder import reader, recovery, rows
from custom_components.ha_ingestor.sources.recorder.page import HistoryError
from custom_components.ha_ingestor.tasks import slices
from tests.emulator import Emulator
from tests.shell import deliver, points, spool_path, until

from .test_gaps import (
    capture_and_disable,
    enable,
    filled,
    in_time_order,
    ledger,
    states_stored,
)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(reader, "SHORT_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(recovery, "RETRY_SECONDS", 0.01)


async def missed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await capture_and_disable(hass, entry)
    hass.states.async_set("sensor.a", "1")


def failing_once(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> list[int]:
    """Let the first read of the recorder fail."""
    read, calls = getattr(rows, name), [0]

    async def read_later(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise error
        return await read(*args)

    monkeypatch.setattr(rows, name, read_later)
    return calls


async def test_a_state_that_was_captured_while_the_recorder_failed_is_not_stored_twice(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await missed(hass, entry)
    failing_once(monkeypatch, "async_page", HistoryError("busy"))
    await enable(hass, entry)
    await ledger(entry)
    await deliver(hass, entry)
    assert [each.fields["state"] for each in points(database, "sensor.a")] == ["0", "1"]


async def test_a_disk_that_fails_while_a_state_of_the_past_is_stored_is_tried_again(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await missed(hass, entry)
    await async_wait_recording_done(hass)
    failing_once(monkeypatch, "async_starts", HistoryError("busy"))
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    # The state at the end of the gap is of the past now.
    hass.states.async_set("sensor.a", "2")
    past_events = type(entry.runtime_data.pipeline.past_events)
    store, calls = past_events.store, [0]

    async def failing(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return await store(*args)

    monkeypatch.setattr(past_events, "store", failing)
    await filled(entry)
    assert entry.runtime_data.recovery._task.exception() is None
    await ledger(entry)
    await deliver(hass, entry)
    assert states_stored(database) == ["0", "1", "2"]


async def test_an_error_that_nobody_expects_costs_no_state(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await missed(hass, entry)
    failing_once(monkeypatch, "async_page", ValueError("a row that cannot be"))
    await enable(hass, entry)
    await deliver(hass, entry)
    assert [each.fields["state"] for each in points(database, "sensor.a")] == ["0", "1"]


async def test_a_reload_does_not_wait_for_a_recorder_that_is_not_ready(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await missed(hass, entry)
    await async_wait_recording_done(hass)
    ready = recorder_mock.async_db_ready
    recorder_mock.async_db_ready = hass.loop.create_future()  # it migrates
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await asyncio.sleep(0.05)
    began = time.monotonic()
    assert await hass.config_entries.async_reload(entry.entry_id)
    spent = time.monotonic() - began
    recorder_mock.async_db_ready = ready
    await deliver(hass, entry)
    assert spent < 2


async def test_an_empty_state_is_no_removal(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """As a text that somebody emptied has."""
    await missed(hass, entry)
    hass.states.async_set("sensor.a", "", {"friendly_name": "A"})
    hass.states.async_set("sensor.a", "2", {"friendly_name": "A"})
    await enable(hass, entry)
    await deliver(hass, entry)
    found = points(database, "sensor.a")
    assert [each.tags["event_type"] for each in found] == ["state_changed"] * 4
    assert [each.fields["state"] for each in found] == ["0", "1", "", "2"]


@pytest.mark.parametrize(
    "gap",
    [
        '{"until": 1e300, "after": 1.7e9}',
        '{"until": 1.8e9, "after": 1.7e9, "row": 99999999999999999999999}',
        '{"until": 7.2e9, "after": 1.7e9}',
    ],
)
async def test_a_stored_gap_that_is_impossible_is_not_filled(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    gap: str,
) -> None:
    await missed(hass, entry)
    (spool_path(hass, entry) / "gaps.json").write_text(f'{{"gaps": [{gap}]}}')
    await enable(hass, entry)
    assert entry.runtime_data.recovery._task.exception() is None
    assert entry.runtime_data.pipeline.past_events.recovery.status == "idle"
    await deliver(hass, entry)
    assert [each.fields["state"] for each in points(database, "sensor.a")] == ["0", "1"]


async def test_states_that_the_recorder_does_not_have_are_captured_in_slices(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others in the event loop do not have to wait for all of them."""
    await missed(hass, entry)
    for number in range(200):
        hass.states.async_set(f"sensor.n{number}", "1")
    await async_wait_recording_done(hass)
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    failing_once(monkeypatch, "async_starts", HistoryError("busy"))
    capture = recovery.GapRecovery._async_capture_deferred
    turns: list[int] = []

    async def capture_watched(self: recovery.GapRecovery) -> None:
        others = asyncio.create_task(take_turns())
        turns.append(0)
        await capture(self)
        others.cancel()

    async def take_turns() -> None:
        while True:
            await asyncio.sleep(0)
            turns[-1] += 1

    monkeypatch.setattr(recovery.GapRecovery, "_async_capture_deferred", capture_watched)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: len(turns) > 1, 60)
    assert turns[0] > 100
    await deliver(hass, entry)


async def test_a_recorder_that_was_purged_in_a_gap_leaves_the_later_and_the_present_states(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await capture_and_disable(hass, entry, "sensor.a", "sensor.b")
    for state in ("1", "2"):
        hass.states.async_set("sensor.a", state)
        hass.states.async_set("sensor.b", state)
    await async_wait_recording_done(hass)
    await hass.services.async_call("recorder", "purge", {"keep_days": 0}, blocking=True)
    await async_wait_purge_done(hass)
    for state in ("3", "4"):
        hass.states.async_set("sensor.a", state)
    await enable(hass, entry)
    assert entry.runtime_data.recovery._task.exception() is None
    shown = entry.runtime_data.pipeline.past_events.recovery
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states_stored(database) == ["0", "3", "4"]
    # What the first one follows was purged.
    old = [point.fields.get("old_state") for point in in_time_order(database)]
    assert old == [None, None, "3"]
    assert states_stored(database, "sensor.b") == ["0", "2"]
    assert (shown.status, shown.unfillable) == ("idle", 1)
    assert counts["lost"] == {}


@pytest.mark.parametrize("options", [None, {"noise": {"rules": [], "window": 5}}])
async def test_a_state_that_the_recorder_does_not_have_outlives_a_reload_while_the_gap_is_filled(  # noqa: PLR0917  fixtures
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any] | None,
) -> None:
    monkeypatch.setattr(rows, "PAGE_ROWS", 4)
    await capture_and_disable(hass, entry, "sensor.a", "sensor.b")
    hass.states.async_set("sensor.b", "1")
    hass.states.async_set("sensor.b", "2")
    await async_wait_recording_done(hass)
    await hass.services.async_call("recorder", "purge", {"keep_days": 0}, blocking=True)
    await async_wait_purge_done(hass)
    for number in range(1, 20):
        hass.states.async_set("sensor.a", str(number))
    await async_wait_recording_done(hass)

    read, reloads = rows.async_page, [0]

    async def some_pages(*args: Any) -> Any:
        runtime = entry.runtime_data
        # The first rows are of our own entities.
        if not reloads[0] and runtime.pipeline.ledger.recovered >= 6:
            reloads[0] += 1
            if options:
                hass.config_entries.async_update_entry(entry, options=options)
            else:
                hass.config_entries.async_schedule_reload(entry.entry_id)
            await until(runtime.recovery._reader.stopping.is_set)
        return await read(*args)

    monkeypatch.setattr(rows, "async_page", some_pages)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: reloads[0])
    await hass.async_block_till_done()
    await filled(entry)
    shown = entry.runtime_data.pipeline.past_events.recovery
    await ledger(entry)
    await deliver(hass, entry)
    assert states_stored(database) == [str(number) for number in range(20)]
    assert states_stored(database, "sensor.b") == ["0", "2"]
    assert (shown.status, shown.unfillable) == ("idle", 1)
