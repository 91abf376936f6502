"""The ledger: exact counts of all events, kept across restarts.

    received = filtered + deduplicated + captured + waiting
    captured = written + quarantined + evicted + lost + pending

Nothing here is computed from another count. `received` is counted where events come in, `waiting`
is what is in memory, and the spool counts what is pending by sequence numbers: both equations are
checks. No count falls, but waiting and pending.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .model import IntakeContent

# Why events give no point. The values are stored, as all reasons are.
NO_NUMBER: Final = "no_number"
NOT_IN_PROFILE: Final = "not_in_profile"
RESTART_ECHO: Final = "restart_echo"
DEADBAND: Final = "deadband"
THROTTLED: Final = "throttled"
# Why points could not be read back.
DAMAGED: Final = "damaged"
# Why points of an earlier process are gone that were in its memory when it ended.
KILLED: Final = "killed"
# Why points were evicted before the reason was counted.
SPOOL_FULL: Final = "spool_full"

# What becomes of points of the spool that were not lost.
type Fate = Literal["written", "quarantined", "evicted"]

_WAITING: Final = "waiting"

_NUMBERS: Final = (
    *("received", "deduplicated", "captured", "written", "quarantined", "replayed", "misdated"),
    "recovered",
)
_BY_REASON: Final = ("filtered", "lost")


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The counts since the spool was created, or they could not be read. Used by one thread.

    `captured` counts what got a sequence number in the spool, or was settled without one.
    `throttled` are events that the filter holds, `held` are lines that wait for the disk.
    `replayed` points came in a second time, out of the quarantine. `misdated` points were dated
    while the clock of the machine was not set. `recovered` points came out of the recorder.
    """

    received: int = 0
    captured: int = 0
    written: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    replayed: int = 0
    misdated: int = 0
    recovered: int = 0
    throttled: int = 0
    held: int = 0
    evicted_for: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def evicted(self) -> int:
        """Captured points that were evicted, for any reason."""
        return self.evicted_for.total()

    @property
    def settled(self) -> int:
        """Captured points that are settled."""
        return self.written + self.quarantined + self.evicted + self.lost.total()

    @property
    def waiting(self) -> int:
        """Received events that are in memory only."""
        return self.throttled + self.held

    def take(self, taken: IntakeContent) -> None:
        """Add what the event loop counted. The items themselves are for the caller to account."""
        self.received += taken.received
        for reason, count in taken.filtered.items():
            self.filtered[reason] += count
        for reason, count in taken.lost.items():
            self.count_lost(count, reason)

    def count_lost(self, points: int, reason: str) -> None:
        """Count received points that cannot be kept: captured, and lost at once."""
        if points > 0:
            self.captured += points
            self.lost[reason] += points

    def count_quarantined(self, points: int) -> None:
        """Count points that were put aside by an earlier process, whose counts are lost."""
        self.received += points
        self.captured += points
        self.quarantined += points

    def settle(self, fate: Fate, points: int, reason: str = "") -> None:
        """Count captured points that wait no more; `reason` is why they were evicted."""
        match fate:
            case "written":
                self.written += points
            case "quarantined":
                self.quarantined += points
            case "evicted":
                self.evicted_for[reason] += points

    def forget_replayed(self, points: int) -> None:
        """Forget points of the quarantine that were counted as captured, and still are in there."""
        self.received -= points
        self.replayed -= points
        self.captured -= points

    def imbalance(self, pending: int) -> str:
        """Return which equation fails, with its numbers; empty when both hold."""
        filtered = self.filtered.total() + self.deduplicated
        found = []
        if self.received != filtered + self.captured + self.waiting:
            found.append(
                f"received {self.received} is not filtered and deduplicated {filtered}"
                f" + captured {self.captured} + waiting {self.waiting}"
            )
        if self.captured != self.settled + pending:
            found.append(
                f"captured {self.captured} is not written {self.written}"
                f" + quarantined {self.quarantined} + evicted {self.evicted}"
                f" + lost {self.lost.total()} + pending {pending}"
            )
        return "; ".join(found)

    def as_dict(self) -> dict[str, Any]:
        """Copy the counts, all that were received first."""
        return {
            "received": self.received,
            "captured": self.captured,
            "written": self.written,
            "quarantined": self.quarantined,
            "evicted": self.evicted,
            "deduplicated": self.deduplicated,
            "filtered": dict(self.filtered),
            "lost": dict(self.lost),
            "evicted_for": dict(self.evicted_for),
            "replayed": self.replayed,
            "misdated": self.misdated,
            "recovered": self.recovered,
            _WAITING: self.waiting,
        }

    def restore(self, stored: dict[str, Any], recovered: int) -> None:
        """Continue with stored counts; missing ones are zero.

        `recovered` points were found in the spool that were not counted yet. What an earlier
        process had in memory only is gone with it, and counted as lost.
        """
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + int(stored.get(name, 0)))
        for name in _BY_REASON:
            getattr(self, name).update(stored.get(name, {}))
        self.evicted_for.update(stored.get("evicted_for") or _unnamed(stored.get("evicted", 0)))
        if _WAITING not in stored:
            # An older version stored the sum as received, with points that were not stored yet.
            self.received -= int(stored.get("received", 0))
            self.received += int(stored.get("captured", 0)) + int(stored.get("deduplicated", 0))
            self.received += sum(stored.get("filtered", {}).values())
        waited = int(stored.get(_WAITING, 0))
        of_those = min(waited, recovered)
        self.captured += recovered
        self.received += recovered - of_those
        self.count_lost(waited - of_those, KILLED)


def _unnamed(evicted: int) -> dict[str, int]:
    return {SPOOL_FULL: evicted} if evicted else {}
