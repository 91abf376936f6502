"""Reads states out of the recorder's database, page by page, in the order of time.

The functions of Home Assistant's history are made for graphs: they leave out contexts and removed
entities, and have no pages. This module is imported when it is first needed, as it brings
SQLAlchemy.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import nextafter
from typing import Any, Final

from homeassistant.components.recorder.db_schema import (
    RecorderRuns,
    StateAttributes,
    States,
    StatesMeta,
)
from homeassistant.components.recorder.models import bytes_to_uuid_hex_or_none
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.recorder import session_scope
from homeassistant.util.json import json_loads
from homeassistant.util.ulid import bytes_to_ulid_or_none
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ...pipeline.filter.state_times import RedatedState
from .page import HistoryPage, Position, Recorded, Span
from .queries import NAMES_MAX, async_read, behind, counted, named

# Some ten milliseconds of the recorder's thread, and half a megabyte in memory.
PAGE_ROWS: Final = 1_000
# The longest span of one query: the planner of the database may take the wrong index for a long
# one.
SLICE_SECONDS: Final = 3_600.0


async def async_page(hass: HomeAssistant, position: Position, span: Span) -> HistoryPage[Recorded]:
    """Read the next rows behind a position; raises HistoryError."""
    return await async_read(hass, partial(_page, hass, position, span))


async def async_states_before(
    hass: HomeAssistant, entity_ids: Collection[str], moment: float
) -> dict[str, RedatedState | None]:
    """Read the last states before a moment, None for no entity; raises HistoryError."""
    return await async_read(hass, partial(_states_before, hass, sorted(entity_ids), moment))


async def async_starts(hass: HomeAssistant, span: Span) -> tuple[float, ...]:
    """Read when Home Assistant started, in seconds since 1970; raises HistoryError."""
    return await async_read(hass, partial(_starts, hass, span))


async def async_counts(
    hass: HomeAssistant, span: Span, expired: float
) -> list[tuple[str, int, int]]:
    """Count the rows of each entity, and those not later than `expired`; raises HistoryError."""
    return await async_read(hass, partial(_counts, hass, span, expired))


async def async_empty_until(hass: HomeAssistant, span: Span) -> float:
    """Return up to when a span has no rows, its end at most; raises HistoryError."""
    return await async_read(hass, partial(_empty_until, hass, span))


def _page(hass: HomeAssistant, position: Position, span: Span) -> HistoryPage[Recorded]:
    until = min(max(position.moment, span.after) + SLICE_SECONDS, span.until)
    query = (
        _states()
        .where(
            *behind(position, States.last_updated_ts, States.state_id),
            States.last_updated_ts <= until,
            *named(StatesMeta.entity_id, span.entity_ids),
        )
        .order_by(States.last_updated_ts, States.state_id)
        .limit(PAGE_ROWS)
    )
    with session_scope(hass=hass, read_only=True) as session:
        found = session.execute(query).all()
        if not found and until < span.until:
            return _next_page(session, until, span)
    rows = _recorded(found)
    if len(found) < PAGE_ROWS:
        return HistoryPage(rows=rows, position=Position(until), is_last=until >= span.until)
    last = found[-1]
    position = Position(last.last_updated_ts, last.state_id)
    return HistoryPage(rows=rows, position=position, is_full=True)


def _next_page(session: Session, after: float, span: Span) -> HistoryPage[Recorded]:
    """Return an empty page that leads to the next row, however far away that is."""
    if (moment := _next(session, replace(span, after=after))) is None:
        return HistoryPage(rows=(), position=Position(span.until), is_last=True)
    return HistoryPage(rows=(), position=Position(moment, 0))


def _empty_until(hass: HomeAssistant, span: Span) -> float:
    with session_scope(hass=hass, read_only=True) as session:
        moment = _next(session, span)
    # A span is of what is later than its beginning.
    return span.until if moment is None else nextafter(moment, 0.0)


def _next(session: Session, span: Span) -> float | None:
    query = (
        select(func.min(States.last_updated_ts))
        .join(StatesMeta, States.metadata_id == StatesMeta.metadata_id)
        .where(
            States.last_updated_ts > span.after,
            States.last_updated_ts <= span.until,
            *named(StatesMeta.entity_id, span.entity_ids),
        )
    )
    return session.execute(query).scalar()


def _states_before(
    hass: HomeAssistant, entity_ids: list[str], moment: float
) -> dict[str, RedatedState | None]:
    newest = (
        select(func.max(States.last_updated_ts))
        .where(
            States.metadata_id == StatesMeta.metadata_id,
            States.last_updated_ts < moment,
        )
        .correlate(StatesMeta)
        .scalar_subquery()
    )
    states: dict[str, RedatedState | None] = dict.fromkeys(entity_ids)
    with session_scope(hass=hass, read_only=True) as session:
        for start in range(0, len(entity_ids), NAMES_MAX):
            few = entity_ids[start : start + NAMES_MAX]
            query = (
                _states()
                .where(*named(StatesMeta.entity_id, few), States.last_updated_ts == newest)
                .order_by(States.state_id)
            )
            for row in _recorded(session.execute(query).all()):
                states[row.entity_id] = row.state
    return states


def _starts(hass: HomeAssistant, span: Span) -> tuple[float, ...]:
    after, until = (datetime.fromtimestamp(each, UTC) for each in (span.after, span.until))
    query = (
        select(RecorderRuns.start)
        .where(RecorderRuns.start >= after, RecorderRuns.start <= until)
        .order_by(RecorderRuns.start)
    )
    with session_scope(hass=hass, read_only=True) as session:
        starts = session.execute(query).scalars().all()
    # SQLite has no time zone.
    return tuple((each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() for each in starts)


def _counts(hass: HomeAssistant, span: Span, expired: float) -> list[tuple[str, int, int]]:
    moment = States.last_updated_ts
    rows = (
        select(States)
        .join(StatesMeta, States.metadata_id == StatesMeta.metadata_id)
        .where(
            moment > span.after,
            moment <= span.until,
            *named(StatesMeta.entity_id, span.entity_ids),
        )
    )
    return counted(hass, rows, StatesMeta.entity_id, moment, expired)


def _states() -> Select[Any]:
    return (
        select(
            StatesMeta.entity_id,
            States.state_id,
            States.state,
            States.last_changed_ts,
            States.last_updated_ts,
            States.context_id_bin,
            States.context_user_id_bin,
            States.context_parent_id_bin,
            StateAttributes.shared_attrs,
        )
        .join(StatesMeta, States.metadata_id == StatesMeta.metadata_id)
        .outerjoin(StateAttributes, States.attributes_id == StateAttributes.attributes_id)
    )


def _recorded(rows: Any) -> tuple[Recorded, ...]:
    # States that share their attributes go on sharing them, which the profiles make use of.
    known: dict[str | None, Mapping[str, Any]] = {}
    found = []
    for row in rows:
        text = row.shared_attrs
        if text not in known:
            known[text] = _attributes(text)
        found.append(_row(row, known[text]))
    return tuple(found)


def _row(row: Any, attributes: Mapping[str, Any]) -> Recorded:
    moment = row.last_updated_ts
    state = RedatedState(
        state=row.state or "",
        attributes=attributes,
        last_changed_timestamp=moment if row.last_changed_ts is None else row.last_changed_ts,
        last_updated_timestamp=moment,
    )
    context = Context(
        id=bytes_to_ulid_or_none(row.context_id_bin) or "",
        user_id=bytes_to_uuid_hex_or_none(row.context_user_id_bin),
        parent_id=bytes_to_ulid_or_none(row.context_parent_id_bin),
    )
    # The row of a removal has neither a state nor attributes; an empty text has a name at least.
    is_removed = not (row.state or attributes)
    return Recorded(row.entity_id, None if is_removed else state, moment, context)


def _attributes(text: str | None) -> Mapping[str, Any]:
    try:
        attributes = json_loads(text) if text else {}
    except ValueError:
        return {}  # the recorder's own functions read it the same way
    return attributes if isinstance(attributes, dict) else {}
