"""Which entities of a remote home were seen, so that a gap asks also about those that are gone."""

from collections.abc import Iterable, KeysView
from dataclasses import dataclass, field
from typing import Any, Final, Self

from ...clients.homeassistant.states import Change

# Each gap asks about all of them, in ten queries an hour of it. Of more the oldest are forgotten.
GONE_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntities:
    """What is stored of a home: those that had a state, and those that had none any more."""

    there: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: object) -> Self:
        """Read what was stored; of a damaged file, as much as there is."""
        found = content if isinstance(content, dict) else {}
        there, gone = (
            [each for each in part if isinstance(each, str)] if isinstance(part, list) else []
            for part in (found.get("there"), found.get("gone"))
        )
        return cls(there=frozenset(there), gone=tuple(gone))

    def content(self) -> dict[str, Any]:
        """Return what is to be stored."""
        return {"there": sorted(self.there), "gone": list(self.gone)}

    def has_all(self, other: StoredEntities) -> bool:
        """Whether all entities of another one are known."""
        return {*other.there, *other.gone} <= {*self.there, *self.gone}


@dataclass(slots=True, kw_only=True)
class Entities:
    """Entities without a state now.

    Those that are `expected` had one when an earlier process ended; `gone` are told to be removed,
    the newest last.
    """

    expected: frozenset[str] = frozenset()
    gone: dict[str, None] = field(default_factory=dict)

    def load(self, stored: StoredEntities) -> None:
        """Begin with what an earlier process stored."""
        self.expected, self.gone = stored.there, dict.fromkeys(stored.gone)

    def note(self, change: Change) -> None:
        """Learn of a change."""
        self.gone.pop(change.entity_id, None)
        if change.new is None:
            self._add(change.entity_id)

    def missing(self, states: KeysView[str]) -> list[Change]:
        """Return those that have no state in the first event of a connection either."""
        for entity_id in states & self.gone.keys():
            del self.gone[entity_id]
        for entity_id in sorted(self.expected - states):
            self._add(entity_id)
        self.expected = frozenset()
        return [Change(entity_id, None, None) for entity_id in self.gone]

    def stored(self, there: Iterable[str]) -> StoredEntities:
        """Return what is to be stored, with those that have a state."""
        names = self.expected.union(there)
        gone = tuple(name for name in self.gone if name not in names)
        return StoredEntities(there=names, gone=gone)

    def _add(self, entity_id: str) -> None:
        self.gone[entity_id] = None
        if len(self.gone) > GONE_MAX:
            del self.gone[next(iter(self.gone))]
