"""Points that wait while their destination becomes another kind of database."""

import pytest
from homeassistant.core import HomeAssistant

from tests.emulator import VM_NEW, Emulator
from tests.shell import new_entry, set_up, until

from .steps import enter, locate
from .test_options import BUSY, pending

pytestmark = pytest.mark.usefixtures("socket_enabled")

# Attributes as fields, so that a state without a number leaves none.
CORE = {"points": {"profile": "core"}}


@pytest.mark.parametrize("expired", ["evict", "quarantine"])
async def test_victoriametrics_gets_the_numbers_and_no_text_as_0(
    hass: HomeAssistant, database: Emulator, expired: str
) -> None:
    entry = new_entry(database.url)
    entry.add_to_hass(hass)
    options = {**CORE, "spool": {"expired": expired}}
    hass.config_entries.async_update_entry(entry, options=options)
    database.impostor = BUSY
    await set_up(hass, entry)
    for state in ("1", "text", "2", "more text", "3"):
        hass.states.async_set("sensor.a", state)
    await entry.runtime_data.pipeline.flush()
    assert await pending(entry) == 5

    async with Emulator(profile=VM_NEW) as other:
        result = await locate(hass, other.url, result=await entry.start_reconfigure_flow(hass))
        result = await enter(hass, result)
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        await entry.runtime_data.pipeline.flush()
        await until(lambda: len(other.stored) == 3)
        ledger = entry.runtime_data.pipeline.ledger
        await until(lambda: ledger.written == 3)
        assert [point.fields for point in other.stored] == [{"value": v} for v in (1.0, 2.0, 3.0)]
        assert (ledger.quarantined, ledger.evicted) == (2, 0)
        assert not ledger.imbalance(0)
    assert database.stored == []
