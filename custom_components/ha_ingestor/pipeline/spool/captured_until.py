"""Up to when this home was captured, for a later process.

The events of a home come in the order in which they happen, so one moment says which of them were
captured. It is written with each commit into a small file that is synced only when it is made: a
killed process leaves it exact. A power cut may leave it newer than the points, so two more numbers
are beside it: that of the newest point, and the moment up to which nothing can be lost.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..clock import CLOCKS_ARE_SET
from ..files import Files

FILE: Final = "captured-until"
# The longest number is shorter. Earlier versions read and write the moment alone.
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
    _safe: float | None = None
    _fd: int | None = None

    def load(self, found_seq: int) -> float | None:
        """Return what an earlier process stored; None for nothing that can be read.

        `found_seq` is the number of the newest point that is left of it.
        """
        with suppress(OSError, ValueError):
            if FILE in self.files.names():
                moment, *more = self.files.read(FILE, 0, 3 * _WIDTH).split()
                if more and found_seq < int(more[0]):
                    moment = more[1]
                if float(moment) >= CLOCKS_ARE_SET:
                    self._safe = float(moment)
        return self._safe

    def hold(self) -> None:
        """Store nothing until `release`."""
        self._is_held = True

    def release(self, moment: float | None = None) -> None:
        """Store again: what was captured since, or else this moment."""
        if self.newest is None:
            self.newest = moment
        self._is_held = False

    def note_safe(self) -> None:
        """Note that all points up to the stored moment are on the disk, or settled."""
        self._safe = self._stored or self._safe

    def store(self, last_seq: int) -> None:
        """Store the moment if it is another one; a disk that fails is reported by the spool.

        `last_seq` is the number of the newest point.
        """
        moment = self.newest
        if self._is_held or moment is None or moment == self._stored or moment < CLOCKS_ARE_SET:
            return
        numbers = (repr(float(moment)), str(last_seq), repr(float(self._safe or moment)))
        content = " ".join(number.ljust(_WIDTH - 1) for number in numbers).encode()
        try:
            if self._fd is None:
                is_new = FILE not in self.files.names()
                self._fd = self.files.create(FILE) if is_new else self.files.open(FILE)
                self.files.write(self._fd, content, 0)
                if is_new:
                    self.files.sync(self._fd)
                    self.files.sync_directory()
            else:
                self.files.write(self._fd, content, 0)
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
