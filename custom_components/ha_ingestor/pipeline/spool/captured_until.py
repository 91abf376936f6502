"""Up to when this home was captured, for a later process.

The events of a home come in the order in which they happen, so one moment says which of them were
captured. It is written with each commit, as a number in a small file that is never synced: a killed
process leaves it exact, and after a power cut it is as old as the newest page on the disk.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..clock import CLOCKS_ARE_SET
from .files import Files

FILE: Final = "captured-until"
# The longest number of this size is shorter.
_WIDTH: Final = 24


@dataclass(slots=True, kw_only=True)
class CapturedUntil:
    """Used by the spool's thread, but for `newest`, `hold` and `release`.

    `newest` is the moment, in seconds since 1970; None as long as it is not known. While it is
    held, the file keeps the moment of the process before.
    """

    files: Files
    newest: float | None = None
    _is_held: bool = False
    _stored: float | None = None
    _fd: int | None = None

    def load(self) -> float | None:
        """Return what an earlier process stored; None for nothing that can be read."""
        with suppress(OSError, ValueError):
            if FILE in self.files.names():
                moment = float(self.files.read(FILE, 0, _WIDTH))
                return moment if moment >= CLOCKS_ARE_SET else None
        return None

    def hold(self) -> None:
        """Store nothing until `release`."""
        self._is_held = True

    def release(self, moment: float | None = None) -> None:
        """Store again: what was captured since, or else this moment."""
        if self.newest is None:
            self.newest = moment
        self._is_held = False

    def store(self) -> None:
        """Store the moment if it is another one; a disk that fails is reported by the spool."""
        moment = self.newest
        if self._is_held or moment is None or moment == self._stored or moment < CLOCKS_ARE_SET:
            return
        try:
            if self._fd is None:
                is_there = FILE in self.files.names()
                self._fd = self.files.open(FILE) if is_there else self.files.create(FILE)
            self.files.write(self._fd, repr(float(moment)).ljust(_WIDTH).encode(), 0)
        except OSError:
            self.close()
        else:
            self._stored = moment

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, None
        if fd is not None:
            with suppress(OSError):
                self.files.close(fd)
