"""Prometheus reads the metrics, and they say what was counted."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import prometheus_client
import pytest
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from scripts.rig.data_api import DataApi
from tests.data_api.test_data_api import with_data_api
from tests.emulator import Emulator
from tests.shell import NOWHERE, new_entry, set_up, until

from ..seen import deliver_one

# The metrics that the service before us promised by name.
PROMISED: Final[Mapping[str, str]] = {
    "ha_ingestor_events_processed_total": "counter",
    "ha_ingestor_pipeline_processing_duration_seconds": "histogram",
    "ha_ingestor_connection_latency_seconds": "histogram",
    "ha_ingestor_errors_total": "counter",
    "ha_ingestor_influxdb_points_written_total": "counter",
}
STAGES: Final = (
    "ha_ingestor_pipeline_processing_duration_seconds",
    "ha_ingestor_connection_latency_seconds",
    "ha_ingestor_commit_wait_seconds",
    "ha_ingestor_end_to_end_seconds",
)


async def scrape(client: Any, **query: str) -> dict[str, Metric]:
    """Ask as Prometheus does, and read with its own reader."""
    reply = await client.get("/api/ha_ingestor/metrics", params=query)
    assert reply.status == HTTPStatus.OK
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(await reply.text()))
    found = {family.name: family for family in families}
    assert len(found) == len(families)  # each name once
    return found


def samples(families: Mapping[str, Metric], name: str, **labels: str) -> list[float]:
    """Read the samples of a name that have these labels."""
    return [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def value(families: Mapping[str, Metric], name: str, **labels: str) -> float:
    """Read the one sample of a name."""
    (found,) = samples(families, name, **labels)
    return found


async def test_the_metrics_that_were_promised_are_there_by_name_and_type(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    families = await scrape(await hass_client())
    for name, kind in PROMISED.items():
        assert families[name.removesuffix("_total")].type == kind


async def test_counts_are_those_of_the_ledger(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    for _ in range(3):
        hass.states.async_set("sensor.attic", "unavailable")
        hass.states.async_set("sensor.attic", "1")
    await hass.async_block_till_done()
    client = await hass_client()
    families = await scrape(client)
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    attic = {"destination": "Attic"}
    received = value(families, "ha_ingestor_events_received_total", **attic)
    assert received == ledger["received"] >= 7
    assert value(families, "ha_ingestor_influxdb_points_written_total", **attic) >= 1
    filtered = samples(families, "ha_ingestor_events_filtered_total")
    gone = value(families, "ha_ingestor_events_deduplicated_total")
    captured = value(families, "ha_ingestor_points_captured_total")
    waiting = value(families, "ha_ingestor_events_waiting")
    assert received == sum(filtered) + gone + captured + waiting
    assert value(families, "ha_ingestor_events_processed_total") == received - waiting
    assert value(families, "ha_ingestor_ledger_balanced") == 1
    assert value(families, "ha_ingestor_database_connected") == 1
    assert value(families, "ha_ingestor_status", state="ok") == 1
    assert sum(samples(families, "ha_ingestor_status")) == 1
    assert value(families, "ha_ingestor_requests_total", result="accepted") >= 2


async def test_every_stage_has_a_histogram_that_adds_up(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    families = await scrape(await hass_client())
    for name in STAGES:
        count = value(families, f"{name}_count")
        assert count >= 1, name
        assert value(families, f"{name}_sum") > 0, name
        buckets = [
            (float(sample.labels["le"]), sample.value)
            for sample in families[name].samples
            if sample.name == f"{name}_bucket"
        ]
        assert buckets == sorted(buckets)
        assert [each for _, each in buckets] == sorted(each for _, each in buckets)
        assert buckets[-1] == (math.inf, count)


async def test_the_metrics_tell_processor_time_disk_and_memory(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_client()
    families = await scrape(client)
    assert 0 < value(families, "ha_ingestor_cpu_seconds_total") < 10
    assert value(families, "ha_ingestor_disk_written_bytes_total") > 1000
    assert value(families, "ha_ingestor_queue_bytes") >= 0
    assert value(families, "ha_ingestor_sent_bytes_total") > 100


async def test_errors_are_counted_by_their_reason(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, socket_enabled: None
) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.RETRYING)
    families = await scrape(await hass_client())
    assert value(families, "ha_ingestor_errors_total", reason="unreachable") >= 1
    assert value(families, "ha_ingestor_database_connected") == 0
    assert value(families, "ha_ingestor_breaker_state", state="open") == 1
    assert samples(families, "ha_ingestor_last_write_timestamp_seconds") == []


async def test_destinations_are_told_apart_also_with_one_title(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    other = new_entry(f"{database.url}/other")
    await set_up(hass, other)
    client = await hass_client()
    families = await scrape(client)
    names = {f"Attic ({each.entry_id})" for each in (entry, other)}
    loaded = families["ha_ingestor_destination_loaded"].samples
    assert {sample.labels["destination"] for sample in loaded} == names
    one = await scrape(client, config_entry_id=other.entry_id)
    assert len(samples(one, "ha_ingestor_events_received_total")) == 1


async def test_a_title_with_markup_breaks_nothing(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, database: Emulator
) -> None:
    entry = new_entry(database.url)
    await deliver_one(hass, entry)
    title = 'a"b\\c\n<img src=x>{d="e"}'
    hass.config_entries.async_update_entry(entry, title=title)
    await hass.async_block_till_done()
    families = await scrape(await hass_client())
    (sample,) = families["ha_ingestor_destination_loaded"].samples
    assert sample.labels["destination"] == title


async def test_a_destination_that_is_not_loaded_says_that_alone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    families = await scrape(await hass_client())
    assert value(families, "ha_ingestor_destination_loaded", destination="Attic") == 0
    assert samples(families, "ha_ingestor_events_received_total") == []


async def test_without_a_destination_there_is_the_version_alone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    families = await scrape(await hass_client())
    (version,) = families["ha_ingestor_build_info"].samples
    assert (version.labels["version"], version.value) == ("0.1.0", 1)
    assert samples(families, "ha_ingestor_destination_loaded") == []


async def test_nothing_is_left_in_the_registry_that_others_share(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_client()
    for _ in range(2):
        await scrape(client)
    shared = prometheus_client.generate_latest(prometheus_client.REGISTRY).decode()
    assert "ha_ingestor" not in shared


async def test_a_data_api_is_measured_too(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, database: Emulator
) -> None:
    async with DataApi() as server:
        entry = with_data_api(database, server.url)
        await set_up(hass, entry)
        sync = entry.runtime_data.registries.sync
        await until(lambda: sync.state.last_sync)
        families = await scrape(await hass_client())
    assert value(families, "ha_ingestor_data_api_connected") == 1
    last_sync = value(families, "ha_ingestor_data_api_last_sync_timestamp_seconds")
    assert last_sync == pytest.approx(sync.state.last_sync.timestamp())
