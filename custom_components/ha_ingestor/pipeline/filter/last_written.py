"""The last written state of each entity, across restarts.

Home Assistant restores states at its start: with a new date, and often behind a placeholder that
says `unavailable`. With the last written states a restored state is told from a new one, and the
duration of a state is right.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Protocol

from ..clock import CLOCKS_ARE_SET
from ..encode.attributes import JsonDumps, attributes_json
from ..files import Files
from ..ledger import RESTART_ECHO, Ledger
from ..model import (
    UNAVAILABLE,
    EntityContext,
    NoContext,
    Point,
    StateEvent,
    StateLike,
    is_here,
)
from ..text import text_of
from .resumed_states import ResumedState, load_states, store_states
from .state_times import RedatedState, StateTimes, dated

# An entity that did not come back in so many starts is not expected any more.
STARTS_MAX: Final = 10

# Integrations that take longer than this to bring their entities back have a failure that is worth
# a point.
RESTORE_SECONDS: Final = 300.0


class Encodes(Protocol):
    """The part of a profile that is needed to compare points."""

    def encode(self, state_event: StateEvent) -> Point | None:
        """Encode a state event."""


# The state for the next pipeline of this process, by name of the attribute.
type Memory = dict[str, Any]

_MEMORY: Final = ("last", "placeholders", "times", "_remembered", "_since")


@dataclass(slots=True, kw_only=True)
class LastWritten:
    """Used by one thread.

    `profile` tells which states are stored as the same point; without one, their attributes do.
    `contexts` are the descriptions of entities as they are now.
    """

    ledger: Ledger
    dumps: JsonDumps
    profile: Encodes | None = None
    contexts: Mapping[str, EntityContext] = field(default_factory=dict)
    last: dict[str, StateLike] = field(default_factory=dict)
    placeholders: dict[str, tuple[float, StateEvent]] = field(default_factory=dict)
    times: StateTimes = field(default_factory=StateTimes)
    _is_resumed: bool = False
    _remembered: dict[str, ResumedState] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    @property
    def due(self) -> float:
        """When the first placeholder is due, by the clock of `resume_state`."""
        return next((due for due, _ in self.placeholders.values()), math.inf)

    @property
    def held_since(self) -> float:
        """When the first placeholder came, by the clock of `resume_state`."""
        return self.due - RESTORE_SECONDS

    def applies_to(self, entity_id: str) -> bool:
        """Whether `resume_state` may change events of this entity."""
        return entity_id in self._remembered or entity_id in self._since

    def note(self, entity_id: str, state: StateLike | None) -> None:
        """Store the written state; None for a removed entity."""
        if state is None:
            self.last.pop(entity_id, None)
        else:
            self.last[entity_id] = state
        self.times.note(entity_id, is_there=state is not None)

    def before_gap(self, entity_id: str) -> RedatedState | None:
        """Return what an earlier process wrote last, if nothing has followed it yet."""
        remembered = self._remembered.get(entity_id)
        return _before(remembered) if remembered else None

    def note_recovered(self, entity_id: str, state: StateLike | None, moment: float) -> None:
        """Store a state of a gap, unless a newer one was written.

        It lies between what an earlier process wrote and what follows now.
        """
        if entity_id not in self.placeholders:
            self._remembered.pop(entity_id, None)
        self._since.pop(entity_id, None)
        last = self.last.get(entity_id)
        if last is None or last.last_updated_timestamp < moment:
            self.note(entity_id, state)

    def forget(self, entity_id: str) -> None:
        """Keep nothing of an entity, in the memory or on the disk."""
        self._drop_placeholder(entity_id)
        self._remembered.pop(entity_id, None)
        self._since.pop(entity_id, None)
        self.note(entity_id, None)

    def resume_state(self, state_event: StateEvent, now: float) -> StateEvent | None:
        """Join an event to the state before the restart; None for a restored state."""
        entity_id = state_event.entity.key
        remembered = self._remembered.get(entity_id)
        if remembered is None:
            return self._with_resumed_date(state_event)
        new, old = state_event.new, state_event.old
        if new is not None and remembered.since < CLOCKS_ARE_SET:
            # Whenever that was: the clock was not set.
            remembered = remembered._replace(since=new.last_changed_timestamp)
        if new is not None and _is_placeholder(new):
            self._drop_placeholder(entity_id)
            if remembered.state == UNAVAILABLE:
                self.ledger.filtered[RESTART_ECHO] += 1
            else:
                self.placeholders[entity_id] = (now + RESTORE_SECONDS, state_event)
            return None
        self._drop_placeholder(entity_id)
        del self._remembered[entity_id]
        if old is not None and not _is_placeholder(old):
            # Home Assistant was there all the time; only this integration was not.
            if old.state == remembered.state and remembered.since < old.last_changed_timestamp:
                self._since[entity_id] = remembered.since
            return self._with_resumed_date(state_event)
        if new is None or state_event.is_added:
            return state_event
        # Another home says itself which of its states are as before, and gives these no time.
        if new.state == remembered.state and (is_here(entity_id) or not state_event.time):
            self._since[entity_id] = remembered.since
            if self._digest(entity_id, new) == remembered.digest:
                self.note(entity_id, new)
                self.ledger.filtered[RESTART_ECHO] += 1
                return None
            new = dated(new, remembered.since)
        return state_event._replace(new=new, old=_before(remembered))

    def expired_placeholders(self, now: float) -> list[StateEvent]:
        """Return placeholders that were not replaced in time."""
        found = []
        for entity_id, (due, state_event) in list(self.placeholders.items()):
            if due <= now:
                del self.placeholders[entity_id]
                self.note(entity_id, state_event.new)
                before = self._remembered.pop(entity_id)
                if state_event.new and before.since < CLOCKS_ARE_SET:
                    before = before._replace(since=state_event.new.last_changed_timestamp)
                found.append(state_event._replace(old=_before(before)))
        return found

    def forget_placeholders(self) -> None:
        """Drop all placeholders; the next start waits again."""
        for entity_id in list(self.placeholders):
            self._drop_placeholder(entity_id)

    def hand_over(self, *, is_last: bool = False) -> Memory:
        """Return the state for the next pipeline of this process.

        After the last one before an end nobody follows other homes, which may start meanwhile: of
        them the next one has what `save` has stored, as another process would.
        """
        memory = {name: getattr(self, name) for name in _MEMORY}
        if is_last:
            memory["last"] = {key: state for key, state in self.last.items() if is_here(key)}
        self.placeholders = {}
        return memory

    def resume(self, memory: Memory) -> None:
        """Continue with the state of another pipeline of this process."""
        self._is_resumed = True
        for name, value in memory.items():
            setattr(self, name, value)

    def save(self, files: Files, last_seq: int) -> None:
        """Store what is known, true as long as nothing follows `last_seq`; raises OSError."""
        states: dict[str, ResumedState] = {}
        for entity_id, before in self._remembered.items():
            if before.starts < STARTS_MAX:
                states[entity_id] = before._replace(starts=before.starts + 1)
        for entity_id, state in self.last.items():
            since = self._since.get(entity_id, state.last_changed_timestamp)
            states[entity_id] = ResumedState(
                state.state,
                self.times.corrected(entity_id, since),
                self._digest(entity_id, state),
            )
        store_states(files, last_seq, states)

    def load(self, files: Files, last_seq: int) -> None:
        """Recall what was stored, if nothing was written since then.

        Only a restart of Home Assistant sets states again that were there before.
        """
        stored = load_states(files, last_seq)
        if self._is_resumed:
            stored = {
                key: state
                for key, state in stored.items()
                if not (is_here(key) or key in self.last or key in self._remembered)
            }
        self._remembered |= stored

    def _with_resumed_date(self, state_event: StateEvent) -> StateEvent:
        entity_id, new, old = state_event.entity.key, state_event.new, state_event.old
        since = self._since.get(entity_id)
        if since is None or old is None:
            self._since.pop(entity_id, None)
            return state_event
        if new is not None and new.state == old.state:
            return state_event._replace(new=dated(new, since), old=dated(old, since))
        del self._since[entity_id]
        return state_event._replace(old=dated(old, since))

    def _digest(self, entity_id: str, state: StateLike) -> str:
        """Return a digest of the point of a state, without its time and its cause."""
        if self.profile and (entity := self.contexts.get(entity_id)):
            alone = StateEvent(entity, state, None, 0.0, NoContext())
            with suppress(BaseException):  # then the attributes have to do
                point = self.profile.encode(alone)
                return _hash(" ".join(point[:2]) if point else "")
        return digest(state.attributes, self.dumps)

    def _drop_placeholder(self, entity_id: str) -> None:
        if self.placeholders.pop(entity_id, None):
            self.ledger.filtered[RESTART_ECHO] += 1


def digest(attributes: Mapping[str, Any], dumps: JsonDumps) -> str:
    """Return a digest of attributes that does not depend on their order."""
    ordered = {key: attributes[key] for key in sorted(attributes, key=text_of)}
    return _hash(attributes_json(ordered, dumps))


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _is_placeholder(state: StateLike) -> bool:
    """Whether Home Assistant set this state for an entity that is not there yet."""
    return state.state == UNAVAILABLE and bool(state.attributes.get("restored"))


def _before(remembered: ResumedState) -> RedatedState:
    return RedatedState(
        state=remembered.state,
        attributes={},
        last_changed_timestamp=remembered.since,
        last_updated_timestamp=remembered.since,
    )
