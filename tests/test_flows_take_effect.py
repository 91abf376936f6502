"""What a user mends in a dialogue is used at once, although nothing that is stored has changed."""

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem
from scripts.rig.data_api import DataApi
from scripts.rig.data_api import Fault as DataApiFault
from tests.data_api.test_data_api import issue as data_api_issue
from tests.data_api.test_data_api import submit as submit_data_api
from tests.data_api.test_data_api import with_data_api
from tests.emulator import Answer, Emulator, Fault
from tests.flows.steps import enter, locate
from tests.pages import fill_in, open_page
from tests.shell import points, set_up, until, unzipped
from tests.test_repairs import issue

REFUSED = Answer(status=401, body='{"error":"authorization failed"}')
FORBIDDEN = Answer(status=403, body='{"error":"no write permission"}')


def status(entry: MockConfigEntry) -> Status:
    found: Status = entry.runtime_data.pipeline.export_state.status
    return found


async def blocked(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    answer: Answer,
    *,
    with_backlog: bool,
) -> None:
    """Set the destination up with a database that refuses, and which then takes points again."""
    database.impostor = answer
    entry.add_to_hass(hass)
    known = f"v1|{database.url}|home_assistant"
    hass.config_entries.async_update_entry(entry, unique_id=known)
    if with_backlog:
        hass.states.async_set("sensor.a", "1")
    await set_up(hass, entry)
    await until(lambda: status(entry) is Status.BLOCKED)
    await hass.async_block_till_done()
    database.impostor = None


@pytest.mark.parametrize("with_backlog", [True, False])
async def test_new_credentials_that_are_the_old_ones_are_used_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, *, with_backlog: bool
) -> None:
    await blocked(hass, entry, database, REFUSED, with_backlog=with_backlog)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    before = dict(entry.data)

    result: Any = await hass.config_entries.flow.async_configure(flow["flow_id"], {})

    assert result["reason"] == "reauth_successful"
    assert entry.data == before
    await until(lambda: status(entry) is Status.OK)
    assert len(points(database, "sensor.a")) == with_backlog


@pytest.mark.parametrize("with_backlog", [True, False])
async def test_a_connection_that_is_confirmed_is_used_at_once_and_nothing_is_left_to_repair(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, *, with_backlog: bool
) -> None:
    await blocked(hass, entry, database, FORBIDDEN, with_backlog=with_backlog)
    await until(lambda: issue(hass, entry, Problem.FORBIDDEN))
    before = entry.runtime_data

    result = await locate(hass, database.url, result=await entry.start_reconfigure_flow(hass))
    result = await enter(hass, result, database="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert entry.runtime_data is before
    await until(lambda: status(entry) is Status.OK)
    await until(lambda: issue(hass, entry, Problem.FORBIDDEN) is None)


async def test_a_try_that_is_asked_for_during_a_request_follows_it_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    await until(lambda: status(entry) is Status.OK)
    database.faults.append(Fault(answer=FORBIDDEN, delay=0.5))
    hass.states.async_set("sensor.a", "1")
    # Other questions arrive as well.
    await until(lambda: any(b"sensor.a" in unzipped(seen) for seen in database.writes))

    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    await until(lambda: points(database, "sensor.a"))


async def test_options_that_are_confirmed_make_it_try_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    page = {"reported": False, "registries": False}
    await fill_in(hass, await open_page(hass, entry, "events"), **page)
    database.impostor = FORBIDDEN
    await until(lambda: issue(hass, entry, Problem.FORBIDDEN))
    database.impostor = None
    before = entry.runtime_data

    await fill_in(hass, await open_page(hass, entry, "events"), **page)

    assert entry.runtime_data is before
    await until(lambda: status(entry) is Status.OK)
    await until(lambda: issue(hass, entry, Problem.FORBIDDEN) is None)


async def test_a_destination_that_could_not_be_set_up_is_tried_again_when_it_is_mended(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    entry.add_to_hass(hass)
    broken = {**entry.data, "ca_certificate": "-----BEGIN CERTIFICATE-----"}
    hass.config_entries.async_update_entry(entry, data=broken)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR

    result = await locate(
        hass, database.url, result=await entry.start_reconfigure_flow(hass), ca_certificate=""
    )
    await enter(hass, result, database="home_assistant")
    await hass.async_block_till_done()

    loaded: ConfigEntryState = entry.state
    assert loaded is ConfigEntryState.LOADED


@pytest.mark.usefixtures("socket_enabled")
async def test_a_data_api_that_is_confirmed_is_tried_at_once(
    hass: HomeAssistant, database: Emulator
) -> None:
    async with DataApi() as server:
        server.impostor = DataApiFault(status=404)
        entry = with_data_api(database, server.url)
        await set_up(hass, entry)
        await until(lambda: data_api_issue(hass, entry, "data_api_wrong_service"))
        server.impostor = None
        (subentry,) = entry.subentries.values()

        result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
        await submit_data_api(hass, result, url=server.url)

        await until(lambda: data_api_issue(hass, entry, "data_api_wrong_service") is None)


@pytest.mark.usefixtures("socket_enabled")
async def test_a_key_that_is_taken_after_all_is_used_at_once(
    hass: HomeAssistant, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    async with DataApi() as server:
        server.api_key = "another"
        entry = with_data_api(database, server.url, api_key="key")
        await set_up(hass, entry)
        await until(lambda: data_api_issue(hass, entry, "data_api_unauthorized"))
        server.api_key = "key"
        found = data_api_issue(hass, entry, "data_api_unauthorized")
        assert found
        http, path = await open_repair(hass, hass_client, found.issue_id)

        reply = await http.post(path, json={"api_key": "key"})

        assert (await reply.json())["type"] == "create_entry"
        await until(lambda: server.tables.entities)


async def open_repair(
    hass: HomeAssistant, client: ClientSessionGenerator, issue_id: str
) -> tuple[Any, str]:
    """Open an issue's dialogue as the frontend does; return a client and where to answer."""
    assert await async_setup_component(hass, "repairs", {})
    await hass.async_block_till_done()
    http = await client()
    wanted = {"handler": DOMAIN, "issue_id": issue_id}
    form = await (await http.post("/api/repairs/issues/fix", json=wanted)).json()
    return http, f"/api/repairs/issues/fix/{form['flow_id']}"
