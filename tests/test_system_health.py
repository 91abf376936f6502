"""The page with information of the system."""

import asyncio
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ha_ingestor import system_health
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from tests.emulator import Emulator
from tests.health.seen import deliver_one
from tests.pages import WORDS
from tests.shell import NOWHERE, new_entry, set_up, until


async def page(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> dict[str, Any]:
    """Open the page, and wait until everything on it has come."""
    assert await async_setup_component(hass, "system_health", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    found: dict[str, Any] = {}
    async with asyncio.timeout(15):
        while True:
            event = (await client.receive_json())["event"]
            match event["type"]:
                case "initial":
                    found = event["data"][DOMAIN]
                case "update" if event["domain"] == DOMAIN:
                    failed = {"type": "failed", "error": event.get("error")}
                    found["info"][event["key"]] = event["data"] if event["success"] else failed
                case "finish":
                    return found


async def test_system_health_has_version_delivery_and_reachability(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    found = await page(hass, hass_ws_client)
    assert found["info"] == {
        "version": "0.1.0",
        "destinations": 1,
        "delivery": "Attic: OK",
        "pending_points": "0",
        "lag": "0 s",
        "can_reach_server": "ok",
        "server_version": database.profile.version,
    }
    assert found["manage_url"] == "/config/integrations/integration/ha_ingestor"
    assert set(WORDS["system_health"]["info"]) == set(found["info"])


async def test_a_server_is_asked_once_for_all_that_is_shown_of_it(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    version = database.profile.version
    await until(lambda: entry.runtime_data.coordinator.remembered.server_version == version)
    database.seen.clear()
    await page(hass, hass_ws_client)
    assert [request.path for request in database.seen] == ["/ping"]


async def test_a_destination_that_is_removed_while_servers_are_asked_is_not_reached(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await deliver_one(hass, entry)
    monkeypatch.setattr(system_health, "async_destinations", lambda _hass: [])
    info = (await page(hass, hass_ws_client))["info"]
    assert info["can_reach_server"] == {"type": "failed", "error": "Server unreachable"}
    assert info["server_version"] == "?"


async def test_of_several_destinations_each_is_named(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    other = new_entry(NOWHERE)
    await set_up(hass, other)
    await until(lambda: other.runtime_data.pipeline.export_state.status is Status.RETRYING)
    info = (await page(hass, hass_ws_client))["info"]
    one, two = f"Attic ({entry.entry_id})", f"Attic ({other.entry_id})"
    assert info["delivery"] == f"{one}: OK; {two}: Retrying, Server unreachable"
    assert info["pending_points"].startswith(f"{one}: 0; {two}: ")
    assert info["can_reach_server"] == {"type": "failed", "error": f"{two}: Server unreachable"}
    assert info["server_version"].endswith(f"{two}: ?")
    assert "127.0.0.1" not in str(info)


@pytest.mark.parametrize("certificate", ["", "no certificate"])
async def test_a_destination_that_is_not_loaded_is_shown(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    database: Emulator,
    certificate: str,
) -> None:
    entry = new_entry(database.url, ca_certificate=certificate)
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    if not certificate:
        assert await hass.config_entries.async_unload(entry.entry_id)
    info = (await page(hass, hass_ws_client))["info"]
    assert info["delivery"] == "Attic: not loaded"
    assert (info["pending_points"], info["lag"]) == ("?", "?")
    reached = {"type": "failed", "error": "Encryption failed"} if certificate else "ok"
    assert info["can_reach_server"] == reached


async def test_without_a_destination_it_says_so(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    found = await page(hass, hass_ws_client)
    assert found["info"] == {
        "version": "0.1.0",
        "destinations": 0,
        "delivery": "No destination is set up",
    }


async def test_it_speaks_the_language_of_the_home(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    hass.config.language = "de"
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.RETRYING)
    info = (await page(hass, hass_ws_client))["info"]
    assert info["delivery"] == "Attic: Versucht es erneut, Server nicht erreichbar"
    assert info["can_reach_server"] == {"type": "failed", "error": "Server nicht erreichbar"}
