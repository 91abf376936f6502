"""The model of the whole pipeline: what was offered, what may be gone, and what has to be there.

The world counts what it offers by itself. `driver` does what the steps say: in the memory of a test
for the state machine, with processes, files and an InfluxDB 2 for `scripts/soak`.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from .driver import Driver, KilledError
from .host import PLAIN, State
from .steps import (
    Begin,
    Break,
    Commit,
    CutPower,
    Deliver,
    During,
    Entities,
    Fill,
    Heal,
    Kill,
    Offer,
    PassTime,
    Pause,
    Purge,
    Reload,
    Repeat,
    Replay,
    Restart,
    Resume,
    Server,
    SetClock,
    Step,
    Write,
)

_NUMBERS: Final = (
    *("received", "captured", "written", "quarantined", "evicted", "deduplicated", "replayed"),
)


@dataclass(slots=True, kw_only=True)
class Known:
    """What the world knows by itself of the numbers that it offered."""

    offered: set[int] = field(default_factory=set)
    # Those that a process may take with it when it is killed, or when the power is cut.
    uncommitted: set[int] = field(default_factory=set)
    uncommitted_repeats: int = 0
    unsynced: set[int] = field(default_factory=set)
    # Those that nothing may have taken, that a filter never lets pass or may not,
    # and that somebody threw away.
    sure: set[int] = field(default_factory=set)
    excluded: set[int] = field(default_factory=set)
    ruled: set[int] = field(default_factory=set)
    purged: set[int] = field(default_factory=set)
    # How many the ledger has to have received, not counting what this process was offered.
    least: int = 0
    most: int = 0
    since: int = 0
    repeats: int = 0
    repeated: set[int] = field(default_factory=set)
    replayed: int = 0
    # How many the ledger may call lost although they are there.
    unsure: int = 0
    is_exact: bool = True
    # Whether nothing may be sent; False also where a disk that failed may have forgotten it.
    is_paused: bool = False
    # Whether this process had a disk that could tell it so; until then it sends.
    has_read_pause: bool = False


def counts_of(ledger: dict[str, Any]) -> dict[str, int]:
    """Every count of a ledger that may only rise."""
    counts = {name: int(ledger[name]) for name in _NUMBERS}
    for group in ("filtered", "lost", "evicted_for"):
        counts |= {f"{group} {reason}": count for reason, count in ledger[group].items()}
    return counts


def fallen(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Counts that are less than they were."""
    return {
        name: (count, after.get(name, 0))
        for name, count in before.items()
        if after.get(name, 0) < count
    }


def imbalance(ledger: dict[str, Any], pending: int) -> str:
    """The equation that does not hold, with its numbers."""
    filtered = sum(ledger["filtered"].values()) + ledger["deduplicated"]
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
    settled += sum(ledger["lost"].values())
    if ledger["received"] != filtered + ledger["captured"] + ledger["waiting"]:
        return f"received: {ledger}"
    return (
        f"captured: {ledger}, pending {pending}" if ledger["captured"] - settled != pending else ""
    )


class World[D: Driver]:
    """One destination through all its processes."""

    def __init__(self, driver: D, begin: Begin) -> None:
        self.driver = driver
        self.known = Known()
        self._options: dict[str, Any] = {
            "settings": {"max_bytes": begin.max_bytes, "full": begin.full},
            "rules": 0,
            "window": 0.0,
        }
        self._counts: dict[str, int] = {}
        self._was_broken = False
        self._begin()

    def do(self, step: Step) -> None:  # noqa: C901, PLR0912  one line a step
        """Let it happen."""
        match step:
            case Offer():
                self.offer(step.count, of=step.of, is_old=step.is_old)
            case Repeat():
                self.repeat(step.count)
            case Write():
                self.write(step.count)
            case Commit():
                self.commit()
            case Deliver():
                self.deliver()
            case PassTime():
                self.pass_time(step.seconds)
                self.commit()
            case SetClock():
                self.driver.pass_time(1, step.jump)
            case Server():
                self.driver.answer(step.answers)
            case Break():
                self.driver.break_files(f"{step.operation} {step.name}", step.error)
            case Fill():
                self.driver.fill_disk()
            case Heal():
                self.driver.heal_disk()
            case Reload():
                self._options |= {"rules": step.rules, "window": step.window}
                self.reload(max_age=step.max_age, max_bytes=step.max_bytes, full=step.full)
            case Restart():
                self.restart()
            case Replay():
                self.replay()
            case Purge():
                self.purge()
            case Pause():
                self.pause()
            case Resume():
                self.resume()
            case Kill():
                self.kill(step.during, step.at, offers=step.offers)
            case CutPower():
                self.cut_power(step.seed)
            case Begin():
                raise AssertionError("a world begins once")

    def _ask(self, what: str, **how: Any) -> Any:
        self._was_broken |= self.driver.is_broken
        return self.driver.ask(what, **how)

    # The home

    def offer(self, count: int, *, of: Entities = "plain", is_old: bool = False) -> None:
        """Let things change; each change has a number of its own."""
        known = self.known
        first = len(known.offered) + 1
        for numbers in (known.offered, known.uncommitted, known.unsynced, known.sure):
            numbers.update(range(first, first + count))
        if of != "plain":
            of_those = known.excluded if of == "excluded" else known.ruled
            of_those.update(range(first, first + count))
        known.since += count
        self._ask("offer", first=first, count=count, of=of, is_old=is_old)

    def repeat(self, count: int) -> None:
        """Let one entity say again what it said last, which is no number of its own."""
        known = self.known
        number = len(known.offered) - len(known.offered) % len(PLAIN)
        if number not in known.offered:
            return
        known.since += count
        known.unsure += count
        known.repeats += count
        known.repeated.add(number)
        known.uncommitted_repeats += count
        self._ask("repeat", number=number, count=count)

    def write(self, count: int) -> None:
        """Let a user write points, all of which are taken, or none."""
        known = self.known
        first = len(known.offered) + 1
        with suppress(OSError):
            self._ask("write", first=first, count=count)
            for numbers in (known.offered, known.uncommitted, known.unsynced, known.sure):
                numbers.update(range(first, first + count))
            known.since += count

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.driver.pass_time(seconds, 0.0)

    # The process

    def commit(self) -> None:
        """Bring to the disk what was offered."""
        self._ask("commit")
        found = self.state()
        if found.is_open and not (found.held or found.spool_error or self.driver.is_broken):
            # What still waits is held back by a rule.
            self.known.uncommitted &= self.known.ruled if found.waiting else set()
            self.known.uncommitted_repeats = 0
        if self.driver.is_durable:
            self.known.unsynced.clear()

    def deliver(self, attempts: int = 3) -> None:
        """Let the exporter go on until it has to wait, a few times."""
        known = self.known
        known.has_read_pause |= not self.driver.is_broken
        known.is_paused &= known.has_read_pause
        before = sum(self.driver.held().values()) if known.is_paused else None
        self._ask("deliver", attempts=attempts)
        if before is not None:
            assert sum(self.driver.held().values()) == before, "sent while paused"

    def replay(self) -> None:
        """Deliver the quarantine once more."""
        with suppress(OSError):
            self._ask("replay")

    def purge(self) -> None:
        """Delete the quarantine."""
        self._ask("hold")  # nothing is put aside between the reading and the purge
        try:
            with suppress(OSError):
                # What stays of a purge that fails is found again in the end.
                self.known.purged |= self.quarantined()
                self._ask("purge")
        finally:
            self._ask("release")

    def pause(self) -> None:
        """Let nothing be sent, if the disk takes that."""
        with suppress(OSError):
            self._ask("pause")
            self.known.is_paused = self.known.has_read_pause = True

    def resume(self) -> None:
        """Let points be sent again."""
        with suppress(OSError):
            self._ask("resume")
        self.known.is_paused = False

    def reload(self, **settings: float | str) -> None:
        """Stop, and go on in the same process with other settings."""
        self._options["settings"] |= settings
        self._ask("reload", options=self._options)
        self.commit()

    def restart(self) -> None:
        """Stop in order, and begin a new process."""
        self._ask("stop")
        found = self.state()
        self.driver.kill()
        if not self._was_broken:
            self.known.uncommitted.clear()
            self.known.uncommitted_repeats = 0
        counts = {} if self._was_broken else self._counts
        self._forget_process(found)
        self._begin(counts=counts)

    def kill(self, during: During = "", at: int = 1, *, offers: int = 0) -> None:
        """End the process with -9, if it does something then at an operation on a file of it."""
        found = self.state()
        self.driver.arm(at)
        with suppress(KilledError):
            match during:
                case "commit":
                    self.commit()
                case "deliver":
                    self.deliver()
                case "replay":
                    self.replay()
                case "purge":
                    self.purge()
        self.driver.kill()
        self._forget_process(found, replays=during == "replay")
        self._begin(offers)

    def cut_power(self, seed: int) -> None:
        """End everything; the disk keeps what was synced, and some of the rest."""
        found = self.state()
        self.driver.cut_power(seed)
        self._forget_process(found, power=True)
        self._begin()

    def _forget_process(self, last: State, *, power: bool = False, replays: bool = False) -> None:
        """Note what may have gone with the memory of the process, and with the disk's.

        `last` is what it told before it was ended; it may have been about to replay.
        """
        known = self.known
        known.unsure += last.waiting + last.intake
        if replays:
            known.unsure += last.ledger["quarantined"]
        self.driver.deliveries.killed()
        gone = known.uncommitted | (known.unsynced if power else set())
        known.sure -= gone
        if power or self._was_broken:
            # Its last counts may be gone as well, also those of what was received a second time.
            known.least, known.is_exact = 0, False
            known.replayed += last.ledger["replayed"]
            if replays:
                known.replayed += len(known.offered) + known.repeats
            # And what was settled may be back.
            known.most = len(known.offered) + known.repeats + known.replayed
        else:
            known.least += known.since - len(known.uncommitted) - known.uncommitted_repeats
            known.most += known.since
        known.since = 0
        known.uncommitted = set()
        known.uncommitted_repeats = 0

    def _begin(self, offers: int = 0, counts: dict[str, int] | None = None) -> None:
        self._counts = counts or {}
        self._was_broken = self.driver.is_broken
        self.known.is_paused &= not self.driver.is_broken
        self.known.has_read_pause = False
        self.driver.begin(self._options)
        if offers:
            # They wait for the first commit, which opens the spool.
            self.offer(offers)
        else:
            self.commit()

    # What must be true

    def state(self) -> State:
        """What the process tells of itself."""
        found: State = self.driver.ask("state")
        self.driver.deliveries.noted()
        return found

    def quarantined(self) -> set[int]:
        """Numbers in the quarantine; raises OSError."""
        return set(self._ask("quarantined"))

    def assert_sound(self) -> State:
        """Nothing is negative, nothing falls, and the equations hold with the world's own count."""
        found, known = self.state(), self.known
        ledger = found.ledger
        counts = counts_of(ledger) | {"acked": found.acked}
        assert min((*counts.values(), found.pending, found.waiting)) >= 0, counts
        if not found.is_open:
            return found
        assert not (less := fallen(self._counts, counts)), less
        self._counts = counts
        assert not (wrong := imbalance(ledger, found.pending)), wrong
        assert not found.unbalanced, found.unbalanced
        before = ledger["received"] - ledger["replayed"] - known.since + found.intake
        assert known.least <= before <= known.most, (known.least, before, known.most)
        known.least = known.most = before
        return found

    def finish(self) -> State:
        """Heal everything, let all be delivered, and compare point by point."""
        self.driver.heal_disk()
        self.driver.answer("up")
        self.resume()
        for _ in range(60):
            self.pass_time(61)
            # A person would say so, after so many refusals in a row.
            self._ask("quarantine_all")
            self.commit()
            self.deliver()
            found = self.assert_sound()
            if found.is_open and not (found.pending or found.waiting or found.spool_error):
                break
        else:
            raise AssertionError(f"never done: {found}")
        known, ledger, held = self.known, found.ledger, self.driver.held()
        # What is said again is another point, where it was another entity's or from another time.
        twice = {number for number, count in held.items() if count > 1}
        assert twice <= known.repeated, sorted(twice)
        there = held.keys() | self.quarantined() | known.purged
        assert there <= known.offered, sorted(there - known.offered)
        missing = known.offered - there
        lost = sum(ledger["lost"].values()) + ledger["evicted"]
        named = sum(ledger["filtered"].values()) + ledger["deduplicated"] + lost
        # Each point that is gone is named, with and without those that a rule may leave out.
        filtered = ledger["filtered"]
        silent = (missing & known.sure) - known.excluded
        may_be = named - filtered.get("excluded", 0)
        assert len(silent) <= may_be, (ledger, sorted(silent)[:20])
        silent -= known.ruled
        may_be -= filtered.get("throttled", 0) + filtered.get("deadband", 0)
        assert len(silent) <= may_be, (ledger, sorted(silent)[:20])
        if known.is_exact:
            unsure = known.unsure + len(self.driver.deliveries.unacknowledged & held.keys())
            assert named <= len(missing) + unsure, (ledger, len(missing), unsure)
        return found
