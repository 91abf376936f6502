"""Repairs and the last problem over a reload, and after a destination is disabled or removed."""

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.spool.quarantine.numbered_files import QuarantineFiles
from scripts.rig.data_api import DataApi
from scripts.rig.data_api import Fault as DataApiFault
from tests.data_api.test_data_api import with_data_api
from tests.emulator import Answer, Emulator, Fault
from tests.shell import new_entry, points, set_up, spool_path, until
from tests.shown import reading
from tests.test_repairs import CONFLICT, choose, issue, offers

FORBIDDEN = Answer(status=403, body='{"error":"no write permission"}')


def ours(hass: HomeAssistant) -> list[str]:
    """Name every issue of the integration that is shown."""
    return [
        found.issue_id
        for (domain, _), found in ir.async_get(hass).issues.items()
        if domain == DOMAIN and found.active
    ]


async def with_issue(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, kind: str
) -> None:
    """Set a destination up that has something to repair, of a kind."""
    hass.states.async_set("sensor.odd", "1")
    if kind == "quarantined":
        database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    elif kind == Problem.FORBIDDEN:
        database.impostor = FORBIDDEN
    elif kind == "spool_error":
        spool_path(hass, entry).parent.mkdir(parents=True)
        spool_path(hass, entry).write_text("")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, kind))


@pytest.mark.parametrize("kind", ["quarantined", Problem.FORBIDDEN, "spool_error"])
async def test_an_issue_that_is_ignored_stays_ignored_over_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, kind: str
) -> None:
    await with_issue(hass, entry, database, kind)
    ir.async_ignore_issue(hass, DOMAIN, f"{entry.entry_id}_{kind}", ignore=True)
    gone: list[str] = []

    def note(event: Any) -> None:
        if event.data["action"] == "remove":
            gone.append(event.data["issue_id"])

    hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, note)
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        await entry.runtime_data.coordinator.async_refresh()
        found = issue(hass, entry, kind)
        assert found
        assert found.active
        assert found.dismissed_version
    assert gone == []


async def test_an_issue_goes_when_what_was_wrong_was_mended_during_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_issue(hass, entry, database, Problem.FORBIDDEN)
    database.impostor = None
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: points(database, "sensor.odd"))
    await until(lambda: ours(hass) == [])


@pytest.mark.parametrize("kind", ["quarantined", Problem.FORBIDDEN, "spool_error"])
async def test_a_destination_that_is_disabled_has_nothing_to_repair(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, kind: str
) -> None:
    await with_issue(hass, entry, database, kind)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert ours(hass) == []


async def test_a_destination_that_is_unloaded_or_removed_has_nothing_to_repair(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    database.names["db"].add("other")
    other = new_entry(database.url, database="other")
    # It writes the state that is there; the first destination writes nothing in the meantime.
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, other)
    await until(lambda: len(ours(hass)) == 2)

    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert ours(hass) == [f"{other.entry_id}_quarantined"]
    await hass.config_entries.async_remove(other.entry_id)
    await hass.async_block_till_done()
    # Only what was deleted with it is told.
    assert ours(hass) == [f"{other.entry_id}_points_deleted"]


@pytest.mark.usefixtures("socket_enabled")
async def test_an_issue_of_a_data_api_stays_over_a_reload_and_goes_with_its_destination(
    hass: HomeAssistant, database: Emulator
) -> None:
    async with DataApi() as server:
        server.impostor = DataApiFault(status=404)
        entry = with_data_api(database, server.url)
        await set_up(hass, entry)
        wrong = f"data_api_{entry.entry_id}_data_api_wrong_service"
        await until(lambda: ours(hass) == [wrong])
        ir.async_ignore_issue(hass, DOMAIN, wrong, ignore=True)

        assert await hass.config_entries.async_reload(entry.entry_id)
        found = ir.async_get(hass).async_get_issue(DOMAIN, wrong)
        assert found
        assert found.dismissed_version

        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
        await hass.async_block_till_done()
        assert ours(hass) == []


async def test_the_repair_of_a_refused_point_can_be_done_after_a_reload(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    assert await hass.config_entries.async_reload(entry.entry_id)
    http, menu = await offers(hass, hass_client, entry)
    assert menu["description_placeholders"]["entities"] == "sensor.odd"

    await choose(hass, http, menu, "dismiss")

    assert await hass.config_entries.async_reload(entry.entry_id)
    await entry.runtime_data.coordinator.async_refresh()
    assert ours(hass) == []


@pytest.mark.parametrize("action", ["purge_quarantine", "replay_quarantine"])
async def test_a_quarantine_that_was_emptied_is_nothing_to_repair(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, action: str
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    await hass.services.async_call(DOMAIN, action, {}, blocking=True)
    await entry.runtime_data.coordinator.async_refresh()
    assert ours(hass) == []


@pytest.mark.usefixtures("everything_shown")
async def test_the_last_problem_is_still_shown_after_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_issue(hass, entry, database, Problem.FORBIDDEN)
    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.OK)
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        error = reading(hass, entry, "last_error")
        assert "no write permission" in error.state
        assert error.attributes["problem"] == Problem.FORBIDDEN
        await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.OK)
        snapshot = await entry.runtime_data.coordinator.async_snapshot()
        # A reload changes nothing, and is no change.
        assert [change.status for change in snapshot.history] == ["blocked", "ok"]
        assert [change.state for change in snapshot.breaker_changes] == ["blocked", "closed"]


@pytest.mark.usefixtures("everything_shown")
async def test_the_last_problem_of_another_place_is_not_shown(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_issue(hass, entry, database, Problem.FORBIDDEN)
    async with Emulator(profile=database.profile) as other:
        hass.config_entries.async_update_entry(entry, data={**entry.data, "url": other.url})
        await hass.async_block_till_done()
        await until(lambda: points(other, "sensor.odd"))
        # The answer is on its way when the points are stored.
        await until(lambda: ours(hass) == [])
        assert reading(hass, entry, "last_error").state == "none"


async def _start_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let nothing of an entry be in memory, as after a restart of Home Assistant."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert ours(hass) == []
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()


async def _is_looked_for(entry: MockConfigEntry) -> bool:
    await entry.runtime_data.coordinator.async_refresh()
    return bool(entry.runtime_data.coordinator.remembered.is_rejection_known)


async def test_a_refused_point_is_still_to_be_repaired_after_a_start(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    await _start_again(hass, entry)

    await until(lambda: issue(hass, entry, "quarantined"))
    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    assert found.translation_placeholders["entities"] == "sensor.odd"
    assert "field type conflict" in found.translation_placeholders["reason"]
    http, menu = await offers(hass, hass_client, entry)
    await choose(hass, http, menu, "replay")
    await until(lambda: points(database, "sensor.odd"))
    await _start_again(hass, entry)
    await until(lambda: _is_looked_for(entry))
    assert ours(hass) == []


async def test_a_refused_point_that_the_user_took_note_of_stays_out_of_sight_after_a_start(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    http, menu = await offers(hass, hass_client, entry)
    await choose(hass, http, menu, "dismiss")
    await _start_again(hass, entry)
    await until(lambda: _is_looked_for(entry))
    assert ours(hass) == []
    assert len(await entry.runtime_data.pipeline.quarantine.records()) == 1

    # Another one is news, and so it is after the next start.
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    hass.states.async_set("sensor.odd", "2")
    await until(lambda: issue(hass, entry, "quarantined"))
    await _start_again(hass, entry)
    await until(lambda: issue(hass, entry, "quarantined"))


async def test_a_refused_point_is_delivered_to_the_database_of_a_reconfigured_destination(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    async with Emulator(profile=database.profile) as other:
        hass.config_entries.async_update_entry(entry, data={**entry.data, "url": other.url})
        await hass.async_block_till_done()
        await until(lambda: _is_looked_for(entry))
        http, menu = await offers(hass, hass_client, entry)
        await choose(hass, http, menu, "replay")
        await until(lambda: points(other, "sensor.odd"))
        assert ours(hass) == []


async def test_a_quarantine_that_cannot_be_read_at_a_start_is_read_when_it_can_be(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await with_issue(hass, entry, database, "quarantined")
    with monkeypatch.context() as broken:

        def failing(*_: object) -> None:
            raise OSError(5, "Input/output error")

        broken.setattr(QuarantineFiles, "numbers", failing)
        await _start_again(hass, entry)
        await entry.runtime_data.coordinator.async_refresh()
        assert issue(hass, entry, "quarantined") is None
    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "quarantined")
