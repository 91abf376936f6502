"""The file that frames are appended to."""

from contextlib import suppress

from ...files import Files
from .segment import SUFFIX


class SegmentFile:
    """At most one file is open. Methods may raise OSError, where they do not say otherwise."""

    def __init__(self, files: Files) -> None:
        """Create files among `files`."""
        self._files = files
        self._fd = -1
        self._is_new = False
        self._created = 0

    @property
    def is_open(self) -> bool:
        """Whether there is one."""
        return self._fd >= 0

    def create(self, first_seq: int) -> str:
        """Create a file for frames from this number on, and return its name."""
        name = self._free_name(first_seq)
        self._fd = self._files.create(name)
        self._is_new = True
        return name

    def _free_name(self, first_seq: int) -> str:
        """Choose a name that no file has.

        The number behind the sequence number keeps names apart when points are written a second
        time, because their file could not be synced, removed or read.
        """
        taken = set(self._files.names())
        while (name := f"{first_seq:020d}-{self._created:06d}{SUFFIX}") in taken:
            self._created += 1
        return name

    def write(self, frame: bytes, offset: int) -> None:
        """Write a frame."""
        self._files.write(self._fd, frame, offset)

    def sync(self) -> None:
        """Bring its content and its name to the disk."""
        if self._fd >= 0:
            self._files.sync(self._fd)
            if self._is_new:
                self._files.sync_directory()
                self._is_new = False

    def empty(self) -> bool:
        """Cut it to nothing; False where that fails."""
        try:
            self._files.truncate(self._fd)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close it, if it is open; never raises."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                self._files.close(fd)
