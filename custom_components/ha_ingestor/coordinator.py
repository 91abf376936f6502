"""The health of one destination, read at intervals and at every change of its status."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
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
from .enrich.attribution import Attribution
from .health.condition import condition_of, problem_of
from .health.connection_log import ConnectionLog
from .health.deduplication import NO_DEDUPLICATION, Deduplication
from .health.ignored_rows import ROWS_IGNORED
from .health.issues import (
    QUARANTINED,
    async_forget,
    async_update_issues,
    health_issues,
    undecided_issues,
)
from .health.last_hour import LastHour
from .health.place import database_of, distinct_title, server_of
from .health.rejected_point import entities_of
from .health.self_test import SelfTest
from .health.server import async_note_version
from .health.throughput import Throughput
from .pipeline.export.breaker import CHANGES, BreakerChange
from .pipeline.export.export_state import HISTORY, ExportState, Status, StatusChange
from .pipeline.export.result import Problem
from .pipeline.pipeline import Handover, Pipeline
from .pipeline.snapshot import Snapshot
from .pipeline.spool.quarantine import RejectedPoint
from .registry.history import RegistryHistory
from .sources.local import LocalSource
from .sources.reload_handover import Build
from .sources.remote.remotes import Remotes
from .tasks.shielded import Background, SharedTask, async_shielded

# How often the health is checked.
UPDATE_INTERVAL: Final = timedelta(seconds=10)
# Counters that change all day would fill the recorder: every five minutes they come to some two
# thousand rows a day. They are shown at once with whatever changes, and when somebody asks, and
# with every check in the two minutes after it, as a user may be watching.
CHECKS_PER_UPDATE: Final = 30
LOOKS_AFTER_CHANGE: Final = 12
# Enough of the quarantine to name the entities in it.
RECORDS_READ: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousHealth:
    """Health that stays valid over a reload, if the connection is the same."""

    data: Mapping[str, Any]
    history: tuple[StatusChange, ...]
    breaker_changes: tuple[BreakerChange, ...]
    rejection: RejectedPoint | None
    export: ExportState
    throughput: Throughput
    last_hour: LastHour
    server_version: str


# By entry id, between an unload and the next setup.
PREVIOUS_HEALTHS: HassKey[dict[str, PreviousHealth]] = HassKey(f"{DOMAIN}_pasts")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorRuntimeData:
    """What runs for one config entry; `build` makes pipeline and source once more."""

    source: LocalSource
    pipeline: Pipeline
    coordinator: HealthCoordinator
    registries: RegistryCoordinator | None
    history: RegistryHistory | None
    causes: Attribution
    self_test: SelfTest
    remotes: Remotes
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
        await self.source.async_stop()
        stops: list[Callable[[], Awaitable[None]]] = [
            partial(self.remotes.async_stop, hand_over=hand_over),
            *(part.async_stop for part in (self.history, self.registries) if part),
        ]
        for stop in stops:
            try:
                await stop()
            except Exception:  # noqa: BLE001  the pipeline has to end
                LOGGER.exception("A part of the destination could not be stopped in order")
        # The health is not read while the pipeline stops.
        await self.coordinator.async_end()
        handover = await self.pipeline.stop(hand_over=hand_over)
        await self.coordinator.async_hand_over()
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
        self._log = ConnectionLog()
        self._was_connected: bool | None = None
        # What was read last, which is shown only now and then.
        self._last_read: Snapshot | None = None
        # The entities in quarantine, and at which count that was.
        self._refused: tuple[int, list[str]] = (-1, [])
        self._is_snapshot_requested = False
        self._checks = 0
        # Before a reload the entry has the new data already.
        self._data = dict(entry.data)
        past = hass.data.setdefault(PREVIOUS_HEALTHS, {}).pop(entry.entry_id, None)
        is_same = past is not None and past.data == self._data
        self._history = past.history if past and is_same else ()
        self._breaker_changes = past.breaker_changes if past and is_same else ()
        self._rejection = past.rejection if past and is_same else None
        self._export = past.export if past and is_same else ExportState()
        self._throughput = past.throughput if past and is_same else Throughput()
        self.last_hour = past.last_hour if past and is_same else LastHour()
        self.server_version = past.server_version if past and is_same else ""
        # After a start of Home Assistant it is not known whether the user handled the last rejected
        # point.
        self._is_rejection_known = past is not None

    @property
    def title(self) -> str:
        """The title of the destination, told apart from others of the same."""
        return distinct_title(self.hass, self.config_entry)

    async def async_snapshot(self) -> Snapshot:
        """Read the health, with what was before a reload."""
        self._last_read = await self._pipeline.snapshot()
        return self._completed(self._last_read)

    def _completed(self, snapshot: Snapshot) -> Snapshot:
        """Add what was before a reload, and what is seen over time."""
        if snapshot.is_open:
            self._throughput.note(snapshot.ledger["written"])
            self.last_hour.note(snapshot)
        export = snapshot.export
        if export.last_write is None:
            last_write, latency = self._export.last_write, self._export.write_latency
            export = replace(export, last_write=last_write, write_latency=latency)
        return replace(
            snapshot,
            export=export,
            history=_changes((*self._history, *snapshot.history))[-HISTORY:],
            breaker_changes=(*self._breaker_changes, *snapshot.breaker_changes)[-CHANGES:],
            rejection=snapshot.rejection or self._rejection,
            points_per_minute=self._throughput.per_minute,
        )

    async def async_hand_over(self) -> None:
        """Hand over what stays true to whatever runs next for this entry."""
        snapshot = await self.async_snapshot()
        self.hass.data[PREVIOUS_HEALTHS][self.config_entry.entry_id] = PreviousHealth(
            data=self._data,
            history=snapshot.history,
            breaker_changes=snapshot.breaker_changes,
            rejection=snapshot.rejection,
            export=snapshot.export,
            throughput=self._throughput,
            last_hour=self.last_hour,
            server_version=self.server_version,
        )

    async def async_end(self) -> None:
        """Stop every task.

        For a task that is left Home Assistant would wait between the unload and the next state of
        the entry, where a cancellation leaves the entry for good.
        """
        await self.async_shutdown()
        await self.background.async_end()
        async with self._debounced_refresh.async_lock():
            pass
        await asyncio.sleep(0)  # the callbacks of what has ended

    async def async_forget_rejection(self) -> None:
        """Stop reporting the points that were rejected so far."""
        self._rejection = None
        self._is_rejection_known = True
        await self._pipeline.forget_rejection()
        await self.async_refresh()

    @override
    async def _async_refresh(self, *args: Any, **kwargs: Any) -> None:
        self._is_snapshot_requested = kwargs.get("scheduled", False)
        # One that is cancelled would be taken for one that failed: no health to be known.
        refresh = super()._async_refresh(*args, **kwargs)
        await async_shielded(self.hass, refresh, "ha_ingestor refresh")

    async def _async_update_data(self) -> Snapshot:
        entry, deduplication = self.config_entry, self._deduplication
        is_due = not self._is_snapshot_requested or deduplication.is_due
        if not is_due and self._last_read and self._pipeline.is_unchanged_since(self._last_read):
            snapshot = self._completed(self._last_read)
        else:
            snapshot = await self.async_snapshot()
            if snapshot.export.status is Status.OK and deduplication.is_due:
                work = deduplication.async_check()
                self.background.async_begin(work, "ha_ingestor deduplication")
            await self._async_note_refused(snapshot)
            async_update_issues(
                self.hass,
                entry.entry_id,
                {
                    "title": self.title,
                    "database": database_of(entry.data),
                    "server": server_of(entry.data),
                },
                health_issues(snapshot, self._refused[1]) + deduplication.issues,
                undecided=self._undecided(snapshot),
            )
        shown: Snapshot | None = self.data
        is_new = shown is None or _shown_at_once(snapshot) != _shown_at_once(shown)
        self._checks = 0 if is_new else self._checks + self._is_snapshot_requested
        is_watched = self._checks <= LOOKS_AFTER_CHANGE or not self._is_snapshot_requested
        if is_watched or self._checks % CHECKS_PER_UPDATE == 0:
            return snapshot
        return self.data  # which does not notify

    def _undecided(self, snapshot: Snapshot) -> set[str]:
        found = undecided_issues(snapshot)
        if not self._deduplication.is_known:
            found |= {NO_DEDUPLICATION, ROWS_IGNORED}
        self._is_rejection_known |= snapshot.rejection is not None
        if not self._is_rejection_known:
            found.add(QUARANTINED)
        return found

    async def _async_note_refused(self, snapshot: Snapshot) -> None:
        """Read which entities are in quarantine, when there are others."""
        count = snapshot.ledger["quarantined"]
        if snapshot.rejection is None or count == self._refused[0]:
            return
        try:
            records, _ = await self._pipeline.newest_quarantined(RECORDS_READ)
        except OSError:
            return  # the repair about the disk says so
        self._refused = count, entities_of(records)

    @callback
    def async_status_changed(self) -> None:
        """Show a change of status at once, and ask for new credentials when they are refused."""
        if self._pipeline.export_state.problem is Problem.INVALID_AUTH:
            self.config_entry.async_start_reauth(self.hass)
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
        self.server_version = found or self.server_version


def _shown_at_once(snapshot: Snapshot) -> tuple[object, ...]:
    """Return everything but what changes all day."""
    return (*snapshot.condition, condition_of(snapshot), problem_of(snapshot))


def _changes(history: Iterable[StatusChange]) -> tuple[StatusChange, ...]:
    """Leave out what a reload repeats."""
    kept: list[StatusChange] = []
    for change in history:
        if not kept or (change.status, change.problem) != (kept[-1].status, kept[-1].problem):
            kept.append(change)
    return tuple(kept)


@callback
def async_forget_unloaded(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Clear the issues of a destination that stays unloaded, for example a disabled one.

    Without the lock of the entry: a reload would have to wait for it, and could be cancelled.
    """

    @callback
    def async_check_unloaded() -> None:
        stop()
        if entry.state is ConfigEntryState.NOT_LOADED:
            hass.data.get(PREVIOUS_HEALTHS, {}).pop(entry.entry_id, None)
            async_forget(hass, entry.entry_id)

    @callback
    def async_changed() -> None:
        # In a reload the next state follows at once.
        if entry.state is ConfigEntryState.NOT_LOADED:
            hass.loop.call_soon(async_check_unloaded)

    stop = entry.async_on_state_change(async_changed)
