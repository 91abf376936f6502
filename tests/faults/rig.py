"""A spool and an exporter on whatever files and whatever database, without waiting for anything."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.clock import Clocks as PipelineClocks
from custom_components.ha_ingestor.pipeline.export.build import build_exporter
from custom_components.ha_ingestor.pipeline.export.pause import Pause
from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.export.writer import Writer
from custom_components.ha_ingestor.pipeline.files import Files
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.slices import complete
from custom_components.ha_ingestor.pipeline.spool.buffer import Buffer
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.state_events import NOON

ACCEPTED = Outcome(status=204, from_database=True)
REFUSED = Outcome(status=422, body="field type conflict", from_database=True)
DOWN = Outcome(status=503, from_database=True)


def points(first: int, last: int) -> list[str]:
    """Points that tell their numbers, a millisecond apart."""
    return [
        f"m,entity_id=sensor.s{number % 7} value={number}.5 {(1_795_262_400_000 + number) * 10**6}"
        for number in range(first, last + 1)
    ]


@dataclass(slots=True)
class Clocks:
    """The monotonic clock and the one on the wall, which pass when told to."""

    monotonic: float = 1000.0
    wall: float = NOON


@dataclass(slots=True)
class Database:
    """A writer that stores, refuses its bad lines, or is down."""

    bad_lines: set[str] = field(default_factory=set)
    is_down: bool = False
    stored: list[str] = field(default_factory=list)
    dialect: Dialect = Dialect.V2

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        lines = (zlib.decompress(body, wbits=31) if gzipped else body).decode().split("\n")
        answer = ACCEPTED
        if self.is_down:
            answer = DOWN
        elif self.bad_lines & set(lines):
            answer = REFUSED
        else:
            self.stored += lines
        return classify(answer, self.dialect)

    async def retention(self) -> float | None:
        return None

    async def check(self) -> Result:
        return classify(DOWN if self.is_down else ACCEPTED, self.dialect)


async def run_at_once[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


class Rig:
    """What a process makes on its start, and does when it is told."""

    def __init__(
        self,
        files: Files,
        writer: Writer,
        *,
        settings: SpoolSettings | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self.files, self.clocks = files, clocks or Clocks()
        self.ledger = Ledger()
        self.spool = Spool(
            files,
            self.ledger,
            lambda: self.clocks.monotonic,
            lambda: self.clocks.wall,
            settings or SpoolSettings(),
        )
        self.buffer = Buffer(self.spool, self.ledger)
        self.quarantine = Quarantine(files, "the database")
        self.exporter = build_exporter(
            buffer=self.buffer,
            quarantine=self.quarantine,
            writer=writer,
            pause=Pause(files=self.files),
            run=run_at_once,
            jitter=lambda: 1.0,
            on_change=lambda: None,
            clocks=PipelineClocks(
                monotonic=lambda: self.clocks.monotonic, wall=lambda: self.clocks.wall
            ),
        )

    def commit(self, lines: Iterable[str] = ()) -> None:
        """Bring lines to the disk; what it does not take is held."""
        received = list(lines)
        self.ledger.received += len(received)
        self.buffer.commit(received)

    async def deliver(self, attempts: int = 1) -> list[float]:
        """Drain until nothing is left, at most so many times; return the waits in between."""
        waits: list[float] = []
        for _ in range(attempts):
            try:
                delay = await self.exporter.drain()
            except OSError:
                # The exporter's own loop waits for the disk in the same way.
                continue
            if delay is None:
                break
            waits.append(delay)
        return waits

    @property
    def pending(self) -> int:
        return self.spool.pending if self.spool.is_open else 0

    def assert_adds_up(self) -> None:
        """Every captured point is settled once, or waits."""
        assert self.ledger.imbalance(self.pending) == ""


def quarantined(rig: Rig) -> list[str]:
    """Lines in the quarantine; a record that a crash made twice counts once."""
    return list(
        {record["seq"]: record["line"] for record in complete(rig.quarantine.records())}.values()
    )


def missing(wanted: Sequence[str], *found: Sequence[str]) -> list[str]:
    """What was wanted and is nowhere, in order."""
    anywhere = {line for lines in found for line in lines}
    return [line for line in wanted if line not in anywhere]
