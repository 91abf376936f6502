"""What was last written of each entity, across restarts.

Home Assistant restores states at its start: with a new date, and often behind a placeholder that
says `unavailable`. Who remembers what was written before tells such an echo from news, and for how
long an entity has really been in its state.
"""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from ..clock import CLOCKS_ARE_SET
from ..encode.attributes import JsonDumps, attributes_json
from ..ledger import Ledger
from ..model import UNAVAILABLE, Capture, EntityContext, NoContext, Point, StateLike
from ..spool.files import Files
from ..text import text_of
from .state_times import Redated, StateTimes, dated

FILE: Final = "recollection.json"

# An entity that did not come back in so many starts is not expected any more.
STARTS_MAX: Final = 10

# Integrations that take longer than this to bring their entities back have trouble worth a point.
PATIENCE_SECONDS: Final = 300.0


class Encodes(Protocol):
    """A profile, as far as it tells what would be stored."""

    def encode(self, capture: Capture) -> Point | None:
        """Encode a capture."""


class _Remembered(NamedTuple):
    """What an earlier process wrote: the state, since when, and what tells the stored point.

    `starts` counts how often Home Assistant has started since without the entity.
    """

    state: str
    since: float
    digest: str
    starts: int = 0


# Everything that is known, by name, for the next pipeline of this process.
type Memory = dict[str, Any]

_MEMORY: Final = ("last", "placeholders", "times", "_remembered", "_since")


@dataclass(slots=True, kw_only=True)
class Recollection:
    """Used by one thread.

    `profile` tells which states are stored as the same point; without one, their attributes do.
    `contexts` are the descriptions of entities as they are now.
    """

    ledger: Ledger
    dumps: JsonDumps
    profile: Encodes | None = None
    contexts: Mapping[str, EntityContext] = field(default_factory=dict)
    last: dict[str, StateLike] = field(default_factory=dict)
    placeholders: dict[str, tuple[float, Capture]] = field(default_factory=dict)
    times: StateTimes = field(default_factory=StateTimes)
    _is_resumed: bool = False
    _remembered: dict[str, _Remembered] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    @property
    def due(self) -> float:
        """When the first placeholder has waited long enough, by the clock of `continued`."""
        return next((due for due, _ in self.placeholders.values()), math.inf)

    def concerns(self, entity_id: str) -> bool:
        """Whether `continued` has something to say of this entity."""
        return entity_id in self._remembered or entity_id in self._since

    def note(self, entity_id: str, state: StateLike | None) -> None:
        """Remember what is written; nothing of a removed entity."""
        if state is None:
            self.last.pop(entity_id, None)
        else:
            self.last[entity_id] = state
        self.times.note(entity_id, is_there=state is not None)

    def forget(self, entity_id: str) -> None:
        """Keep nothing of an entity, in the memory or on the disk."""
        self._drop_placeholder(entity_id)
        self._remembered.pop(entity_id, None)
        self._since.pop(entity_id, None)
        self.note(entity_id, None)

    def continued(self, capture: Capture, now: float) -> Capture | None:
        """Join a capture to what was before the restart; None when it is only an echo."""
        entity_id = capture.entity.entity_id
        remembered = self._remembered.get(entity_id)
        if remembered is None:
            return self._carried_on(capture)
        new, old = capture.new, capture.old
        if new is not None and remembered.since < CLOCKS_ARE_SET:
            # Whenever that was: the clock was not set.
            remembered = remembered._replace(since=new.last_changed_timestamp)
        if new is not None and _is_placeholder(new):
            self._drop_placeholder(entity_id)
            if remembered.state == UNAVAILABLE:
                self.ledger.filtered["restart_echo"] += 1
            else:
                self.placeholders[entity_id] = (now + PATIENCE_SECONDS, capture)
            return None
        self._drop_placeholder(entity_id)
        del self._remembered[entity_id]
        if old is not None and not _is_placeholder(old):
            # Home Assistant was there all the time; only this integration was not.
            if old.state == remembered.state and remembered.since < old.last_changed_timestamp:
                self._since[entity_id] = remembered.since
            return self._carried_on(capture)
        if new is None:
            return capture
        if new.state == remembered.state:
            self._since[entity_id] = remembered.since
            if self._digest(entity_id, new) == remembered.digest:
                self.note(entity_id, new)
                self.ledger.filtered["restart_echo"] += 1
                return None
            new = dated(new, remembered.since)
        return capture._replace(new=new, old=_before(remembered))

    def overdue(self, now: float) -> list[Capture]:
        """Return the placeholders that nothing came after."""
        found = []
        for entity_id, (due, capture) in list(self.placeholders.items()):
            if due <= now:
                del self.placeholders[entity_id]
                self.note(entity_id, capture.new)
                before = self._remembered.pop(entity_id)
                if capture.new and before.since < CLOCKS_ARE_SET:
                    before = before._replace(since=capture.new.last_changed_timestamp)
                found.append(capture._replace(old=_before(before)))
        return found

    def forget_placeholders(self) -> None:
        """Give up waiting for what comes after them; the next start will wait again."""
        for entity_id in list(self.placeholders):
            self._drop_placeholder(entity_id)

    def hand_over(self) -> Memory:
        """Give everything to the next pipeline of this process; what is stored stays known."""
        memory = {name: getattr(self, name) for name in _MEMORY}
        self.placeholders = {}
        return memory

    def resume(self, memory: Memory) -> None:
        """Go on with what another pipeline of this process knew: nothing was restarted."""
        self._is_resumed = True
        for name, value in memory.items():
            setattr(self, name, value)

    def save(self, files: Files, last_seq: int) -> None:
        """Store what is known, true as long as nothing follows `last_seq`; raises OSError."""
        states: dict[str, _Remembered] = {}
        for entity_id, before in self._remembered.items():
            if before.starts < STARTS_MAX:
                states[entity_id] = before._replace(starts=before.starts + 1)
        for entity_id, state in self.last.items():
            since = self._since.get(entity_id, state.last_changed_timestamp)
            states[entity_id] = _Remembered(
                state.state,
                self.times.corrected(entity_id, since),
                self._digest(entity_id, state),
            )
        content = {"seq": last_seq, "states": states}
        files.remove(FILE)
        fd = files.create(FILE)
        try:
            files.write(fd, json.dumps(content).encode(), 0)
            files.sync(fd)
        finally:
            files.close(fd)

    def load(self, files: Files, last_seq: int) -> None:
        """Recall what was stored, if nothing was written since then.

        Only a restart of Home Assistant sets states again that were there before.
        """
        if self._is_resumed:
            return
        try:
            if FILE not in files.names():
                return
            stored = b""
            while part := files.read(FILE, len(stored), 1 << 20):
                stored += part
            content = json.loads(stored)
            if content["seq"] == last_seq:
                self._remembered = {
                    str(entity_id): _Remembered(str(state), float(since), str(told), *starts)
                    for entity_id, (state, since, told, *starts) in content["states"].items()
                }
        except OSError, ValueError, TypeError, KeyError, AttributeError:
            self._remembered = {}  # then everything is news

    def _carried_on(self, capture: Capture) -> Capture:
        entity_id, new, old = capture.entity.entity_id, capture.new, capture.old
        since = self._since.get(entity_id)
        if since is None or old is None:
            self._since.pop(entity_id, None)
            return capture
        if new is not None and new.state == old.state:
            return capture._replace(new=dated(new, since), old=dated(old, since))
        del self._since[entity_id]
        return capture._replace(old=dated(old, since))

    def _digest(self, entity_id: str, state: StateLike) -> str:
        """Return what tells the point of a state from others, without its time and its cause."""
        if self.profile and (entity := self.contexts.get(entity_id)):
            alone = Capture(entity, state, None, 0.0, NoContext())
            with suppress(Exception):  # then the attributes have to do
                point = self.profile.encode(alone)
                return _hash(" ".join(point[:2]) if point else "")
        return digest(state.attributes, self.dumps)

    def _drop_placeholder(self, entity_id: str) -> None:
        if self.placeholders.pop(entity_id, None):
            self.ledger.filtered["restart_echo"] += 1


def digest(attributes: Mapping[str, Any], dumps: JsonDumps) -> str:
    """Return what tells attributes from others, in whichever order they come."""
    ordered = {key: attributes[key] for key in sorted(attributes, key=text_of)}
    return _hash(attributes_json(ordered, dumps))


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _is_placeholder(state: StateLike) -> bool:
    """Whether Home Assistant set this state for an entity that is not there yet."""
    return state.state == UNAVAILABLE and bool(state.attributes.get("restored"))


def _before(remembered: _Remembered) -> Redated:
    return Redated(
        state=remembered.state,
        attributes={},
        last_changed_timestamp=remembered.since,
        last_updated_timestamp=remembered.since,
    )
