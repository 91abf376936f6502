"""Writes devices and entities as points at every change, if a destination has the option."""

from collections.abc import Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import DOMAIN, LOGGER
from ..enrich.selection import EntityFilter, Traits
from ..options.events import captures_registries
from ..options.filter import entity_filter
from ..pipeline.files import disk_error_text
from ..pipeline.pipeline import Pipeline
from .history_log import HistoryLog
from .history_rows import Change, Wanted, changes, states
from .model import Entity, Home
from .watch import RegistrySnapshot, async_watch

# The first time it is everything; the events of the home must find room beside it.
CHUNK: Final = 500


class RegistryHistory:
    """Offers the rows of what changed since the last one, also if that was before a restart.

    What is noted as written is on the disk. After a crash in between it is written once more.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        pipeline: Pipeline,
        written: HistoryLog,
        entity_filter: EntityFilter,
    ) -> None:
        """Prepare."""
        self._hass = hass
        self._pipeline = pipeline
        self._written = written
        self._filter = entity_filter
        self._watch = async_watch(hass)
        self._stop: CALLBACK_TYPE | None = None
        self._is_loaded = False

    @callback
    def async_start(self) -> None:
        """Follow the registries."""
        self._stop = self._watch.async_subscribe(self._async_snapshot)

    async def async_stop(self) -> None:
        """Offer what changed until now, and end. Safe to call twice."""
        if self._stop is None:
            return
        try:
            await self._watch.async_catch_up()
        except Exception:  # noqa: BLE001  integrations leave anything in a registry
            LOGGER.exception("The last changes of the registries are written after the next start")
        self._stop()
        self._stop = None

    async def _async_snapshot(self, snapshot: RegistrySnapshot) -> None:
        run = self._hass.async_add_executor_job
        for some in batched(await run(self._changes, snapshot), CHUNK, strict=False):
            for change in some:
                if change.row:
                    self._pipeline.receive(change.row)
            is_safe = await self._pipeline.commit()
            await run(self._note if is_safe else self._written.keep, some)

    def _changes(self, snapshot: RegistrySnapshot) -> list[Change]:
        if not self._is_loaded:
            self._is_loaded = True
            try:
                self._written.load()
            except OSError as err:
                LOGGER.warning(
                    "Devices and entities are all written again: %s", disk_error_text(err)
                )
        now = states(snapshot.home, wanted(snapshot.home, self._filter))
        return list(changes(self._written.states, now, snapshot.moments, snapshot.latest))

    def _note(self, some: Sequence[Change]) -> None:
        try:
            self._written.note(some)
        except OSError as err:
            LOGGER.warning(
                "Some devices and entities will be written again: %s", disk_error_text(err)
            )


def wanted(home: Home, entity_filter: EntityFilter) -> Wanted:
    """Apply the filter of the events, which never lets ourselves through."""
    devices = {device.device_id: device for device in home.devices}
    floors = {area.area_id: area.floor_id for area in home.areas}

    def is_wanted(entity: Entity) -> bool:
        device = devices.get(entity.device_id or "")
        area_id = entity.effective_area_id or ""
        traits = Traits(
            entity_id=entity.entity_id,
            domain=entity.entity_id.partition(".")[0],
            device_class=entity.device_class or "",
            integration=entity.platform,
            category=entity.entity_category or "",
            area_id=area_id,
            floor_id=floors.get(area_id) or "",
            devices=frozenset(
                filter(None, (device.device_id, device.parent_device_id) if device else ())
            ),
            labels=frozenset((*entity.labels, *(device.labels if device else ()))),
        )
        return entity.platform != DOMAIN and entity_filter.captures(traits)

    return is_wanted


def history_of(
    hass: HomeAssistant,
    options: Mapping[str, Any],
    pipeline: Pipeline,
    directory: Path,
    destination: str,
) -> RegistryHistory | None:
    """Prepare what the options of a destination ask for."""
    if not captures_registries(options):
        return None
    log = HistoryLog(directory, destination)
    return RegistryHistory(hass, pipeline, log, entity_filter(options))
