"""What is in a spool that nobody uses."""

import time
from contextlib import suppress

from ..files import Files
from ..ledger import Ledger
from ..slices import complete
from .quarantine.quarantine import Quarantine
from .settings import SpoolSettings
from .spool import Spool


def waiting_points(files: Files) -> int:
    """Count the points that wait; 0 where the spool cannot be read."""
    spool = Spool(files, Ledger(), time.monotonic, time.time, SpoolSettings())
    waiting = 0
    with suppress(OSError):
        try:
            spool.open()
            waiting = spool.pending
        finally:
            spool.close()
    return waiting


def quarantined_points(files: Files) -> int:
    """Count the points in quarantine that can be read."""
    with suppress(OSError):
        _, total = complete(Quarantine(files).newest_records(1))
        return total
    return 0
