"""Where every point went: exact counts, kept across restarts.

received = filtered + deduplicated + captured
captured = written + quarantined + evicted + lost + pending

What is pending is for the spool to say: it counts sequence numbers, so the second equation is a
check and not a definition.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The counts since the spool was created.

    Each count, and each reason in the tables, is changed by one thread only; that is why what an
    earlier process filtered is kept apart. `captured` counts what got a sequence number in the
    spool, or was lost before it could.
    """

    captured: int = 0
    written: int = 0
    quarantined: int = 0
    evicted: int = 0
    deduplicated: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    _filtered_before: Counter[str] = field(default_factory=Counter)

    @property
    def settled(self) -> int:
        """Captured points that wait for nothing any more."""
        return self.written + self.quarantined + self.evicted + self.lost.total()

    def as_dict(self) -> dict[str, Any]:
        """Copy the counts, all that were received first."""
        # Another thread may be adding a reason: a plain dict() copies in one step.
        filtered = self._filtered_before + Counter(dict(self.filtered))
        return {
            "received": filtered.total() + self.deduplicated + self.captured,
            "captured": self.captured,
            "written": self.written,
            "quarantined": self.quarantined,
            "evicted": self.evicted,
            "deduplicated": self.deduplicated,
            "filtered": dict(filtered),
            "lost": dict(self.lost),
        }

    def restore(self, stored: dict[str, Any]) -> None:
        """Go on from stored counts; what is missing was nothing."""
        for name in ("captured", "written", "quarantined", "evicted", "deduplicated"):
            setattr(self, name, getattr(self, name) + int(stored.get(name, 0)))
        self._filtered_before = Counter(stored.get("filtered", {}))
        self.lost.update(stored.get("lost", {}))
