"""HA Ingestor: every state change of Home Assistant, durably in a time series database."""

from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from shutil import rmtree

from homeassistant.const import (
    CONF_URL,
    EVENT_CORE_CONFIG_UPDATE,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    Platform,
)
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.json import json_dumps
from homeassistant.helpers.typing import ConfigType

from .clients.address import AddressError, is_same_machine
from .clients.influx.dialect import Dialect
from .connection import CertificateError, async_client, async_read_back
from .const import DOMAIN, SPOOL_DIRECTORY, SUBENTRY_REMOTE
from .coordinator import (
    HaIngestorConfigEntry,
    HealthCoordinator,
    IngestorRuntimeData,
    async_forget_unloaded,
)
from .data_api.coordinator import async_registries
from .enrich.attribution import Attribution
from .enrich.catalog import Catalog
from .enrich.weather import WeatherWatch
from .health.deletion import async_tell_deleted
from .health.issues import async_forget
from .health.self_test import SelfTest
from .health.server_text import plain
from .http import async_setup_views
from .metadata_store.metadata_sync import async_keep, async_release, metadata_directory
from .metadata_store.store import delete_store
from .options.events import captures_reports, event_types
from .options.filter import entity_filter
from .options.noise import deduplication_window, rule_table
from .options.points import skips_unavailable
from .options.profile import profile_of
from .options.spool import (
    delivery_settings,
    expired_points,
    gather_seconds,
    spool_settings,
)
from .options.weather import weather_entity, weather_max_age
from .panel import async_serve, async_show
from .pipeline.filter.filters import NoiseFilterSettings
from .pipeline.pipeline import Handover, Pipeline
from .pipeline.spool.files import OsFiles
from .pipeline.spool.waiting import waiting_points
from .registry.history import history_of
from .services import async_setup_services
from .sources.local import LocalSource
from .sources.reload_buffer import ReloadBuffer
from .sources.reload_handover import RELOAD_HANDOVERS, ReloadHandover
from .sources.remote.remotes import Contexts, Remotes, async_forget_remotes
from .tasks.shielded import async_finish
from .websocket_api import async_setup_commands

PLATFORMS = (Platform.BINARY_SENSOR, Platform.BUTTON, Platform.SENSOR)

_AFTER_FINAL_WRITE = frozenset({CoreState.final_write, CoreState.stopped})

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register actions, views, commands and the panel, also before there is a destination."""
    async_setup_services(hass)
    async_setup_views(hass)
    async_setup_commands(hass)
    await async_serve(hass)
    await async_show(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Build and start the pipeline of one destination; undo everything when that fails.

    An unreachable database does not fail the setup: captured events wait on disk. Only what no
    attempt could change does.
    """
    await async_show(hass)
    try:
        return await async_finish(hass, _async_set_up(hass, entry), "ha_ingestor setup")
    except (AddressError, CertificateError) as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="invalid_connection",
            translation_placeholders={"title": plain(entry.title)},
        ) from err


async def _async_set_up(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    async with AsyncExitStack() as undo:
        client = await async_client(hass, entry.data)
        location = hass.config.location_name
        options = entry.options
        reload_handovers = hass.data.setdefault(RELOAD_HANDOVERS, {})
        reload_handover = reload_handovers.get(entry.entry_id)
        causes = reload_handover.causes if reload_handover else Attribution(hass)
        if not reload_handover:
            undo.callback(causes.async_stop)
        await causes.async_start()
        catalog = Catalog(hass, entity_filter=entity_filter(options), rules=rule_table(options))
        undo.callback(catalog.async_stop)
        await catalog.async_start()
        numbers_only = client.dialect is Dialect.VICTORIAMETRICS
        profile = profile_of(
            options,
            location=location,
            numbers_only=numbers_only,
            causes=causes,
            has_instances=bool(entry.get_subentries_of_type(SUBENTRY_REMOTE)),
        )
        contexts = Contexts(catalog)

        def build(
            resume: Handover | None, reload_buffer: ReloadBuffer | None
        ) -> tuple[Pipeline, LocalSource]:
            pipeline = Pipeline(
                profile=profile,
                files=OsFiles(_spool_path(hass, entry)),
                writer=client,
                settings=spool_settings(options),
                noise_filter=NoiseFilterSettings(
                    window=deduplication_window(options),
                    skip_unavailable=skips_unavailable(options),
                ),
                destination=entry.title,
                gzip=not is_same_machine(entry.data[CONF_URL]),
                numbers_only=numbers_only,
                gather_seconds=gather_seconds(options),
                expired=expired_points(options),
                delivery=delivery_settings(options),
                contexts=contexts,
                dumps=json_dumps,
                resume=resume,
            )
            source = LocalSource(
                hass,
                catalog,
                pipeline,
                event_types=event_types(options),
                reported=captures_reports(options),
                weather=WeatherWatch(hass, weather_entity(options), weather_max_age(options)),
                reload_buffer=reload_buffer,
            )
            return pipeline, source

        resume = await reload_handover.async_handover() if reload_handover else None
        pipeline, source = build(resume, reload_handover.reload_buffer if reload_handover else None)
        coordinator = HealthCoordinator(hass, entry, pipeline)
        remotes = Remotes(hass, entry, pipeline, contexts, causes)
        undo.push_async_callback(coordinator.async_end)
        entry.runtime_data = runtime = IngestorRuntimeData(
            source=source,
            pipeline=pipeline,
            coordinator=coordinator,
            registries=await async_registries(hass, entry),
            history=history_of(
                hass, options, pipeline, _spool_path(hass, entry), entry.unique_id or ""
            ),
            causes=causes,
            self_test=SelfTest(pipeline, client, partial(async_read_back, hass, dict(entry.data))),
            remotes=remotes,
            build=build,
        )
        await coordinator.async_config_entry_first_refresh()
        undo.push_async_callback(_async_unload_platforms, hass, entry)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        if reload_handover and reload_handover.is_over:
            raise ConfigEntryNotReady  # Home Assistant stops, and everything is stored

        async def async_final_write(_event: Event | None = None) -> None:
            await runtime.async_stop()
            await async_release(hass, entry.entry_id)

        # From here on this pipeline owns the events in memory; it returns them when the setup
        # fails.
        undo.pop_all()
        undo.push_async_callback(_async_unload_platforms, hass, entry)
        undo.push_async_callback(_async_pause, hass, entry)
        if reload_handover:
            reload_handovers.pop(entry.entry_id).async_take()
        entry.async_on_unload(
            hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_final_write)
        )
        runtime.async_start()
        async_keep(hass, entry.entry_id)
        entry.async_on_unload(entry.add_update_listener(_async_reload))
        _async_reload_when_renamed(hass, entry, location)
        await source.async_start()
        await remotes.async_start()
        undo.pop_all()
    if hass.state in _AFTER_FINAL_WRITE:
        await async_final_write()
    return True


@callback
def _async_reload_when_renamed(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, location: str
) -> None:
    @callback
    def async_config_updated(_event: Event) -> None:
        if hass.config.location_name != location:
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, async_config_updated))


async def async_unload_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Stop, with everything captured on disk or delivered."""
    await async_show(hass)  # not for one that was disabled, if there is no other
    return await async_finish(hass, _async_unload(hass, entry), "ha_ingestor unload")


async def _async_unload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await _async_pause(hass, entry)
    async_forget_unloaded(hass, entry)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Delete the spool of a removed destination; with the last destination, also the metadata."""
    await async_show(hass)
    await async_finish(hass, _async_remove(hass, entry), "ha_ingestor removal")


async def _async_remove(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    async_forget(hass, entry.entry_id)
    await async_forget_remotes(hass, entry)
    if reload_handover := hass.data.get(RELOAD_HANDOVERS, {}).pop(entry.entry_id, None):
        reload_handover.async_drop()
    if not hass.config_entries.async_entries(DOMAIN):
        await hass.async_add_executor_job(delete_store, metadata_directory(hass))
    if waiting := await hass.async_add_executor_job(_delete, _spool_path(hass, entry)):
        async_tell_deleted(hass, entry.entry_id, entry.title, waiting)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, device: DeviceEntry
) -> bool:
    """Allow to delete a device that belongs to nothing that is there."""
    return not device.identifiers & {(DOMAIN, each) for each in (entry.entry_id, *entry.subentries)}


async def _async_pause(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Stop, and keep events in memory and following events for the next setup."""
    runtime, is_disabled = entry.runtime_data, entry.disabled_by is not None
    reload_buffer = runtime.source.async_pause(is_disabled=is_disabled)
    stop = partial(runtime.async_stop, hand_over=not is_disabled)
    build = None if is_disabled else runtime.build
    # Before the first await, so that the buffer receives every event from here on.
    reload_handover = ReloadHandover(hass, reload_buffer, stop, runtime.causes, build)
    hass.data[RELOAD_HANDOVERS][entry.entry_id] = reload_handover
    if is_disabled:
        runtime.causes.async_stop()
    await reload_handover.async_handover()
    await async_release(hass, entry.entry_id)
    if hass.state in _AFTER_FINAL_WRITE:
        await reload_handover.async_final_write()


async def _async_unload_platforms(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Unload those platforms that were set up before one of them failed."""
    for platform in PLATFORMS:
        with suppress(ValueError):  # it never was
            await hass.config_entries.async_forward_entry_unload(entry, platform)


async def _async_reload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    hass.config_entries.async_schedule_reload(entry.entry_id)


def _delete(spool: Path) -> int:
    """Delete a spool, and return how many points waited there."""
    waiting = waiting_points(OsFiles(spool)) if spool.is_dir() else 0
    rmtree(spool, ignore_errors=True)
    with suppress(OSError):
        spool.parent.rmdir()  # refused while another destination's spool is in it
    return waiting


def _spool_path(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> Path:
    return Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))
