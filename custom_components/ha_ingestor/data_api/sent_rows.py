"""Which rows of one table the server has stored or rejected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .rows import Row


@dataclass(slots=True, kw_only=True)
class SentRows:
    """Digests by key of what was stored and of what was refused; None where it may have changed."""

    _stored: dict[str, bytes | None] = field(default_factory=dict)
    _refused: dict[str, bytes | None] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)
    # What is there and no longer ours.
    stale: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many rows the server has taken, in whatever version."""
        return len(self._stored)

    @property
    def refused(self) -> dict[str, str]:
        """The reason by key of every row that is not taken."""
        return self._reasons

    def changed(self, rows: Iterable[Row]) -> list[Row]:
        """Find the rows that have to be sent."""
        return [
            row
            for row in rows
            if row.digest not in {self._stored.get(row.key), self._refused.get(row.key)}
        ]

    def accepted_row(self, rows: Iterable[Row]) -> Row | None:
        """Find a row that was accepted in its present version."""
        return next((row for row in rows if self._stored.get(row.key) == row.digest), None)

    def is_never_stored(self, key: str) -> bool:
        """Whether a row is refused and no earlier version is known to be stored."""
        return key in self._refused and key not in self._stored

    def listed(self, keys: set[str]) -> None:
        """Note what the other side has; what is not ours is stale there."""
        self.stale = keys - self._stored.keys() - self._refused.keys()

    def keep(self, rows: Sequence[Row]) -> None:
        """Forget the rows that are no longer here; what was stored of them is stale there."""
        now = {row.key: row.digest for row in rows}
        self.stale = (self.stale | self._stored.keys()) - now.keys()
        for key in self._stored.keys() - now.keys():
            del self._stored[key]
        for key in list(self._refused):
            # Gone, or again what was stored before it became what was refused.
            if key not in now or self._stored.get(key) == now[key]:
                self._clear(key)

    def stored(self, rows: Iterable[Row]) -> set[str]:
        """Note that these are stored; returns those that had been refused before."""
        freed = set()
        for row in rows:
            self._stored[row.key] = row.digest
            if row.key in self._refused:
                freed.add(row.key)
                self._clear(row.key)
        return freed

    def refuse(self, row: Row, reason: str) -> None:
        """Note that this one is not taken as it is now."""
        self._refused.pop(row.key, None)  # to the end of those that are tried again
        self._refused[row.key] = row.digest
        self._reasons[row.key] = reason

    def forget(self) -> None:
        """Send everything again."""
        self._stored = dict.fromkeys(self._stored)
        self._refused = dict.fromkeys(self._refused)

    def retry(self, most: int | None = None) -> None:
        """Send some of what was refused again, those first whose last try is longest ago."""
        for key in list(self._refused)[:most]:
            self._refused[key] = None

    def forget_entities(self, rows: Iterable[Row], domains: set[str]) -> None:
        """Send again what was stored with the actions that its domain had then."""
        for row in rows:
            if row.key in self._stored and row.key.partition(".")[0] in domains:
                self._stored[row.key] = None

    def forget_dependents(self, rows: Iterable[Row], keys: set[str]) -> None:
        """Send again what was stored without the device it belongs to."""
        for row in rows:
            if row.depends_on in keys and row.key in self._stored:
                self._stored[row.key] = None

    def _clear(self, key: str) -> None:
        del self._refused[key], self._reasons[key]
