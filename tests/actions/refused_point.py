"""A destination with one point in quarantine."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.emulator import Answer, Emulator, Fault
from tests.shell import set_up, until

CONFLICT = Answer(status=400, body='{"error":"partial write: field type conflict dropped=1"}')


async def quarantine_one(hass: HomeAssistant, database: Emulator, entry: MockConfigEntry) -> None:
    """Have the database refuse one point."""
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, entry)
    await until(lambda: counts(entry, "quarantined", 1))


async def counts(entry: MockConfigEntry, name: str, count: int) -> bool:
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    return bool(ledger[name] == count)
