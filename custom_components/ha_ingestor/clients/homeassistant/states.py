"""A mirror of the states of another Home Assistant, from the compressed events of its API.

The first event of `subscribe_entities` holds every state, the others what is different since:
`a` are new entities, `c` changes of those that are known, `r` names those that are gone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from .errors import HomeAssistantError, Problem

SUBSCRIBE: Final = "subscribe_entities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What caused a change."""

    id: str = ""
    parent_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state as the other side has it; times in seconds since 1970, by its clock.

    The object of the attributes is shared by states that have the same.
    """

    entity_id: str
    state: str
    attributes: Mapping[str, Any]
    last_changed_timestamp: float
    last_updated_timestamp: float
    context: Context
    # What else is known of the entity, which is not sent.
    state_info: Mapping[str, Any] | None = None


class Change(NamedTuple):
    """One change: `old` is None for a new entity, `new` for one that is gone."""

    entity_id: str
    old: State | None
    new: State | None


def _nothing(_entity_id: str) -> None:
    return None


@dataclass(slots=True)
class StateMirror:
    """The newest state of every entity; `about` returns what else is known of one."""

    states: dict[str, State] = field(default_factory=dict)
    about: Callable[[str], Mapping[str, Any] | None] = _nothing

    def snapshot(self, event: Any) -> list[Change]:
        """Become equal to a snapshot; returns what is different, the oldest first.

        A state is the same if it was written at the same moment.
        """
        with understood():
            found = {name: self._new(name, row) for name, row in event.get("a", {}).items()}
        changes = []
        for name, new in found.items():
            old = self.states.get(name)
            if old is None or old.last_updated_timestamp != new.last_updated_timestamp:
                changes.append(Change(name, old, new))
            else:
                found[name] = old
        changes.sort(key=lambda change: change.new.last_updated_timestamp if change.new else 0.0)
        gone = [Change(name, old, None) for name, old in self.states.items() if name not in found]
        self.states = found
        return [*changes, *gone]

    def apply(self, event: Any) -> Iterator[Change]:
        """Apply an event that follows the snapshot."""
        with understood():
            for name, row in event.get("a", {}).items():
                new = self.states[name] = self._new(name, row)
                yield Change(name, None, new)
            for name, difference in event.get("c", {}).items():
                old = self.states[name]
                new = self.states[name] = _changed(old, difference)
                yield Change(name, old, new)
            for name in event.get("r", ()):
                if gone := self.states.pop(name, None):
                    yield Change(name, gone, None)

    def _new(self, entity_id: str, row: Mapping[str, Any]) -> State:
        return _new_state(entity_id, row, self.about(entity_id))


def removed_in(event: Any) -> list[str]:
    """Return the entities that are gone with an event; none of one that cannot be read."""
    names = event.get("r") if isinstance(event, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


@contextmanager
def understood() -> Iterator[None]:
    """Raise what cannot be understood as an error of the connection: a new snapshot helps."""
    try:
        yield
    # OverflowError, OSError: a moment that no date has.
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError) as err:
        detail = f"a state that cannot be read: {type(err).__name__}"
        raise HomeAssistantError(Problem.PROTOCOL, detail) from err


def _new_state(entity_id: str, row: Mapping[str, Any], info: Mapping[str, Any] | None) -> State:
    changed = float(row["lc"])
    return State(
        entity_id=entity_id,
        state=str(row["s"]),
        attributes=dict(row.get("a") or {}),
        last_changed_timestamp=changed,
        last_updated_timestamp=float(row.get("lu", changed)),
        context=_context(Context(), row.get("c")),
        state_info=info,
    )


def _changed(old: State, difference: Mapping[str, Any]) -> State:
    more = difference.get("+") or {}
    less = (difference.get("-") or {}).get("a") or ()
    if "lc" in more:
        changed = updated = float(more["lc"])
    else:
        # Whole microseconds, as Home Assistant has it once the state is not the newest any more.
        changed = datetime.fromtimestamp(old.last_changed_timestamp, UTC).timestamp()
        updated = float(more.get("lu", old.last_updated_timestamp))
    attributes = old.attributes
    if less or "a" in more:
        attributes = {key: value for key, value in attributes.items() if key not in less}
        attributes |= more.get("a") or {}
    return State(
        entity_id=old.entity_id,
        state=str(more.get("s", old.state)),
        attributes=attributes,
        last_changed_timestamp=changed,
        last_updated_timestamp=updated,
        context=_context(old.context, more["c"]) if "c" in more else old.context,
        state_info=old.state_info,
    )


def _context(old: Context, said: Any) -> Context:
    """Read a context; what is not said is as it was, and a text alone is the id."""
    if isinstance(said, str):
        return Context(id=said, parent_id=old.parent_id, user_id=old.user_id)
    said = said or {}
    return Context(
        id=str(said.get("id", old.id)),
        parent_id=said.get("parent_id", old.parent_id),
        user_id=said.get("user_id", old.user_id),
    )
