"""What the tests of the health API share: a home with a destination, and someone who asks."""

from http import HTTPStatus
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.pipeline.export.export_state import Status
from tests.shell import set_up, until


async def answer(client: Any, path: str, status: int = HTTPStatus.OK, **query: str) -> Any:
    """Ask, and expect an answer of JSON."""
    reply = await client.get(f"/api/ha_ingestor/{path}", params=query)
    assert reply.status == status, await reply.text()
    assert reply.content_type == "application/json"
    return await reply.json()


async def deliver_one(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let one point arrive at the database."""
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    await until(lambda: pipeline.export_state.status is Status.OK)
    hass.states.async_set("sensor.attic", "21.5", {"unit_of_measurement": "°C"})
    await hass.async_block_till_done()
    await pipeline.flush()
    await until(lambda: pipeline.export_state.last_write and pipeline.ledger.written)
