"""Metrics in the text format of Prometheus, read from the snapshots when somebody asks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric

from ...pipeline.histogram import BOUNDS, Distribution
from ..readings import LOADED, Reading
from .metric_table import HISTOGRAMS, NUMBERS, Counter, Durations, timestamp

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_PREFIX: Final = "ha_ingestor_"
_DESTINATION: Final = "destination"


class _Collector:
    """Makes the metrics of these readings."""

    def __init__(self, readings: Sequence[Reading], version: str) -> None:
        self._readings = readings
        self._known = [(each.name, each.snapshot) for each in readings if each.snapshot]
        self._version = version

    def collect(self) -> Iterator[Metric]:
        yield from map(self._histogram, HISTOGRAMS)
        yield from map(self._number, NUMBERS)
        yield from self._data_apis()
        loaded = GaugeMetricFamily(
            f"{_PREFIX}destination_loaded",
            "Whether the destination is loaded: 1, or else 0.",
            labels=[_DESTINATION],
        )
        for reading in self._readings:
            loaded.add_metric([reading.name], float(reading.state == LOADED))
        yield loaded
        build = GaugeMetricFamily(
            f"{_PREFIX}build_info", "The version of the integration.", labels=["version"]
        )
        build.add_metric([self._version], 1.0)
        yield build

    def _histogram(self, each: Durations) -> Metric:
        family = HistogramMetricFamily(_PREFIX + each.name, each.text, labels=[_DESTINATION])
        for name, snapshot in self._known:
            found = each.read(snapshot)
            family.add_metric([name], _buckets(found), found.seconds)
        return family

    def _number(self, each: Counter) -> Metric:
        labels = [_DESTINATION, each.label] if each.label else [_DESTINATION]
        family = each.family(_PREFIX + each.name, each.text, labels=labels)
        for name, snapshot in self._known:
            value = each.read(snapshot)
            if isinstance(value, Mapping):
                for reason, count in value.items():
                    family.add_metric([name, str(reason)], count)
            elif value is not None:
                family.add_metric([name], value)
        return family

    def _data_apis(self) -> Iterator[Metric]:
        connected = GaugeMetricFamily(
            f"{_PREFIX}data_api_connected",
            "Whether the data-api accepts the registries: 1 or 0.",
            labels=[_DESTINATION],
        )
        last_sync = GaugeMetricFamily(
            f"{_PREFIX}data_api_last_sync_timestamp_seconds",
            "When the data-api had everything last.",
            labels=[_DESTINATION],
        )
        for reading in self._readings:
            if (data_api := reading.data_api) is None:
                continue
            if data_api.connected is not None:
                connected.add_metric([reading.name], float(data_api.connected))
            if (moment := timestamp(data_api.last_sync)) is not None:
                last_sync.add_metric([reading.name], moment)
        yield from (connected, last_sync)


def _buckets(found: Distribution) -> list[tuple[str, float]]:
    """Add up the counts, as each bucket of Prometheus has all shorter durations too."""
    buckets: list[tuple[str, float]] = []
    so_far = 0
    for bound, count in zip((*BOUNDS, "+Inf"), found.counts, strict=True):
        so_far += count
        buckets.append((str(bound), so_far))
    return buckets


def metrics(readings: Sequence[Reading], version: str) -> bytes:
    """Write the metrics of these readings. For a thread: of many destinations it takes a while."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(readings, version))  # type: ignore[arg-type]
    return generate_latest(registry)
