"""Which metrics there are: their names, their words, and where their numbers come from.

The first five are those of the service that this integration replaces, by name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from ...pipeline.export.breaker import BreakerState
from ...pipeline.export.export_state import Status
from ...pipeline.histogram import Distribution
from ...pipeline.snapshot import Snapshot

# One value, or one for each reason; None where it is not known.
type Value = float | Mapping[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A number that only grows; with a `label` one for each of its values."""

    name: str
    text: str
    read: Callable[[Snapshot], Value]
    label: str = ""
    family: type[CounterMetricFamily | GaugeMetricFamily] = CounterMetricFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Counter):
    """A number that rises and falls."""

    family: type[CounterMetricFamily | GaugeMetricFamily] = GaugeMetricFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long something takes, in seconds."""

    name: str
    text: str
    read: Callable[[Snapshot], Distribution]


def _count(name: str) -> Callable[[Snapshot], Value]:
    """Read a count of the ledger, which is not known until the disk was read."""
    return lambda snapshot: snapshot.ledger[name] if snapshot.is_open else None


def _processed(snapshot: Snapshot) -> float | None:
    ledger = snapshot.ledger
    filtered = sum(ledger["filtered"].values()) + ledger["deduplicated"]
    return filtered + ledger["captured"] if snapshot.is_open else None


def timestamp(moment: datetime | None) -> float | None:
    """Return seconds since 1970."""
    return moment.timestamp() if moment else None


def _states(states: Iterable[str], current: str) -> Mapping[str, float]:
    """Return 1 for the state that there is, and 0 for all the others."""
    return {state: float(state == current) for state in states}


HISTOGRAMS: Final = (
    Durations(
        name="pipeline_processing_duration_seconds",
        text="How long a commit takes: filter, encode, store.",
        read=lambda snapshot: snapshot.performance.commit,
    ),
    Durations(
        name="connection_latency_seconds",
        text="How long the database takes to answer a request.",
        read=lambda snapshot: snapshot.performance.request,
    ),
    Durations(
        name="commit_wait_seconds",
        text="How long the oldest event of a commit waited until it was stored.",
        read=lambda snapshot: snapshot.performance.captured_to_committed,
    ),
    Durations(
        name="end_to_end_seconds",
        text="From the event to the acknowledgement, of the oldest point of a request.",
        read=lambda snapshot: snapshot.performance.captured_to_acknowledged,
    ),
)

NUMBERS: Final[Sequence[Counter]] = (
    Counter(
        name="events_processed", text="Events that were filtered or captured.", read=_processed
    ),
    Counter(
        name="errors",
        text="Requests and checks that had a problem, since the start.",
        read=lambda snapshot: snapshot.performance.failures,
        label="reason",
    ),
    Counter(
        name="influxdb_points_written",
        text="Points that the database acknowledged.",
        read=_count("written"),
    ),
    Counter(name="events_received", text="Events that came in.", read=_count("received")),
    Counter(
        name="events_filtered",
        text="Events that are not wanted.",
        read=_count("filtered"),
        label="reason",
    ),
    Counter(
        name="events_deduplicated",
        text="Events that said nothing new.",
        read=_count("deduplicated"),
    ),
    Counter(
        name="points_captured",
        text="Points that came into the spool, or were lost before.",
        read=_count("captured"),
    ),
    Counter(
        name="points_quarantined",
        text="Points that were put aside, as the database refused them.",
        read=_count("quarantined"),
    ),
    Counter(
        name="points_evicted",
        text="Points that were given up.",
        read=_count("evicted_for"),
        label="reason",
    ),
    Counter(name="points_lost", text="Points that were lost.", read=_count("lost"), label="reason"),
    Counter(
        name="points_replayed",
        text="Points that came back out of the quarantine.",
        read=_count("replayed"),
    ),
    Counter(
        name="points_recovered",
        text="Points that came out of the recorder, of times when nothing was captured.",
        read=_count("recovered"),
    ),
    Gauge(
        name="recovery_unfillable_entities",
        text="Entities whose changes in the last gap are not in the recorder.",
        read=lambda snapshot: snapshot.recovery.unfillable,
    ),
    Gauge(
        name="points_pending",
        text="Points in the spool that wait for delivery.",
        read=lambda snapshot: snapshot.pending if snapshot.is_open else None,
    ),
    Gauge(
        name="events_waiting",
        text="Events in memory that are not stored yet.",
        read=lambda snapshot: snapshot.waiting,
    ),
    Gauge(
        name="oldest_pending_seconds",
        text="How long the oldest point waits; 0 when none does.",
        read=lambda snapshot: 0.0 if not snapshot.backlog else snapshot.oldest_age,
    ),
    Gauge(
        name="ledger_balanced",
        text="Whether the counts add up: 1, or else 0.",
        read=lambda snapshot: float(not snapshot.unbalanced) if snapshot.is_open else None,
    ),
    Gauge(
        name="spool_bytes", text="Size of the spool.", read=lambda snapshot: snapshot.spool_bytes
    ),
    Gauge(
        name="spool_limit_bytes",
        text="How large the spool may become.",
        read=lambda snapshot: snapshot.spool_limit,
    ),
    Gauge(
        name="spool_healthy",
        text="Whether the disk takes everything: 1, or else 0.",
        read=lambda snapshot: float(not snapshot.spool_error),
    ),
    Gauge(
        name="database_connected",
        text="Whether the database accepts points: 1 or 0.",
        read=lambda snapshot: (
            None if snapshot.export.connected is None else float(snapshot.export.connected)
        ),
    ),
    Gauge(
        name="status",
        text="The status of the delivery: 1 for the present one.",
        read=lambda snapshot: _states(Status, snapshot.export.status),
        label="state",
    ),
    Gauge(
        name="breaker_state",
        text="The state of the breaker: 1 for the present one.",
        read=lambda snapshot: _states(BreakerState, snapshot.breaker),
        label="state",
    ),
    Gauge(
        name="failed_attempts",
        text="Attempts that failed in a row.",
        read=lambda snapshot: snapshot.export.attempts,
    ),
    Gauge(
        name="last_write_timestamp_seconds",
        text="When points were acknowledged last.",
        read=lambda snapshot: timestamp(snapshot.export.last_write),
    ),
    Counter(
        name="requests",
        text="Requests and checks by their result, since the start.",
        read=lambda snapshot: snapshot.performance.requests,
        label="result",
    ),
    Counter(
        name="sent_bytes",
        text="Bytes of points that were sent, since the start.",
        read=lambda snapshot: snapshot.performance.sent_bytes,
    ),
    Counter(
        name="cpu_seconds",
        text="Processor time of the thread that filters, encodes and stores, since the start.",
        read=lambda snapshot: snapshot.performance.thread_seconds,
    ),
    Counter(
        name="disk_written_bytes",
        text="Bytes that were written to the files of the spool, since the start.",
        read=lambda snapshot: snapshot.performance.disk_bytes,
    ),
    Gauge(
        name="queue_bytes",
        text="Text of points in memory: what waits for the disk, and the request under way.",
        read=lambda snapshot: snapshot.performance.queue_bytes,
    ),
)
