"""What the registry said of an entity between changes that were read together.

The events of the registry do not hold the rows, but the values that there were before. So from what
a row is now, each step back is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from ...clients.homeassistant.connection import Event
from ...clients.homeassistant.entries import EntityEntry, entity_entry


class Rows(NamedTuple):
    """The rows before all of the events, and after each by its number; None where there is none."""

    before: Mapping[str, EntityEntry | None]
    after: Mapping[int, EntityEntry | None]


def rows_as_of(events: Sequence[Event], now: Mapping[str, EntityEntry]) -> Rows:
    """Go back from what the registry says now; `events` of the entity registry in their order."""
    rows: dict[str, EntityEntry | None] = {}
    after: dict[int, EntityEntry | None] = {}
    for event in reversed(events):
        data = _data(event)
        entity_id = str(data.get("entity_id", ""))
        row = after[event.number] = rows.get(entity_id, now.get(entity_id))
        if data.get("action") != "update":
            rows[entity_id] = None
            continue
        was_called = str(data.get("old_entity_id") or entity_id)
        rows[entity_id] = None
        rows[was_called] = _before(row, was_called, data.get("changes")) if row else None
    return Rows(before=rows, after=after)


def _data(event: Event) -> Mapping[str, Any]:
    data = event.content.get("data") if isinstance(event.content, dict) else None
    return data if isinstance(data, dict) else {}


def _before(row: EntityEntry, was_called: str, changes: Any) -> EntityEntry:
    """Put the old values back."""
    known = {each.name: getattr(row, each.name) for each in fields(row)}
    known |= {"labels": list(row.labels), "aliases": list(row.aliases)}
    return entity_entry(
        known | (changes if isinstance(changes, dict) else {}) | {"entity_id": was_called}
    )
