"""What happens to both homes at once, and the numbers after each."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from ..home_assistant import HomeAssistantError
from ..servers import Server
from .homes import Home
from .tally import ALLOWED_SECONDS, Account, Arrived, account, arrived, since

# Both homes are told to begin so much later, so that they begin together.
_LEAD_SECONDS: Final = 1.0
_LATE_SECONDS: Final = 60.0
# What arrives later than that was not on its way any more: the built-in integration waits for a
# second and for a request, ours is asked whether something is pending.
_QUIET_SECONDS: Final = 5.0
# How long the built-in integration waits before it tries again, where it does.
_RETRY_SECONDS: Final = 20.0
_PATIENCE_SECONDS: Final = 180.0

# Twice as long as what a kill may cost, so that the beginning of the burst has to arrive.
_BURST_CHANGES: Final = 400
_BURST_SECONDS: Final = 2 * ALLOWED_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The numbers after a scenario, or after all of them."""

    title: str
    built_in: Arrived
    ours: Arrived
    # By how much each count of our ledger rose.
    counts: Mapping[str, int]
    account: Account


@dataclass(slots=True, kw_only=True)
class Stage:
    """Both homes and their database server, and what can be done to them."""

    server: Server
    built_in: Home
    ours: Home
    rate: float
    # The YAML option of the built-in integration; 0 is its default.
    max_retries: int = 0
    # Our ledger before everything, and before what comes next.
    _first_counts: Mapping[str, int] = field(default_factory=dict, init=False)
    _counts: Mapping[str, int] = field(default_factory=dict, init=False)
    _next: int = field(default=1, init=False)

    @property
    def homes(self) -> tuple[Home, Home]:
        """Both."""
        return self.built_in, self.ours

    def start(self) -> None:
        """Start both and wait for both."""
        for home in self.homes:
            home.assistant.launch()
        for home in self.homes:
            home.assistant.wait_until_running()

    def connect(self) -> None:
        """Set both up."""
        for home in self.homes:
            home.connect()
        if self.max_retries:
            self.built_in.configure(f"influxdb:\n  max_retries: {self.max_retries}\n")
        self._first_counts = self._counts = self._settled()

    def restart(self) -> None:
        """Restart both in order, at the same time."""
        with ThreadPoolExecutor(len(self.homes)) as executor:
            list(executor.map(lambda home: home.assistant.stop(), self.homes))
        self.start()

    def make(self, seconds: float, *, kill: bool = False) -> None:
        """Make changes for so long; kill -9 comes right after the last one."""
        with self.making(int(seconds * self.rate), self.rate, kill=kill):
            pass

    def burst(self) -> None:
        """Make many changes at once, and kill both."""
        with self.making(_BURST_CHANGES, _BURST_CHANGES / _BURST_SECONDS, kill=True):
            pass

    @contextmanager
    def making(self, count: int, rate: float, *, kill: bool = False) -> Iterator[None]:
        """Make changes while the block runs, and wait for the last one."""
        first, self._next = self._next, self._next + count
        at = time.monotonic() + _LEAD_SECONDS
        for home in self.homes:
            home.begin(first=first, count=count, rate=rate, at=at, kill=kill)
        yield
        deadline = at + count / rate + _LATE_SECONDS
        for home in self.homes:
            home.finish(first + count - 1, deadline=deadline, kill=kill)

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Stop the database server while the block runs."""
        self.server.stop()
        yield
        self.server.start()

    def run(self, title: str, happen: Callable[[Stage], None]) -> Outcome:
        """Let it happen, wait until nothing more arrives, and count."""
        for home in self.homes:
            home.make_sure_it_runs()
        first, before = self._next, self._counts
        happen(self)
        self._counts = self._settled()
        return self._outcome(title, range(first, self._next), before)

    def total(self) -> Outcome:
        """Count everything once more: what came late, and what came again."""
        return self._outcome("All of it", range(1, self._next), self._first_counts)

    def _outcome(self, title: str, numbers: range, before: Mapping[str, int]) -> Outcome:
        counts = since(before, self._counts)
        records = [home.record().within(numbers) for home in self.homes]
        for home, record in zip(self.homes, records, strict=True):
            if record.made.keys() != set(numbers):
                raise HomeAssistantError(f"{home.integration.name}: not all changes were made")
        built_in, ours = (
            arrived(record, home.stored()) for home, record in zip(self.homes, records, strict=True)
        )
        return Outcome(
            title=title,
            built_in=built_in,
            ours=ours,
            counts=counts,
            account=account(ours, records[1], counts),
        )

    def _settled(self) -> Mapping[str, int]:
        """Wait until nothing is pending and nothing more arrives; returns our ledger."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        quiet = _QUIET_SECONDS + (_RETRY_SECONDS if self.max_retries else 0)
        quiet_since, last = time.monotonic(), [-1]
        while True:
            now = time.monotonic()
            counts = self.ours.counts()
            look = [home.stored().total() for home in self.homes]
            is_busy = counts is None or counts["pending"] or self.built_in.is_changing
            if look != last or is_busy:
                quiet_since, last = now, look
            if counts is not None and (now - quiet_since >= quiet or now > deadline):
                return counts
            if now > deadline:
                raise HomeAssistantError("HA Ingestor tells no counts in its diagnostics")
            time.sleep(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something that happens to a home."""

    title: str
    happen: Callable[[Stage], None]


def _ordinary(stage: Stage) -> None:
    stage.make(60)


def _outage(seconds: float) -> Callable[[Stage], None]:
    def happen(stage: Stage) -> None:
        with stage.making(int((seconds + 10) * stage.rate), stage.rate):
            time.sleep(_LEAD_SECONDS + 3)
            with stage.database_away():
                time.sleep(seconds)

    return happen


def _restart(stage: Stage) -> None:
    with stage.database_away():
        stage.make(10)
        stage.restart()
        stage.make(10)
    stage.make(5)


def _kill(stage: Stage) -> None:
    with stage.database_away():
        stage.make(10, kill=True)
        stage.start()
        stage.make(10)
    stage.make(5)


def _burst(stage: Stage) -> None:
    stage.burst()
    stage.start()


def _credentials(stage: Stage) -> None:
    with stage.making(int(25 * stage.rate), stage.rate):
        time.sleep(_LEAD_SECONDS + 5)
        for home in stage.homes:
            home.revoke()
        time.sleep(10)
        for home in stage.homes:
            home.renew()


def scenarios(credentials: str) -> Mapping[str, Scenario]:
    """Return what is tried, by the name for the command line."""
    return {
        "minute": Scenario(title="An ordinary minute", happen=_ordinary),
        "away-20": Scenario(title="Database away for 20 s", happen=_outage(20)),
        "away-75": Scenario(title="Database away for 75 s", happen=_outage(75)),
        "restart": Scenario(title="Restarted, database away", happen=_restart),
        "kill": Scenario(title="kill -9, database away", happen=_kill),
        "burst": Scenario(title="kill -9 right after a burst", happen=_burst),
        "credentials": Scenario(title=credentials, happen=_credentials),
    }
