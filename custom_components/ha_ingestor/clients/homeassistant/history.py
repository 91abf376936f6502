"""What the recorder of another Home Assistant has of a time, asked over its WebSocket API."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from .connection import Connection
from .states import Context, State, understood

HISTORY: Final = "history/history_during_period"


async def states_between(
    connection: Connection,
    entity_ids: Sequence[str],
    after: float,
    until: float,
    *,
    with_state_before: bool = False,
) -> dict[str, list[State]]:
    """Read every state between two moments, none of them at these; raises HomeAssistantError.

    A removal is a state without text and attributes. Contexts are not told. The state before, if it
    is wanted, is dated at the first moment.
    """
    answer = await connection.command(
        HISTORY,
        start_time=_moment(after),
        end_time=_moment(until),
        entity_ids=list(entity_ids),
        include_start_time_state=with_state_before,
        # Changes of attributes as well.
        significant_changes_only=False,
        minimal_response=False,
        no_attributes=False,
    )
    with understood():
        return {
            str(entity_id): [_state(str(entity_id), row) for row in rows]
            for entity_id, rows in answer.items()
        }


def _state(entity_id: str, row: Mapping[str, Any]) -> State:
    # Unlike in an event, the time of the change is left out where it is that of the update.
    updated = float(row["lu"])
    return State(
        entity_id=entity_id,
        state=str(row["s"] or ""),
        attributes=dict(row.get("a") or {}),
        last_changed_timestamp=float(row.get("lc", updated)),
        last_updated_timestamp=updated,
        context=Context(),
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
