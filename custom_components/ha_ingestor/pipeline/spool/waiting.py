"""How many points wait in a spool that nobody uses."""

import time
from contextlib import suppress

from ..ledger import Ledger
from .files import Files
from .settings import SpoolSettings
from .spool import Spool


def waiting_points(files: Files) -> int:
    """Count them; 0 where the spool cannot be read."""
    spool = Spool(files, Ledger(), time.monotonic, time.time, SpoolSettings())
    waiting = 0
    with suppress(OSError):
        try:
            spool.open()
            waiting = spool.pending
        finally:
            spool.close()
    return waiting
