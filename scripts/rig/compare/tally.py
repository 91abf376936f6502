"""What was made, what arrived, and what the counts of our integration say of the difference."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

# A kill -9 may cost what was made in the last quarter of a second. Twice that is allowed for, as a
# busy machine may be late with what is due.
PROMISED_SECONDS: Final = 0.25
ALLOWED_SECONDS: Final = 0.5

# In the order in which a change passes them.
COUNTS: Final = (
    "received",
    "filtered",
    "deduplicated",
    "captured",
    "written",
    "pending",
    "quarantined",
    "evicted",
    "lost",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The changes that a home made: when, and when it was killed right after one of them."""

    made: Mapping[int, float] = field(default_factory=dict)
    killed: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what the home noted; a line that is still being written is left out."""
        found: dict[str, dict[int, float]] = {"made": {}, "killed": {}}
        for line in text[: text.rfind("\n") + 1].splitlines():
            word, number, seconds = line.split()
            found[word][int(number)] = float(seconds)
        return cls(**found)

    def within(self, numbers: range) -> Self:
        """Keep what happened to these."""
        made = {number: at for number, at in self.made.items() if number in numbers}
        killed = {number: at for number, at in self.killed.items() if number in numbers}
        return type(self)(made=made, killed=killed)

    def before_a_kill(self, number: int) -> float | None:
        """Return how many seconds before the next kill a change was made; None without one."""
        at = self.made[number]
        later = [killed - at for killed in self.killed.values() if killed >= at]
        return min(later, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What a database holds of the changes of a home."""

    made: int
    missing: tuple[int, ...]
    doubled: int

    @property
    def distinct(self) -> int:
        """How many of the changes are there."""
        return self.made - len(self.missing)


def arrived(record: Record, stored: Counter[int]) -> Arrived:
    """Compare what was made with what is stored, by its number."""
    return Arrived(
        made=len(record.made),
        missing=tuple(sorted(record.made.keys() - stored.keys())),
        doubled=sum(count > 1 for number, count in stored.items() if number in record.made),
    )


def counts_of(diagnostics: Mapping[str, Any]) -> dict[str, int]:
    """Return the ledger as numbers; those with reasons are summed up, one that is not told is 0.

    What waits in memory or on disk is pending.
    """
    ledger, health = diagnostics["ledger"], diagnostics["health"]
    found = {name: _total(ledger.get(name, 0)) for name in COUNTS}
    found["pending"] = sum(ledger.get(it, health.get(it, 0)) for it in ("pending", "waiting"))
    return found


def _total(told: Any) -> int:
    return sum(told.values()) if isinstance(told, Mapping) else int(told)


def since(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return by how much each count rose; what is pending is what is pending now."""
    rose = {name: after[name] - before[name] for name in COUNTS}
    return rose | {"pending": after["pending"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whether everything that is missing is accounted for."""

    # Made so shortly before a kill that it may be gone, and at most how many seconds before.
    last_moment: int
    last_seconds: float
    # Named by the ledger: waiting, in quarantine, evicted or lost.
    named: int
    uncounted: int


def account(result: Arrived, record: Record, counts: Mapping[str, int]) -> Account:
    """Say where what is missing went, as far as that is known."""
    before = [record.before_a_kill(number) for number in result.missing]
    last = [seconds for seconds in before if seconds is not None and seconds <= ALLOWED_SECONDS]
    others = len(result.missing) - len(last)
    told = counts["pending"] + counts["quarantined"] + counts["evicted"] + counts["lost"]
    named = min(told, others)
    return Account(
        last_moment=len(last),
        last_seconds=max(last, default=0.0),
        named=named,
        uncounted=others - named,
    )
