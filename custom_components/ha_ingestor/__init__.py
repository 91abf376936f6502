"""HA Ingestor: every state change of Home Assistant, durably in a time series database."""

from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from homeassistant.const import (
    CONF_URL,
    EVENT_CORE_CONFIG_UPDATE,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.json import json_dumps
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from .catalog import Catalog
from .clients.address import is_same_machine
from .connection import async_client
from .const import DOMAIN, SPOOL_DIRECTORY
from .coordinator import (
    HaIngestorConfigEntry,
    HealthCoordinator,
    IngestorRuntimeData,
    async_forget_unloaded,
)
from .http import async_setup_views
from .issues import async_forget
from .metadata_keeper import async_keep, async_release, metadata_directory
from .metadata_store.store import delete_store
from .options.events import captures_reports, event_types
from .options.exclude import excluded
from .options.noise import deduplication_window, rule_table
from .options.points import skips_unavailable
from .options.spool import expired_points, gather_seconds, spool_settings
from .options.weather import weather_entity, weather_max_age
from .pipeline.files import OsFiles
from .pipeline.outcome import Dialect
from .pipeline.pipeline import Pipeline
from .pipeline.sieve import SieveSettings
from .profiles import profile_of
from .registry_coordinator import async_registries
from .registry_history import history_of
from .services import async_setup_services
from .sources.causes import Causes
from .sources.gap import Gap
from .sources.local import LocalSource
from .sources.weather import WeatherWatch

# A reload must leave no gap: what happens between unload and setup, by entry id.
GAPS: HassKey[dict[str, Gap]] = HassKey(f"{DOMAIN}_gaps")

PLATFORMS = (Platform.BINARY_SENSOR, Platform.SENSOR)


CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register actions and views, which explain themselves when there is no destination yet."""
    async_setup_services(hass)
    async_setup_views(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Put the pipeline of one destination together and let it run.

    An unreachable database is no reason to fail: what is captured waits on disk.
    """
    client = await async_client(hass, entry.data)
    location = hass.config.location_name
    options = entry.options
    catalog = Catalog(hass, exclude=excluded(options), rules=rule_table(options))
    causes = Causes(hass)
    entry.async_on_unload(await causes.async_start())
    pipeline = Pipeline(
        profile=profile_of(
            options,
            location=location,
            numbers_only=client.dialect is Dialect.VICTORIAMETRICS,
            causes=causes,
        ),
        files=OsFiles(_spool_path(hass, entry)),
        writer=client,
        settings=spool_settings(options),
        sieve=SieveSettings(
            window=deduplication_window(options), skip_unavailable=skips_unavailable(options)
        ),
        on_change=lambda: coordinator.async_status_changed(),  # noqa: PLW0108  it comes later
        destination=entry.title,
        gzip=not is_same_machine(entry.data[CONF_URL]),
        gather_seconds=gather_seconds(options),
        expired=expired_points(options),
        contexts=catalog,
        dumps=json_dumps,
    )
    coordinator = HealthCoordinator(hass, entry, pipeline)
    source = LocalSource(
        hass,
        catalog,
        pipeline,
        event_types=event_types(options),
        reported=captures_reports(options),
        weather=WeatherWatch(hass, weather_entity(options), weather_max_age(options)),
    )
    runtime = IngestorRuntimeData(
        source=source,
        pipeline=pipeline,
        coordinator=coordinator,
        registries=await async_registries(hass, entry),
        history=history_of(
            hass, options, pipeline, _spool_path(hass, entry), entry.unique_id or ""
        ),
    )
    entry.runtime_data = runtime
    await coordinator.async_config_entry_first_refresh()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    async def async_final_write(_event: Event) -> None:
        await runtime.async_stop()
        await async_release(hass, entry.entry_id)

    # Nothing below waits, so nothing below can fail half-way and leave the pipeline running.
    pipeline.start()
    if runtime.registries:
        runtime.registries.async_start()
    if runtime.history:
        runtime.history.async_start()
    source.async_start(hass.data.setdefault(GAPS, {}).pop(entry.entry_id, None))
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_final_write)
    )
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    async_keep(hass, entry.entry_id)

    @callback
    def async_home_renamed(_event: Event) -> None:
        if hass.config.location_name != location:
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, async_home_renamed))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Stop, with everything captured on disk or delivered."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    hass.data[GAPS][entry.entry_id] = entry.runtime_data.source.async_leave_off()
    await entry.runtime_data.async_stop()
    await async_release(hass, entry.entry_id)
    hass.async_create_task(async_forget_unloaded(hass, entry), "ha_ingestor forget")
    return True


async def async_remove_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Delete the spool of a destination that is no more, and with the last one the metadata."""
    async_forget(hass, entry.entry_id)
    if gap := hass.data.get(GAPS, {}).pop(entry.entry_id, None):
        gap.async_stop()
    if not hass.config_entries.async_entries(DOMAIN):
        await hass.async_add_executor_job(delete_store, metadata_directory(hass))
    await hass.async_add_executor_job(_delete, _spool_path(hass, entry))


async def _async_reload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    hass.config_entries.async_schedule_reload(entry.entry_id)


def _delete(spool: Path) -> None:
    rmtree(spool, ignore_errors=True)
    with suppress(OSError):
        spool.parent.rmdir()  # refused while another destination's spool is in it


def _spool_path(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> Path:
    return Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))
