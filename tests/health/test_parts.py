"""What is told of the parts beside the pipeline."""

from types import SimpleNamespace

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.ha_ingestor.health.parts import store_of
from custom_components.ha_ingestor.metadata_store.metadata_sync import METADATA_SYNC
from custom_components.ha_ingestor.metadata_store.store import HomeState, StoreState


async def test_the_rows_of_the_store_are_those_of_all_homes(hass: HomeAssistant) -> None:
    cabin = HomeState(synced_at=dt_util.utcnow(), rows={"devices": 5, "areas": 1})
    state = StoreState(rows={"devices": 60, "areas": 0}, others={"cabin": cabin})
    hass.data[METADATA_SYNC] = SimpleNamespace(state=state)  # type: ignore[misc]
    told = store_of(hass)
    assert told
    assert told.rows == {"devices": 65, "areas": 1}
