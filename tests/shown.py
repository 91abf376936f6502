"""What the entities of a destination show, for the tests that read it."""

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.snapshot import Snapshot
from tests.shell import until

# The entities that every user sees, and those that have to be enabled.
SHOWN = {
    "status",
    "current_problem",
    "last_error",
    "points_per_minute",
    "problem",
    "points_written",
    "points_quarantined",
    "points_evicted",
    "points_lost",
    "points_recovered",
    "backlog",
    "last_write",
    "database_connected",
}
ON_DEMAND = {
    "points_captured",
    "points_filtered",
    "points_deduplicated",
    "oldest_age",
    "spool_size",
    "write_latency",
    "breaker",
    "next_retry",
    "backfill",
    "processor_time",
    "queue_memory",
    "disk_written",
}


def entity_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Find the entities of an entry by their keys."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {item.unique_id.removeprefix(f"{entry.entry_id}_"): item.entity_id for item in found}


def reading(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> State:
    """Read one entity."""
    state = hass.states.get(entity_ids(hass, entry)[key])
    assert state
    return state


def shows(hass: HomeAssistant, entry: MockConfigEntry, key: str, state: str) -> bool:
    """Whether an entity has come to this state."""
    return reading(hass, entry, key).state == state


async def settle(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Commit what was captured, see what becomes of it, and let ten seconds pass."""
    pipeline = entry.runtime_data.pipeline
    await hass.async_block_till_done()
    await until(lambda: pipeline.export_state.status is not Status.STARTING)
    before = await pipeline.snapshot()
    # A request that is under way is followed by one more, of which this is about.
    awaited = 1 + (before.unanswered is not None)

    async def something_happened() -> bool:
        snapshot = await pipeline.snapshot()
        export = snapshot.export
        is_written = export.status is Status.OK and export.last_write and not snapshot.backlog
        is_put_aside = snapshot.ledger["quarantined"] > before.ledger["quarantined"]
        is_answered = _answers(snapshot) - _answers(before) >= awaited
        is_refused = is_answered and export.status is not Status.OK
        is_under_way = snapshot.breaker is BreakerState.HALF_OPEN
        return bool(is_written or is_put_aside or is_refused) and not is_under_way

    async def is_shown() -> bool:
        # A refusal that came before the flush is followed by one more try, which may be under way.
        coordinator = entry.runtime_data.coordinator
        await coordinator.async_refresh()
        return coordinator.data.breaker is not BreakerState.HALF_OPEN

    await pipeline.flush()
    await until(something_happened)
    await until(is_shown)


def _answers(snapshot: Snapshot) -> int:
    return sum(snapshot.performance.requests.values())


async def settle_quiet(entry: MockConfigEntry) -> None:
    """Wait until the destination is known to work."""
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.OK)
