"""What is known of the parts beside the pipeline: data-api, metadata store, remote homes, MQTT."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ..coordinator import IngestorRuntimeData
from ..metadata_store.metadata_sync import METADATA_SYNC
from ..pipeline.export.breaker import BreakerState
from ..pipeline.export.result import Problem
from .texts.server_text import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRowReading:
    """A row that a data-api refuses, and why."""

    table: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataApiReading:
    """What is known of the sync with a data-api.

    `rows_stored` are by table. `rejections` and `stale` have the first of them only.
    """

    title: str
    connected: bool | None
    problem: Problem
    breaker: BreakerState
    attempts: int
    last_sync: datetime | None
    rows_sent: int
    rows_pending: int
    rows_rejected: int
    detail: str = ""
    next_retry: datetime | None = None
    rows_unchanged: int = 0
    rows_stored: Mapping[str, int] = field(default_factory=dict)
    rejections: tuple[RejectedRowReading, ...] = ()
    rows_stale: int = 0
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteReading:
    """What is known of the connection to another home; counts since Home Assistant started."""

    title: str
    connected: bool | None
    problem: str
    detail: str
    attempts: int
    last_connected: datetime | None
    reconnect_seconds: float | None
    next_retry: datetime | None
    is_given_up: bool
    is_waiting_for_start: bool
    version: str
    clock_ahead: float
    entities: int
    events: int
    events_per_minute: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttReading:
    """What is known of the messages of a broker; counts since Home Assistant started."""

    title: str
    is_set_up: bool
    connected: bool | None
    messages_per_minute: int
    points: int
    filtered: Mapping[str, int]
    last_message: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReading:
    """What is known of the metadata store.

    `rows` by table, of this home and of remote ones; `changes` of the last sync of this home.
    """

    synced_at: datetime | None
    error: str
    aside: str
    rows: Mapping[str, int]
    changes: Mapping[str, int]


@callback
def data_api_of(runtime: IngestorRuntimeData) -> DataApiReading | None:
    """Read the sync with the data-api of a destination, if it has one."""
    if runtime.registries is None:
        return None
    state = runtime.registries.sync.state
    return DataApiReading(
        title=runtime.registries.subentry.title,
        connected=state.connected,
        problem=state.problem,
        breaker=state.breaker,
        attempts=state.attempts,
        last_sync=state.last_sync,
        rows_sent=state.rows_sent,
        rows_pending=state.rows_pending,
        rows_rejected=state.rows_rejected,
        detail=plain(state.detail),
        next_retry=state.next_retry,
        rows_unchanged=state.rows_unchanged,
        rows_stored=state.rows_stored,
        rejections=tuple(
            RejectedRowReading(table=each.table, key=plain(each.key), reason=plain(each.reason))
            for each in state.rejections
        ),
        rows_stale=state.rows_stale,
        stale=tuple(map(plain, state.stale)),
    )


@callback
def remotes_of(runtime: IngestorRuntimeData) -> tuple[RemoteReading, ...]:
    """Read the connections to other homes."""
    return tuple(
        RemoteReading(
            title=remote.subentry.title,
            connected=state.connected,
            problem=state.problem,
            detail=plain(state.detail),
            attempts=state.attempts,
            last_connected=state.last_connected,
            reconnect_seconds=state.reconnect_seconds,
            next_retry=state.next_retry,
            is_given_up=state.is_given_up,
            is_waiting_for_start=state.is_waiting_for_start,
            version=plain(state.version),
            clock_ahead=state.clock_ahead,
            entities=state.entities,
            events=state.events,
            events_per_minute=state.events_per_minute,
        )
        for remote in runtime.remotes.all
        for state in (remote.link.health.state,)
    )


@callback
def mqtt_of(runtime: IngestorRuntimeData) -> tuple[MqttReading, ...]:
    """Read the messages of a broker, if there are to be any."""
    if (mqtt := runtime.mqtt.mqtt) is None:
        return ()
    state = mqtt.link.health.state
    return (
        MqttReading(
            title=mqtt.subentry.title,
            is_set_up=state.is_set_up,
            connected=state.connected,
            messages_per_minute=state.messages_per_minute,
            points=state.points,
            filtered=state.filtered,
            last_message=state.last_message,
        ),
    )


@callback
def store_of(hass: HomeAssistant) -> StoreReading | None:
    """Read the metadata store, which there is while a destination is loaded."""
    if (metadata_sync := hass.data.get(METADATA_SYNC)) is None:
        return None
    state = metadata_sync.state
    changes: dict[str, Any] = asdict(state.changes)
    homes = [state, *state.others.values()]
    return StoreReading(
        synced_at=state.synced_at,
        error=plain(state.error),
        aside=state.aside or "",
        rows={table: sum(each.rows.get(table, 0) for each in homes) for table in state.rows},
        changes=changes,
    )
