"""How many points are in quarantine now, which is not how many ever were."""

from http import HTTPStatus
from typing import Any, Final

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from tests.emulator import Emulator, Fault
from tests.shell import set_up, until
from tests.test_repairs import CONFLICT


async def _told(client: Any) -> tuple[int | None, int]:
    """Ask how many there are now, and how many there ever were."""
    await client.send_json_auto_id({"type": "ha_ingestor/health"})
    (found,) = (await client.receive_json())["result"]["destinations"]
    return found["quarantined"], found["health"]["ledger"]["quarantined"]


async def _has(client: Any, now: int, ever: int) -> None:
    async def is_so() -> bool:
        return await _told(client) == (now, ever)

    await until(is_so)


# Where a user or a monitor reads how a destination is.
WELL: Final = {
    "sensor": ("ok", "none", "off"),
    "websocket": ("ok", "none"),
    "diagnostics": ("ok", "none"),
    "http": ("healthy", None),
}
DEGRADED: Final = {
    "sensor": ("degraded", "rejected", "on"),
    "websocket": ("degraded", "rejected"),
    "diagnostics": ("degraded", "rejected"),
    "http": ("degraded", "rejected"),
}


async def _everywhere(
    hass: HomeAssistant, entry: MockConfigEntry, websocket: Any, http: Any
) -> dict[str, Any]:
    names = ("sensor.attic_status", "sensor.attic_current_problem", "binary_sensor.attic_problem")
    states = [hass.states.get(name) for name in names]
    await websocket.send_json_auto_id({"type": "ha_ingestor/health"})
    (told,) = (await websocket.receive_json())["result"]["destinations"]
    diagnostics = (await async_get_config_entry_diagnostics(hass, entry))["health"]
    reply = await http.get("/api/ha_ingestor/health")
    assert reply.status == HTTPStatus.OK
    (destination,) = (await reply.json())["destinations"]
    return {
        "sensor": tuple(state and state.state for state in states),
        "websocket": (told["health"]["condition"], told["health"]["concern"]),
        "diagnostics": (diagnostics["condition"], diagnostics["problem"]),
        "http": (destination["status"], destination["problem"]),
    }


async def test_a_refused_point_is_a_problem_everywhere_until_the_user_has_acted(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    hass.states.async_set("sensor.odd", "1")
    await set_up(hass, entry)
    websocket, http = await hass_ws_client(hass), await hass_client()
    await _has(websocket, now=1, ever=1)
    await entry.runtime_data.coordinator.async_refresh()
    assert await _everywhere(hass, entry, websocket, http) == DEGRADED

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await entry.runtime_data.coordinator.async_refresh()
    found = await _everywhere(hass, entry, websocket, http)
    assert {name: each[1] for name, each in found.items()} == dict.fromkeys(found, "rejected")

    hass.states.async_set("sensor.well", "1")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: entry.runtime_data.pipeline.ledger.written)
    await hass.services.async_call(DOMAIN, "purge_quarantine", {}, blocking=True)
    await entry.runtime_data.coordinator.async_refresh()
    assert await _everywhere(hass, entry, websocket, http) == WELL


async def test_what_is_in_quarantine_now_is_told_beside_what_ever_was(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    refusal = Fault(answer=CONFLICT, only=b"sensor.odd")
    database.faults.append(refusal)
    hass.states.async_set("sensor.odd", "1")
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    await _has(client, now=1, ever=1)

    database.faults.append(refusal)
    await hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)
    await _has(client, now=1, ever=2)

    # Whoever took note of it is not reminded, also not after a reload; it is there all the same.
    await entry.runtime_data.coordinator.async_forget_rejection()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await _has(client, now=1, ever=2)

    await hass.services.async_call(DOMAIN, "purge_quarantine", {}, blocking=True)
    await _has(client, now=0, ever=2)
