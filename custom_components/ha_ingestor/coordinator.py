"""The health of one destination, read from its pipeline now and then and at every turn."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .connection import async_deduplicates
from .const import DOMAIN, LOGGER
from .deduplication import NO_DEDUPLICATION, Deduplication
from .interim import Build
from .issues import async_follow, issues_of
from .pipeline.export_state import Status
from .pipeline.pipeline import Handover, Pipeline
from .pipeline.snapshot import Snapshot
from .pipeline.verdict import Problem
from .registry_coordinator import RegistryCoordinator
from .registry_history import RegistryHistory
from .sources.causes import Causes
from .sources.local import LocalSource

# Counters that move all day would fill the recorder; nobody reads them more often than this.
UPDATE_INTERVAL: Final = timedelta(seconds=10)


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

    @callback
    def async_start(self) -> None:
        """Begin with everything but the source, which takes its time."""
        self.pipeline.start()
        for part in (self.registries, self.history):
            if part:
                part.async_start()

    async def async_stop(self, *, hand_over: bool = False) -> Handover:
        """End in the direction of the data, so that what was captured is on disk or delivered.

        Whatever fails on the way, the pipeline ends. Safe to call twice.
        """
        self.source.async_stop()
        for part in (self.history, self.registries):
            try:
                if part:
                    await part.async_stop()
            except Exception:  # noqa: BLE001  the pipeline has to end
                LOGGER.exception("%s could not be stopped in order", type(part).__name__)
        return await self.pipeline.stop(hand_over=hand_over)


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
        self._pipeline = pipeline
        self._deduplication = Deduplication(partial(async_deduplicates, hass, entry.data))
        self._connected: bool | None = None

    async def _async_update_data(self) -> Snapshot:
        snapshot = await self._pipeline.snapshot()
        entry, deduplication = self.config_entry, self._deduplication
        if snapshot.export.status is Status.OK and deduplication.is_due:
            entry.async_create_background_task(
                self.hass, deduplication.async_check(), "ha_ingestor deduplication"
            )
        async_follow(
            self.hass,
            entry.entry_id,
            entry.title,
            issues_of(snapshot) + deduplication.issues,
            undecided=() if deduplication.is_known else (NO_DEDUPLICATION,),
        )
        return snapshot

    @callback
    def async_status_changed(self) -> None:
        """Show a turn of events at once, and ask for credentials when they are refused."""
        self._log_connection()
        if self._pipeline.export_state.problem is Problem.INVALID_AUTH:
            self.config_entry.async_start_reauth(self.hass)
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), "ha_ingestor health"
        )

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
                state.detail,
            )
        self._connected = state.connected
