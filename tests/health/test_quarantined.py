"""How many points are in quarantine now, which is not how many ever were."""

from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ha_ingestor.const import DOMAIN
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
