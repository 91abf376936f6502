"""The health of one destination, read at intervals and at every change of its status."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .connection import async_storage
from .const import DOMAIN, LOGGER, SPOOL_DIRECTORY
from .data_api.coordinator import RegistryCoordinator
from .enrich.attribution import Attribution
from .health.connection_log import ConnectionLog
from .health.issues.credentials import REFUSED, async_update_reauth
from .health.issues.deduplication import Deduplication
from .health.issues.destination import DestinationIssues
from .health.refused_entities import RefusedEntities
from .health.remembered import async_remember
from .health.self_test import SelfTest
from .health.server import async_note_version
from .health.texts.place import distinct_title
from .health.updates import Updates
from .pipeline.export.export_state import Status
from .pipeline.handover import Handover
from .pipeline.pipeline import Pipeline
from .pipeline.snapshot import Snapshot
from .registry.history import RegistryHistory
from .sources.local import LocalSource
from .sources.mqtt.source import MqttSource
from .sources.recorder.backfill import Backfill
from .sources.recorder.recovery import GapRecovery
from .sources.reload_handover import Build
from .sources.remote.remotes import Remotes
from .tasks.shielded import Background, SharedTask, async_shielded

# How often the health is checked.
UPDATE_INTERVAL: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorRuntimeData:
    """What runs for one config entry; `build` makes pipeline and source once more."""

    source: LocalSource
    pipeline: Pipeline
    coordinator: HealthCoordinator
    registries: RegistryCoordinator | None
    history: RegistryHistory | None
    attribution: Attribution
    self_test: SelfTest
    remotes: Remotes
    recovery: GapRecovery
    mqtt: MqttSource
    backfill: Backfill
    build: Build
    _end: SharedTask[Handover] = field(default_factory=SharedTask)

    async def async_try_now(self) -> None:
        """Deliver at once, and send the registries again: the cause of an error may be gone."""
        if self.registries:
            self.registries.sync.async_resync()
        self.remotes.async_try_now()
        await self.pipeline.flush()

    @callback
    def async_start(self) -> None:
        """Start everything but the source, which takes longer."""
        self.pipeline.start(on_change=self.coordinator.async_status_changed)
        for part in (self.registries, self.history):
            if part:
                part.async_start()

    async def async_stop(self, *, hand_over: bool = False) -> Handover:
        """Stop in the order of the data flow, so that captured events are stored or delivered.

        Whatever fails on the way, the pipeline ends. Safe to call again, also meanwhile.
        """
        return await self._end.async_run(partial(self._async_stop, hand_over=hand_over))

    async def _async_stop(self, *, hand_over: bool) -> Handover:
        stops: list[Callable[[], Awaitable[None]]] = [
            *(self.source.async_stop, self.recovery.async_stop, self.backfill.async_stop),
            partial(self.remotes.async_stop, hand_over=hand_over),
            partial(self.mqtt.async_stop, hand_over=hand_over),
            *(part.async_stop for part in (self.history, self.registries) if part),
            # The health is not read while the pipeline stops.
            self.coordinator.async_end,
        ]
        for stop in stops:
            await _stopped(stop)
        handover = await self.pipeline.stop(hand_over=hand_over)
        await _stopped(self.coordinator.async_hand_over)
        return handover


async def _stopped(stop: Callable[[], Awaitable[None]]) -> None:
    """Stop a part; the pipeline ends, and what is in memory is handed over, whatever fails."""
    try:
        await stop()
    except Exception:  # noqa: BLE001  parts of any kind
        LOGGER.exception("A part of the destination could not be stopped in order")


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
        folder = Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))
        self.remembered = async_remember(hass, entry.entry_id, dict(entry.data), folder)
        self._pipeline = pipeline
        self._deduplication = Deduplication(partial(async_storage, hass, entry.data))
        self._log = ConnectionLog()
        self._was_connected: bool | None = None
        # What was read last, which is shown only now and then.
        self._last_read: Snapshot | None = None
        self.refused = RefusedEntities(pipeline)
        self._issues = DestinationIssues(
            hass=hass,
            entry=entry,
            refused=self.refused,
            deduplication=self._deduplication,
            remembered=self.remembered,
        )
        self._updates = Updates()
        self._is_scheduled = False

    @property
    def title(self) -> str:
        """The title of the destination, told apart from others of the same."""
        return distinct_title(self.hass, self.config_entry)

    async def async_snapshot(self) -> Snapshot:
        """Read the health, with what was before a reload."""
        self._last_read = await self._pipeline.snapshot()
        found = self.remembered.completed(self._last_read)
        self.remembered.outages.note(found)
        return found

    async def async_hand_over(self) -> None:
        """Hand over what stays true to whatever runs next for this entry."""
        last = await self.async_snapshot()
        await self.hass.async_add_executor_job(self.remembered.outages.save)
        self.remembered.async_hand_over(self.hass, self.config_entry.entry_id, last)

    async def async_end(self) -> None:
        """Stop every task.

        For a task that is left Home Assistant would wait between the unload and the next state of
        the entry, where a cancellation leaves the entry for good.
        """
        await self.async_shutdown()
        await self.background.async_end()
        async with self._debounced_refresh.async_lock():
            await self._pipeline.quarantine.find_rejection()
        await asyncio.sleep(0)  # the callbacks of what has ended

    async def async_forget_rejection(self) -> None:
        """Stop reporting the points that were rejected so far."""
        self.remembered.forget_rejection()
        await self._pipeline.quarantine.forget_rejection()
        self.refused.forget()
        await self.async_refresh()

    @override
    async def _async_setup(self) -> None:
        await self.hass.async_add_executor_job(self.remembered.outages.load)

    @override
    async def _async_refresh(self, *args: Any, **kwargs: Any) -> None:
        self._is_scheduled = kwargs.get("scheduled", False)
        # One that is cancelled would be taken for one that failed: no health to be known.
        refresh = super()._async_refresh(*args, **kwargs)
        await async_shielded(self.hass, refresh, "ha_ingestor refresh")

    async def _async_update_data(self) -> Snapshot:
        state = self._pipeline.export_state
        unasked = async_update_reauth(self.hass, self.config_entry, state)
        must_read = not self._is_scheduled or self._deduplication.is_due or state.problem is REFUSED
        snapshot = None if must_read else self._unchanged()
        if snapshot is None:
            snapshot = await self._async_with_rejection(await self.async_snapshot())
            await self._async_follow(snapshot)
            self._issues.async_update(snapshot, unasked)
        shown: Snapshot | None = self.data
        if shown is None or self._updates.is_due(snapshot, shown, is_scheduled=self._is_scheduled):
            return snapshot
        return shown  # which does not notify

    def _unchanged(self) -> Snapshot | None:
        """Return what was read last, if reading it again would give the same."""
        last, pipeline = self._last_read, self._pipeline
        if last is None or not pipeline.is_unchanged_since(last):
            return None
        # The rate changes by time alone.
        last = replace(last, points_per_minute=pipeline.points_per_minute)
        return self.remembered.completed(last)

    async def _async_follow(self, snapshot: Snapshot) -> None:
        """Read what belongs to a new snapshot, and store what it has added."""
        if snapshot.export.status is Status.OK and self._deduplication.is_due:
            work = self._deduplication.async_check()
            self.background.async_begin(work, "ha_ingestor deduplication")
        await self.refused.async_update(snapshot)
        outages = self.remembered.outages
        if outages.is_due:
            await self.hass.async_add_executor_job(outages.save)

    async def _async_with_rejection(self, snapshot: Snapshot) -> Snapshot:
        """Look once for a refused point that an earlier process left in quarantine."""
        if self.remembered.is_rejection_known or not snapshot.is_open:
            return snapshot
        try:
            await self._pipeline.quarantine.find_rejection()
        except OSError:
            return snapshot  # the repair about the disk says so
        self.remembered.is_rejection_known = True
        return await self.async_snapshot()

    @callback
    def async_status_changed(self) -> None:
        """Show a change of status at once, and ask for new credentials when they are refused."""
        self._log_connection()
        self.background.async_begin(self.async_refresh(), "ha_ingestor health")

    def _log_connection(self) -> None:
        """Log once that the database is unavailable, and once that it is back."""
        state, ledger = self._pipeline.export_state, self._pipeline.ledger
        self._log.note(
            self.title,
            state,
            written=ledger.written,
            waiting=ledger.captured - ledger.settled,
        )
        # Another version may run there after it was away.
        if state.status is Status.OK and state.connected != self._was_connected:
            self.background.async_begin(self._async_note_version(), "ha_ingestor version")
        self._was_connected = state.connected

    async def _async_note_version(self) -> None:
        found = await async_note_version(self.hass, self.config_entry)
        self.remembered.server_version = found or self.remembered.server_version
