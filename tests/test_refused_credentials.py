"""Refused credentials: a user is always asked for others, and never longer than that is needed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.emulator import Answer, Emulator
from tests.shell import set_up, until

REFUSED = Answer(status=401, body='{"error":"authorization failed"}')


def dialogues(hass: HomeAssistant) -> list[str]:
    """Name what is open for the destination."""
    found = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return sorted(str(flow["context"]["source"]) for flow in found)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Look for the repair that says why nobody asks."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{entry.entry_id}_credentials_refused")


def close(hass: HomeAssistant, source: str) -> None:
    """Close a dialogue, as the frontend does with those that it opened."""
    for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN):
        if flow["context"]["source"] == source:
            hass.config_entries.flow.async_abort(flow["flow_id"])


async def try_to_deliver(hass: HomeAssistant, entry: MockConfigEntry, problem: Problem) -> None:
    """Deliver something, see what becomes of it, and let ten seconds pass."""
    pipeline = entry.runtime_data.pipeline
    hass.states.async_set("sensor.a", str(len(hass.states.async_all())), force_update=True)
    await pipeline.flush()
    await until(lambda: pipeline.export_state.problem is problem)
    await check_the_health(hass, entry)


async def check_the_health(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Check the health as it is done every ten seconds."""
    await entry.runtime_data.coordinator._async_refresh(scheduled=True)
    await hass.async_block_till_done()


@pytest.fixture(name="reconfigured")
async def _reconfigured(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> MockConfigEntry:
    """Refuse the credentials of a destination for which somebody left the dialogue Reconfigure."""
    await set_up(hass, entry)
    await try_to_deliver(hass, entry, Problem.NONE)
    await entry.start_reconfigure_flow(hass)
    database.impostor = REFUSED
    await try_to_deliver(hass, entry, Problem.INVALID_AUTH)
    return entry


async def submit_repair(
    client: ClientSessionGenerator, entry: MockConfigEntry
) -> Mapping[str, Any]:
    """Open the repair as the frontend does, and submit it."""
    http = await client()
    wanted = {"handler": DOMAIN, "issue_id": f"{entry.entry_id}_credentials_refused"}
    form = await (await http.post("/api/repairs/issues/fix", json=wanted)).json()
    reply = await http.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert reply.status == HTTPStatus.OK
    result: Mapping[str, Any] = await reply.json()
    return result


async def test_a_repair_says_that_a_dialogue_keeps_home_assistant_from_asking_and_closes_it(
    hass: HomeAssistant, reconfigured: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert dialogues(hass) == [SOURCE_RECONFIGURE]
    found = issue(hass, reconfigured)
    assert found
    assert (found.severity, found.is_fixable) == (ir.IssueSeverity.ERROR, True)

    assert await async_setup_component(hass, "repairs", {})
    assert (await submit_repair(hass_client, reconfigured))["type"] == "create_entry"
    await hass.async_block_till_done()
    assert dialogues(hass) == [SOURCE_REAUTH]
    assert issue(hass, reconfigured) is None
    await check_the_health(hass, reconfigured)
    assert dialogues(hass) == [SOURCE_REAUTH]
    assert issue(hass, reconfigured) is None


async def test_once_reconfigure_is_closed_home_assistant_asks_by_itself(
    hass: HomeAssistant, reconfigured: MockConfigEntry
) -> None:
    close(hass, SOURCE_RECONFIGURE)
    await check_the_health(hass, reconfigured)
    assert dialogues(hass) == [SOURCE_REAUTH]
    assert issue(hass, reconfigured) is None


async def test_the_repair_goes_away_when_the_credentials_are_accepted(
    hass: HomeAssistant, reconfigured: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = None
    await try_to_deliver(hass, reconfigured, Problem.NONE)
    assert issue(hass, reconfigured) is None


async def test_the_repair_of_a_destination_that_is_disabled_says_so(
    hass: HomeAssistant, reconfigured: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    http = await hass_client()
    wanted = {"handler": DOMAIN, "issue_id": f"{reconfigured.entry_id}_credentials_refused"}
    form = await (await http.post("/api/repairs/issues/fix", json=wanted)).json()
    assert await hass.config_entries.async_unload(reconfigured.entry_id)
    reply = await http.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await reply.json())["reason"] == "not_loaded"


async def test_a_dialogue_for_new_credentials_that_was_closed_is_opened_again(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = REFUSED
    await set_up(hass, entry)
    await try_to_deliver(hass, entry, Problem.INVALID_AUTH)
    assert dialogues(hass) == [SOURCE_REAUTH]
    close(hass, SOURCE_REAUTH)
    await check_the_health(hass, entry)
    assert dialogues(hass) == [SOURCE_REAUTH]


async def test_nobody_is_asked_any_more_once_the_stored_credentials_are_accepted_again(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = REFUSED
    await set_up(hass, entry)
    await try_to_deliver(hass, entry, Problem.INVALID_AUTH)
    database.impostor = None
    await try_to_deliver(hass, entry, Problem.NONE)
    assert dialogues(hass) == []
