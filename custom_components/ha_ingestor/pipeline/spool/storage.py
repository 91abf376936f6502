"""What a destination has on the disk: the spool, the quarantine, and up to when it captured."""

from dataclasses import dataclass

from ..clock import Clocks
from ..files import Files
from ..ledger import Ledger
from .buffer import Buffer
from .captured_until import CapturedUntil
from .counted_files import CountedFiles
from .quarantine.quarantine import Quarantine
from .recovery import SpoolPosition
from .settings import SpoolSettings
from .spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Used by the spool's thread. `files` are those of all others; `limit` is in bytes."""

    files: CountedFiles
    spool: Spool
    buffer: Buffer
    quarantine: Quarantine
    captured_until: CapturedUntil
    limit: int

    @property
    def fill(self) -> float:
        """How much of the room for the spool is used, from 0 to 1."""
        return self.spool.disk_bytes / self.limit


def build_storage(
    files: Files,
    ledger: Ledger,
    clocks: Clocks,
    settings: SpoolSettings,
    *,
    destination: str,
    position: SpoolPosition | None = None,
    held: list[str] | None = None,
) -> Storage:
    """Put the parts together.

    `position` and `held` are how far an earlier spool of this process came, and the lines that
    waited in memory for it.
    """
    counted = CountedFiles(files)
    spool = Spool(counted, ledger, clocks.monotonic, clocks.wall, settings, position=position)
    buffer = Buffer(spool, ledger, held)
    quarantine = Quarantine(counted, destination)
    buffer.when_opened = quarantine.resume
    buffer.count_quarantined = quarantine.count_settled
    return Storage(
        files=counted,
        spool=spool,
        buffer=buffer,
        quarantine=quarantine,
        captured_until=CapturedUntil(files=counted),
        limit=settings.max_bytes,
    )
