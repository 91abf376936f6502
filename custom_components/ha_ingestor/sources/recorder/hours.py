"""Reads long-term statistics out of the recorder's database, page by page, in the order of time.

The functions of Home Assistant read all hours of all statistics at once, and have no pages. This
module is imported when it is first needed, as it brings SQLAlchemy.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from homeassistant.components.recorder.db_schema import Statistics, StatisticsMeta
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import session_scope
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...pipeline.encode.statistics import Hour, Statistic
from .page import HistoryPage, Position, RecordedHour, Span
from .queries import async_read, behind, counted, named

# As many as rows of states: they take as long.
PAGE_ROWS: Final = 1_000
_HOUR_SECONDS: Final = 3_600.0
# One query reads so much of all statistics: most homes have a page or more in a day. Of a longer
# time the planner of the database may take the wrong index.
_SLICE_HOURS: Final = 24


async def async_page(
    hass: HomeAssistant, position: Position, span: Span
) -> HistoryPage[RecordedHour]:
    """Read the next hours behind a position; raises HistoryError.

    Those of a span begin in it: its beginning belongs to it, and its end does not.
    """
    return await async_read(hass, partial(_page, hass, position, span))


async def async_counts(
    hass: HomeAssistant, span: Span, expired: float
) -> list[tuple[str, int, int]]:
    """Count the hours of each statistic, and those not later than `expired`; raises HistoryError.

    The hours of spans that follow one another add up.
    """
    return await async_read(hass, partial(_counts, hass, span, expired))


async def async_empty_until(hass: HomeAssistant, span: Span) -> float:
    """Return up to when a span has no hours, its end at most; raises HistoryError."""
    return await async_read(hass, partial(_empty_until, hass, span))


def _page(hass: HomeAssistant, position: Position, span: Span) -> HistoryPage[RecordedHour]:
    until = min(max(position.moment, span.after) + _slice_seconds(span), span.until)
    query = (
        select(
            StatisticsMeta.statistic_id,
            StatisticsMeta.source,
            StatisticsMeta.name,
            StatisticsMeta.unit_of_measurement,
            StatisticsMeta.unit_class,
            Statistics.id,
            Statistics.start_ts,
            Statistics.mean,
            Statistics.min,
            Statistics.max,
            Statistics.sum,
            Statistics.state,
        )
        .join(StatisticsMeta, Statistics.metadata_id == StatisticsMeta.id)
        .where(
            *behind(position, Statistics.start_ts, Statistics.id),
            Statistics.start_ts < until,
            *named(StatisticsMeta.statistic_id, span.entity_ids),
        )
        .order_by(Statistics.start_ts, Statistics.id)
        .limit(PAGE_ROWS)
    )
    with session_scope(hass=hass, read_only=True) as session:
        found = session.execute(query).all()
        if not found and until < span.until:
            return _next_page(session, until, span)
    rows = _recorded(found)
    if len(found) < PAGE_ROWS:
        return HistoryPage(rows=rows, position=Position(until, 0), is_last=until >= span.until)
    last = found[-1]
    return HistoryPage(rows=rows, position=Position(last.start_ts, last.id), is_full=True)


def _next_page(session: Session, after: float, span: Span) -> HistoryPage[RecordedHour]:
    """Return an empty page that leads to the next hour, however far away that is."""
    if (moment := _next(session, replace(span, after=after))) is None:
        return HistoryPage(rows=(), position=Position(span.until, 0), is_last=True)
    return HistoryPage(rows=(), position=Position(moment, 0))


def _empty_until(hass: HomeAssistant, span: Span) -> float:
    with session_scope(hass=hass, read_only=True) as session:
        moment = _next(session, span)
    return span.until if moment is None else moment


def _next(session: Session, span: Span) -> float | None:
    # One look into the index for each statistic, where a join would read all of its hours.
    next_hour = (
        select(func.min(Statistics.start_ts))
        .where(
            Statistics.metadata_id == StatisticsMeta.id,
            Statistics.start_ts >= span.after,
            Statistics.start_ts < span.until,
        )
        .correlate(StatisticsMeta)
        .scalar_subquery()
    )
    query = (
        select(func.min(next_hour))
        .select_from(StatisticsMeta)
        .where(*named(StatisticsMeta.statistic_id, span.entity_ids))
    )
    return session.execute(query).scalar()


def _counts(hass: HomeAssistant, span: Span, expired: float) -> list[tuple[str, int, int]]:
    moment = Statistics.start_ts
    rows = (
        select(Statistics)
        .join(StatisticsMeta, Statistics.metadata_id == StatisticsMeta.id)
        .where(
            moment >= span.after,
            moment < span.until,
            *named(StatisticsMeta.statistic_id, span.entity_ids),
        )
    )
    return counted(hass, rows, StatisticsMeta.statistic_id, moment, expired)


def _slice_seconds(span: Span) -> float:
    """Return how much time of a span one query reads: of few statistics, more of it."""
    if not span.entity_ids:
        return _SLICE_HOURS * _HOUR_SECONDS
    return max(PAGE_ROWS // len(span.entity_ids), 1) * _HOUR_SECONDS


def _recorded(rows: Any) -> tuple[RecordedHour, ...]:
    # The hours of a statistic share what it is.
    known: dict[str, Statistic] = {}
    found: list[RecordedHour] = []
    for name, source, label, unit, unit_class, _, *hour in rows:
        if (statistic := known.get(name)) is None:
            statistic = known[name] = Statistic(
                statistic_id=name,
                source=source or "",
                name=label or "",
                unit=unit or "",
                unit_class=unit_class or "",
            )
        found.append(RecordedHour(statistic, Hour(*hour)))
    return tuple(found)
