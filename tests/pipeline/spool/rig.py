"""What the tests of the spool share: how one is opened, filled and emptied."""

from typing import Any

from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.memory_files import MemoryFiles

NOON = 1_795_262_400.0
# Sizes mean something when lines are stored as they are.
PLAIN: dict[str, Any] = {"compress": False}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def opened(
    files: MemoryFiles, clock: Clock | None = None, wall: Clock | None = None, **limits: Any
) -> Spool:
    """Open a spool as a new process does."""
    settings = SpoolSettings(**PLAIN | limits)
    spool = Spool(files, Ledger(), clock or Clock(), wall or Clock(NOON), settings)
    spool.open()
    return spool


def lines(first: int, last: int) -> list[str]:
    return [f"m,s={number} v={number} {number}000" for number in range(first, last + 1)]


def append(spool: Spool, received: list[str]) -> None:
    """Bring lines in as whoever holds them does."""
    spool.ledger.received += len(received)
    spool.ledger.held += len(received)
    spool.append(received)


def drain(spool: Spool, max_points: int = 5000) -> list[str]:
    """Deliver everything, as an exporter whose every write is accepted."""
    delivered: list[str] = []
    while (batch := spool.read(max_points, 1 << 20)) is not None:
        part = batch.payload.decode().split("\n")
        assert len(part) == batch.count
        delivered += part
        spool.settle(batch, "written")
    return delivered


def balanced(spool: Spool) -> bool:
    return spool.ledger.imbalance(spool.pending) == ""


def segments(files: MemoryFiles) -> list[str]:
    return [name for name in files.names() if name.endswith(".seg")]
