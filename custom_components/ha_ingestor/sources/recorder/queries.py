"""What queries of the recorder's database share. It brings SQLAlchemy, as those who import it."""

from collections.abc import Callable, Collection
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from .page import HistoryError, Position

# Names in one list: databases have a limit.
NAMES_MAX: Final = 50


async def async_read[T](hass: HomeAssistant, job: Callable[[], T]) -> T:
    """Read in a thread of the recorder's own; raises HistoryError."""
    try:
        return await get_instance(hass).async_add_executor_job(job)
    except (SQLAlchemyError, RuntimeError, KeyError) as err:
        # Also what is said while the recorder starts or stops.
        raise HistoryError(type(err).__name__) from err


def behind(
    position: Position, moment: InstrumentedAttribute[Any], row: InstrumentedAttribute[int]
) -> tuple[ColumnElement[bool], ...]:
    """Choose the rows behind a position, in a form that uses the index of the moments."""
    is_read = and_(moment == position.moment, row <= position.state_id)
    return moment >= position.moment, not_(is_read)


def named(
    column: InstrumentedAttribute[Any], names: Collection[str] | None
) -> tuple[ColumnElement[bool], ...]:
    """Choose the rows with one of these names; all of them without names."""
    if names is None:
        return ()
    ordered = sorted(names)
    parts = (ordered[at : at + NAMES_MAX] for at in range(0, len(ordered), NAMES_MAX))
    return (or_(*(column.in_(part) for part in parts)),)


def counted(
    hass: HomeAssistant,
    rows: Select[Any],
    name: InstrumentedAttribute[Any],
    moment: InstrumentedAttribute[Any],
    expired: float,
) -> list[tuple[str, int, int]]:
    """Count rows by their names, and those not later than `expired`."""
    is_expired = case((moment <= expired, 1), else_=0)
    query = rows.with_only_columns(name, func.count(), func.sum(is_expired)).group_by(name)
    with session_scope(hass=hass, read_only=True) as session:
        return [(name, count, int(old)) for name, count, old in session.execute(query).all()]
