"""The health of one destination, read from its pipeline now and then and at every turn."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util.hass_dict import HassKey

from .connection import async_storage
from .const import DOMAIN, LOGGER
from .data_api.coordinator import RegistryCoordinator
from .enrich.attribution import Causes
from .health.deduplication import NO_DEDUPLICATION, Deduplication
from .health.ignored_rows import ROWS_IGNORED
from .health.issues import QUARANTINED, async_follow, async_forget, health_issues, undecided_issues
from .health.server_text import plain
from .pipeline.export.export_state import HISTORY, Status, Turn
from .pipeline.export.result import Problem
from .pipeline.pipeline import Handover, Pipeline
from .pipeline.snapshot import Snapshot
from .pipeline.spool.quarantine import Rejection
from .registry.history import RegistryHistory
from .sources.interim import Build
from .sources.local import LocalSource
from .tasks.whole import Background, Once, async_whole

# How often it is looked whether something is wrong.
UPDATE_INTERVAL: Final = timedelta(seconds=10)
# Numbers that move all day would fill the recorder: every five minutes they come to some two
# thousand rows a day. They are shown at once with whatever changes, and when somebody asks, and
# with every look in the two minutes after it, when somebody may be watching.
LOOKS_PER_NUMBERS: Final = 30
LOOKS_AFTER_CHANGE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is still true of a destination after a reload, if its connection is the same."""

    data: Mapping[str, Any]
    history: tuple[Turn, ...]
    rejection: Rejection | None


# By entry id, from the end of what ran until the begin of what runs next.
PASTS: HassKey[dict[str, Past]] = HassKey(f"{DOMAIN}_pasts")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorRuntimeData:
    """What runs for one config entry; `build` makes pipeline and source once more."""

    source: LocalSource
    pipeline: Pipeline
    coordinator: HealthCoordinator
    registries: RegistryCoordinator | None
    history: RegistryHistory | None
    causes: Causes
    build: Build
    _end: Once[Handover] = field(default_factory=Once)

    async def async_try_now(self) -> None:
        """Deliver at once, and send the registries again: what stood in the way may be mended."""
        if self.registries:
            self.registries.sync.async_resync()
        await self.pipeline.flush()

    @callback
    def async_start(self) -> None:
        """Begin with everything but the source, which takes its time."""
        self.pipeline.start(on_change=self.coordinator.async_status_changed)
        for part in (self.registries, self.history):
            if part:
                part.async_start()

    async def async_stop(self, *, hand_over: bool = False) -> Handover:
        """End in the direction of the data, so that what was captured is on disk or delivered.

        Whatever fails on the way, the pipeline ends. Safe to call again, also meanwhile.
        """
        return await self._end.async_do(partial(self._async_stop, hand_over=hand_over))

    async def _async_stop(self, *, hand_over: bool) -> Handover:
        self.source.async_stop()
        for part in (self.history, self.registries):
            try:
                if part:
                    await part.async_stop()
            except Exception:  # noqa: BLE001  the pipeline has to end
                LOGGER.exception("%s could not be stopped in order", type(part).__name__)
        # Nobody reads the health of a pipeline while it ends.
        await self.coordinator.async_end()
        handover = await self.pipeline.stop(hand_over=hand_over)
        await self.coordinator.async_leave()
        return handover


type HaIngestorConfigEntry = ConfigEntry[IngestorRuntimeData]


class HealthCoordinator(DataUpdateCoordinator[Snapshot]):
    """Publishes the pipeline's health."""

    config_entry: HaIngestorConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: HaIngestorConfigEntry, pipeline: Pipeline
    ) -> None:
        """Watch one pipeline."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=DOMAIN,
            update_interval=UPDATE_INTERVAL,
            always_update=False,
        )
        self.background = Background(hass)
        self._pipeline = pipeline
        self._deduplication = Deduplication(partial(async_storage, hass, entry.data))
        self._connected: bool | None = None
        self._is_look = False
        self._looks = 0
        # Before a reload the entry has the new data already.
        self._data = dict(entry.data)
        past = hass.data.setdefault(PASTS, {}).pop(entry.entry_id, None)
        is_same = past is not None and past.data == self._data
        self._history = past.history if past and is_same else ()
        self._rejection = past.rejection if past and is_same else None
        # After a start of Home Assistant nobody knows whether the last refused point was seen to.
        self._is_rejection_known = past is not None

    async def async_snapshot(self) -> Snapshot:
        """Read the health, with what was before a reload."""
        snapshot = await self._pipeline.snapshot()
        return replace(
            snapshot,
            history=(*self._history, *snapshot.history)[-HISTORY:],
            rejection=snapshot.rejection or self._rejection,
        )

    async def async_leave(self) -> None:
        """Hand over what stays true to whatever runs next for this entry."""
        snapshot = await self.async_snapshot()
        self.hass.data[PASTS][self.config_entry.entry_id] = Past(
            data=self._data,
            history=snapshot.history,
            rejection=snapshot.rejection,
        )

    async def async_end(self) -> None:
        """Leave nothing that runs.

        For a task that is left Home Assistant would wait between the unload and the next state of
        the entry, where a cancellation leaves the entry for good.
        """
        await self.async_shutdown()
        await self.background.async_end()
        async with self._debounced_refresh.async_lock():
            pass
        await asyncio.sleep(0)  # the callbacks of what has ended

    async def async_forget_rejection(self) -> None:
        """Say nothing more of the points that were refused so far."""
        self._rejection = None
        self._is_rejection_known = True
        await self._pipeline.forget_rejection()
        await self.async_refresh()

    @override
    async def _async_refresh(self, *args: Any, **kwargs: Any) -> None:
        self._is_look = kwargs.get("scheduled", False)
        # One that is cancelled would be taken for one that failed: no health to be known.
        refresh = super()._async_refresh(*args, **kwargs)
        await async_whole(self.hass, refresh, "ha_ingestor refresh")

    async def _async_update_data(self) -> Snapshot:
        entry, deduplication = self.config_entry, self._deduplication
        is_due = not self._is_look or deduplication.is_due
        if not is_due and self._pipeline.is_unchanged_since(self.data):
            return self.data
        snapshot = await self.async_snapshot()
        if snapshot.export.status is Status.OK and deduplication.is_due:
            self.background.async_begin(deduplication.async_check(), "ha_ingestor deduplication")
        async_follow(
            self.hass,
            entry.entry_id,
            entry.title,
            health_issues(snapshot) + deduplication.issues,
            undecided=self._undecided(snapshot),
        )
        is_new = snapshot.condition != getattr(self.data, "condition", None)
        self._looks = 0 if is_new else self._looks + self._is_look
        is_watched = self._looks <= LOOKS_AFTER_CHANGE or not self._is_look
        if is_watched or self._looks % LOOKS_PER_NUMBERS == 0:
            return snapshot
        return self.data  # which tells nobody

    def _undecided(self, snapshot: Snapshot) -> set[str]:
        found = undecided_issues(snapshot)
        if not self._deduplication.is_known:
            found |= {NO_DEDUPLICATION, ROWS_IGNORED}
        self._is_rejection_known |= snapshot.rejection is not None
        if not self._is_rejection_known:
            found.add(QUARANTINED)
        return found

    @callback
    def async_status_changed(self) -> None:
        """Show a turn of events at once, and ask for credentials when they are refused."""
        self._log_connection()
        if self._pipeline.export_state.problem is Problem.INVALID_AUTH:
            self.config_entry.async_start_reauth(self.hass)
        self.background.async_begin(self.async_refresh(), "ha_ingestor health")

    def _log_connection(self) -> None:
        """Say once that the database is lost, and once that it is back."""
        state = self._pipeline.export_state
        if state.connected == self._connected or state.connected is None:
            return
        if state.status is Status.OK:
            if self._connected is False:
                LOGGER.info("%s accepts points again", self.config_entry.title)
        else:
            LOGGER.warning(
                "%s does not accept points, which wait on disk: %s (%s)",
                self.config_entry.title,
                state.problem,
                plain(state.detail),
            )
        self._connected = state.connected


@callback
def async_forget_unloaded(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Leave nothing of a destination that is unloaded and not loaded again, as when disabled.

    Without the lock of the entry: a reload would have to wait for it, and could be cancelled.
    """

    @callback
    def async_look() -> None:
        stop()
        if entry.state is ConfigEntryState.NOT_LOADED:
            hass.data.get(PASTS, {}).pop(entry.entry_id, None)
            async_forget(hass, entry.entry_id)

    @callback
    def async_changed() -> None:
        # In a reload the next state follows at once.
        if entry.state is ConfigEntryState.NOT_LOADED:
            hass.loop.call_soon(async_look)

    stop = entry.async_on_state_change(async_changed)
