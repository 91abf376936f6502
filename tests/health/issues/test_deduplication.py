"""A VictoriaMetrics that would store a repeated point twice is a repair, and nothing else is."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.influx.victoriametrics import Storage
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.health.issues.deduplication import CHECK_SECONDS, Deduplication
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from tests.emulator import VM_NEW, Answer, Emulator
from tests.shell import new_entry, set_up, until

assert VM_NEW.metrics is not None
DEDUPLICATING = replace(VM_NEW, metrics=VM_NEW.metrics.replace('"0s"', '"1ms"'))
BUSY = Answer(status=503)


@pytest.fixture
async def metrics(socket_enabled: None) -> AsyncIterator[Emulator]:
    """A VictoriaMetrics as it comes."""
    async with Emulator(profile=VM_NEW) as server:
        yield server


@pytest.fixture
def destination(metrics: Emulator) -> MockConfigEntry:
    """An entry for it, not set up yet."""
    return new_entry(metrics.url, dialect="victoriametrics")


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Find the repair."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{entry.entry_id}_no_deduplication")


def storage_reads(server: Emulator) -> int:
    """Count how often a server was asked how it was started, and not for its version."""
    asked = Counter(seen.path for seen in server.seen)
    return max(asked["/metrics"] - asked["/ping"], 0)


async def write_and_refresh(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Write, and let ten seconds pass twice: the answer comes in between."""
    pipeline = entry.runtime_data.pipeline
    hass.states.async_set("sensor.a", "1")
    await pipeline.flush()
    await until(lambda: pipeline.export_state.status is Status.OK)
    for _ in range(2):
        await entry.runtime_data.coordinator.async_refresh()
        await hass.async_block_till_done(wait_background_tasks=False)
        await until(lambda: entry.runtime_data.coordinator._deduplication.is_known)


async def test_a_server_without_deduplication_is_a_repair_that_can_be_ignored(
    hass: HomeAssistant, metrics: Emulator, destination: MockConfigEntry
) -> None:
    await set_up(hass, destination)
    await write_and_refresh(hass, destination)
    found = issue(hass, destination)
    assert found
    assert not found.is_fixable
    assert found.severity is ir.IssueSeverity.WARNING

    ir.async_ignore_issue(hass, DOMAIN, found.issue_id, ignore=True)
    for _ in range(3):
        assert await hass.config_entries.async_reload(destination.entry_id)
        found = issue(hass, destination)
        assert found
        assert found.dismissed_version
        await write_and_refresh(hass, destination)
    found = issue(hass, destination)
    assert found
    assert found.dismissed_version


async def test_deduplication_is_asked_for_once_and_not_before_the_database_answers(
    hass: HomeAssistant, metrics: Emulator, destination: MockConfigEntry
) -> None:
    metrics.impostor = BUSY
    await set_up(hass, destination)
    hass.states.async_set("sensor.a", "1")
    await destination.runtime_data.pipeline.flush()
    await until(lambda: destination.runtime_data.pipeline.export_state.connected is False)
    await destination.runtime_data.coordinator.async_refresh()
    assert storage_reads(metrics) == 0
    metrics.impostor = None
    await destination.runtime_data.pipeline.flush()
    await write_and_refresh(hass, destination)
    await write_and_refresh(hass, destination)
    await until(lambda: storage_reads(metrics) == 1)


@pytest.mark.parametrize("told", [DEDUPLICATING.metrics, ""], ids=["deduplicates", "hides it"])
async def test_a_server_that_deduplicates_or_does_not_tell_is_no_repair(
    hass: HomeAssistant, metrics: Emulator, destination: MockConfigEntry, told: str
) -> None:
    metrics.profile = replace(VM_NEW, metrics=told)
    await set_up(hass, destination)
    await write_and_refresh(hass, destination)
    await until(lambda: storage_reads(metrics) == 1)
    assert issue(hass, destination) is None


async def test_the_repair_goes_when_the_server_was_started_anew(
    hass: HomeAssistant, metrics: Emulator, destination: MockConfigEntry
) -> None:
    await set_up(hass, destination)
    await write_and_refresh(hass, destination)
    assert issue(hass, destination)
    metrics.profile = DEDUPLICATING
    assert await hass.config_entries.async_reload(destination.entry_id)
    await write_and_refresh(hass, destination)
    assert issue(hass, destination) is None


async def test_an_influxdb_is_not_checked_for_deduplication(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await write_and_refresh(hass, entry)
    assert storage_reads(database) == 0
    assert issue(hass, entry) is None


async def test_deduplication_is_asked_for_again_after_a_day_and_no_answer_changes_nothing() -> None:
    now = [1000.0]
    answers: list[bool | None] = [False, None, True]

    async def read() -> Storage:
        return Storage(deduplicates=answers.pop(0), ignored=None)

    deduplication = Deduplication(read, clock=lambda: now[0])
    due, issues = [deduplication.is_due], []
    while answers:
        await deduplication.async_check()
        issues.append([issue.key for issue in deduplication.issues])
        due.append(deduplication.is_due)
        now[0] += CHECK_SECONDS
        due.append(deduplication.is_due)
    assert issues == [["no_deduplication"], ["no_deduplication"], []]
    assert due == [True, False, True, False, True, False, True]


async def test_a_question_without_an_answer_is_repeated_after_a_minute() -> None:
    now = [1000.0]
    answers = [
        Storage(deduplicates=None, ignored=None, is_answered=False),
        Storage(deduplicates=False, ignored=None),
    ]

    async def read() -> Storage:
        return answers.pop(0)

    deduplication = Deduplication(read, clock=lambda: now[0])
    seen = []
    for _ in range(2):
        await deduplication.async_check()
        seen.append((deduplication.is_known, len(deduplication.issues), deduplication.is_due))
        now[0] += 60
        seen.append((deduplication.is_known, len(deduplication.issues), deduplication.is_due))
    # Not known, and due after a minute; then known, and not due for a day.
    assert seen == [(False, 0, False), (False, 0, True), (True, 1, False), (True, 1, False)]


async def test_samples_that_were_taken_and_not_stored_are_a_repair_with_number_and_reason(
    hass: HomeAssistant, metrics: Emulator, destination: MockConfigEntry
) -> None:
    await set_up(hass, destination)
    await write_and_refresh(hass, destination)
    issue_id = f"{destination.entry_id}_vm_rows_ignored"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None

    metrics.ignored = {"small_timestamp": 33, "big_timestamp": 0}
    assert await hass.config_entries.async_reload(destination.entry_id)
    await write_and_refresh(hass, destination)
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert found
    assert found.translation_placeholders == {
        "title": destination.title,
        "count": "33",
        "reasons": "small_timestamp: 33",
        "database": "home_assistant",
        "server": metrics.url.replace("://", "\\://"),
        "panel": f"/ha-ingestor/flow?entry={destination.entry_id}",
    }


async def test_ignored_samples_are_looked_for_each_hour_and_forgotten_after_a_day() -> None:
    now = [1000.0]
    counts = {"small_timestamp": 0}

    async def read() -> Storage:
        return Storage(deduplicates=True, ignored=dict(counts))

    storage = Deduplication(read, clock=lambda: now[0])

    async def look_after(hours: float) -> bool:
        now[0] += hours * 3600
        if storage.is_due:
            await storage.async_check()
        return bool(storage.issues)

    assert not await look_after(0)
    counts["small_timestamp"] = 5
    assert not await look_after(0.5)
    assert await look_after(0.5)
    assert await look_after(23)
    assert not await look_after(1)
    # The server was started anew, and there are others.
    counts["small_timestamp"] = 0
    assert not await look_after(1)
    counts["small_timestamp"] = 1
    assert await look_after(1)
