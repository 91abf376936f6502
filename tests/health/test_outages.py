"""The log of outages: what it says of each, and that it survives reloads and restarts."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ha_ingestor.health.outages import FILE, OUTAGES_MAX, SAVE_SECONDS, Outages
from custom_components.ha_ingestor.pipeline.export.export_state import Status, StatusChange
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.emulator import Answer, Emulator
from tests.shell import set_up, spool_path, until

from .seen import deliver_one

BUSY: Final = Answer(status=503, body='{"error":"timeout"}')


class Asked:
    """Somebody who asks for the outages of a destination."""

    def __init__(self, client: Any, entry: MockConfigEntry) -> None:
        """Ask nothing yet."""
        self._client = client
        self._entry = entry

    async def outages(self) -> Any:
        """Return them as they are told."""
        await self._client.send_json_auto_id(
            {"type": "ha_ingestor/health", "config_entry_id": self._entry.entry_id}
        )
        (told,) = (await self._client.receive_json())["result"]["destinations"]
        return told["outages"]

    async def has(self, **wanted: object) -> bool:
        """Whether the newest one is so."""
        found = await self.outages()
        return bool(found) and all(found[-1][name] == value for name, value in wanted.items())

    async def is_over(self) -> bool:
        """Whether the newest one has ended, and everything that waited is settled."""
        found = await self.outages()
        return bool(found and found[-1]["delivered"])


async def break_down(hass: HomeAssistant, entry: MockConfigEntry, database: Emulator) -> None:
    """Let the database refuse a point, and two more wait."""
    database.impostor = BUSY
    for state in "abc":
        hass.states.async_set("sensor.attic", state)
    await hass.async_block_till_done()
    pipeline = entry.runtime_data.pipeline
    await pipeline.flush()
    await until(lambda: pipeline.export_state.status is Status.RETRYING)


async def test_an_outage_is_told_with_the_points_that_waited_and_when_they_were_delivered(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    asked = Asked(await hass_ws_client(hass), entry)
    assert await asked.outages() == []
    await break_down(hass, entry, database)
    await until(lambda: asked.has(status="retrying", problem="busy", until=None, points=None))
    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(asked.is_over)
    (found,) = await asked.outages()
    assert (found["points"], found["not_written"]) == (3, 0)
    assert found["since"] < found["until"] <= found["delivered"]


async def test_outages_survive_a_reload_and_a_restart_and_one_that_goes_on_is_the_same(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    asked = Asked(await hass_ws_client(hass), entry)
    await break_down(hass, entry, database)
    await until(asked.outages)
    (before,) = await asked.outages()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await asked.outages() == [before]
    # Nothing is in memory any more.
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_setup(entry.entry_id)
    pipeline = entry.runtime_data.pipeline
    await until(lambda: pipeline.export_state.status is Status.RETRYING)
    assert await asked.outages() == [before]
    database.impostor = None
    await pipeline.flush()
    await until(asked.is_over)
    (after,) = await asked.outages()
    assert (after["since"], after["points"]) == (before["since"], 3)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await asked.outages() == [after]


async def test_a_pause_ends_when_it_is_resumed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    asked = Asked(await hass_ws_client(hass), entry)
    pipeline = entry.runtime_data.pipeline
    await pipeline.pause()
    await until(lambda: asked.has(status="paused", problem="none", until=None))
    await pipeline.resume()
    await until(asked.is_over)


async def test_points_quarantined_during_an_outage_are_counted_in_it(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    asked = Asked(await hass_ws_client(hass), entry)
    await break_down(hass, entry, database)
    await until(asked.outages)
    # None of the others that wait has a value.
    database.columns.clear()
    database.types["home_assistant_events", "value"] = str
    hass.states.async_set("sensor.refused", "5")
    await hass.async_block_till_done()
    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(asked.is_over)
    (found,) = await asked.outages()
    assert (found["points"], found["not_written"]) == (4, 1)


@pytest.mark.parametrize(
    "content", ["", "{", "{}", "[1]", '[{"since": "yesterday"}]', "null", "[[]]", '"text"']
)
async def test_a_file_that_cannot_be_read_is_told_in_the_log_and_holds_no_outages(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    content: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = spool_path(hass, entry)
    folder.mkdir(parents=True)
    (folder / FILE).write_text(content)
    await set_up(hass, entry)
    asked = Asked(await hass_ws_client(hass), entry)
    assert await asked.outages() == []
    assert f"{FILE} cannot be read" in caplog.text


async def snapshots(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Return a healthy snapshot."""
    await deliver_one(hass, entry)
    return await entry.runtime_data.coordinator.async_snapshot()


async def test_no_more_than_the_newest_are_kept_and_the_disk_is_written_once_in_a_minute(
    hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = await snapshots(hass, entry)
    began = datetime(2026, 11, 26, tzinfo=UTC)
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    log = Outages(folder=tmp_path)
    log.load()
    writes = 0
    for number in range(3 * OUTAGES_MAX):
        now = float(10 * number)
        history = tuple(
            StatusChange(
                time=began + timedelta(seconds=10 * number + second),
                status=status,
                problem=problem,
                detail=f"<b>outage {number}",
            )
            for second, status, problem in (
                (0, Status.RETRYING, Problem.BUSY),
                (5, Status.OK, Problem.NONE),
            )
        )
        log.note(replace(snapshot, history=history))
        if log.is_due:
            log.save()
            writes += 1
    assert writes == 3 * OUTAGES_MAX * 10 / SAVE_SECONDS
    assert len(log.all) == OUTAGES_MAX
    assert log.all[-1].since == began + timedelta(seconds=10 * (3 * OUTAGES_MAX - 1))
    log.save()
    stored = (tmp_path / FILE).read_text()
    assert len(json.loads(stored)) == OUTAGES_MAX
    assert "<b>" not in stored
    again = Outages(folder=tmp_path)
    again.load()
    assert again.all == log.all


async def test_a_disk_that_takes_nothing_costs_the_log_only(
    hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path
) -> None:
    snapshot = await snapshots(hass, entry)
    log = Outages(folder=tmp_path / "away")
    change = StatusChange(
        time=datetime.now(UTC), status=Status.BLOCKED, problem=Problem.INVALID_AUTH, detail=""
    )
    log.note(replace(snapshot, history=(change,)))
    log.save()
    assert len(log.all) == 1
    assert not log.is_due
    # The counts are not known yet.
    fresh = Outages(folder=tmp_path)
    fresh.note(replace(snapshot, is_open=False, history=(change,)))
    assert fresh.all == ()
