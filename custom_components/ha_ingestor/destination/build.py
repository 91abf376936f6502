"""Builds what runs for one destination, from its entry; nothing of it runs yet."""

from dataclasses import dataclass
from functools import partial

from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_dumps

from ..clients.address import is_same_machine
from ..clients.influx.client import InfluxClient
from ..clients.influx.dialect import Dialect
from ..connection import async_read_back
from ..const import SUBENTRY_MQTT, SUBENTRY_REMOTE
from ..coordinator import HaIngestorConfigEntry, HealthCoordinator, IngestorRuntimeData
from ..data_api.coordinator import async_registries
from ..enrich.attribution import Attribution
from ..enrich.catalog import Catalog
from ..enrich.weather import WeatherWatch
from ..health.self_test import SelfTest
from ..options.events import captures_reports, event_types
from ..options.filter import entity_filter
from ..options.history import gap_days
from ..options.mqtt import measurements_of
from ..options.noise import deduplication_window, rule_table
from ..options.points import skips_unavailable
from ..options.profile import profile_of
from ..options.spool import delivery_settings, spool_settings
from ..options.weather import weather_entity, weather_max_age
from ..pipeline.build import build_pipeline
from ..pipeline.files import OsFiles
from ..pipeline.filter.filters import NoiseFilterSettings
from ..pipeline.handover import Handover
from ..pipeline.pipeline import Pipeline
from ..registry.history import history_of
from ..sources.local import LocalSource
from ..sources.mqtt.source import MqttSource
from ..sources.recorder.backfill import Backfill
from ..sources.recorder.gaps import Gaps
from ..sources.recorder.recovery import GapRecovery
from ..sources.reload_buffer import ReloadBuffer
from ..sources.reload_handover import Build, ReloadHandover
from ..sources.remote.remotes import Contexts, Remotes
from .spool_folder import spool_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is needed to `build` pipeline and source, by the entry as it was.

    `location` is the name of the home.
    """

    client: InfluxClient
    attribution: Attribution
    catalog: Catalog
    contexts: Contexts
    location: str
    build: Build


def prepare(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    client: InfluxClient,
    before: ReloadHandover | None,
) -> Parts:
    """Make the parts; attribution and catalog have to be started, unless they are of `before`."""
    options, location = entry.options, hass.config.location_name
    attribution = before.attribution if before else Attribution(hass)
    catalog = Catalog(hass, entity_filter=entity_filter(options), rules=rule_table(options))
    contexts = Contexts(catalog)
    profile = profile_of(
        options,
        location=location,
        numbers_only=client.dialect is Dialect.VICTORIAMETRICS,
        attribution=attribution,
        has_instances=bool(entry.get_subentries_of_type(SUBENTRY_REMOTE)),
        of_messages=measurements_of(
            subentry.data for subentry in entry.get_subentries_of_type(SUBENTRY_MQTT)
        ),
    )

    def build(
        resume: Handover | None, reload_buffer: ReloadBuffer | None
    ) -> tuple[Pipeline, LocalSource]:
        pipeline = build_pipeline(
            profile=profile,
            files=OsFiles(spool_folder(hass, entry)),
            writer=client,
            settings=spool_settings(options),
            noise_filter=NoiseFilterSettings(
                window=deduplication_window(options),
                skip_unavailable=skips_unavailable(options),
            ),
            destination=entry.title,
            delivery=delivery_settings(options, gzip=not is_same_machine(entry.data[CONF_URL])),
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

    return Parts(
        client=client,
        attribution=attribution,
        catalog=catalog,
        contexts=contexts,
        location=location,
        build=build,
    )


async def async_build(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    parts: Parts,
    before: ReloadHandover | None,
) -> IngestorRuntimeData:
    """Build what runs, which goes on where `before` ended; raises AddressError."""
    resume = await before.async_handover() if before else None
    pipeline, source = parts.build(resume, before.reload_buffer if before else None)
    coordinator = HealthCoordinator(hass, entry, pipeline)
    remotes = Remotes(hass, entry, pipeline, parts.contexts, parts.attribution)
    directory = spool_folder(hass, entry)
    read_back = partial(async_read_back, hass, dict(entry.data))
    return IngestorRuntimeData(
        source=source,
        pipeline=pipeline,
        coordinator=coordinator,
        registries=await async_registries(hass, entry),
        history=history_of(hass, entry.options, pipeline, directory, entry.unique_id or ""),
        attribution=parts.attribution,
        self_test=SelfTest(pipeline, parts.client, read_back),
        remotes=remotes,
        recovery=GapRecovery(
            hass,
            pipeline.past_events,
            parts.catalog,
            source,
            Gaps(path=directory),
            max_days=gap_days(entry.options),
            present=before.present if before else None,
        ),
        mqtt=MqttSource(hass, entry, pipeline),
        backfill=Backfill(
            hass, pipeline.past_events, parts.catalog, directory, parts.client.retention
        ),
        build=parts.build,
    )
