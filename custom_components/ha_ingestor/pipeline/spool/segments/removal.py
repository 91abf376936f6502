"""Removes files of the spool, and tries again what the disk refused."""

from collections.abc import Container
from contextlib import suppress

from ...files import Files, disk_error_text
from .segment import Segment


class SegmentRemoval:
    """`disk_error` says what could not be removed, as long as that is so."""

    def __init__(self, files: Files) -> None:
        """Remove from `files`."""
        self.disk_error = ""
        self._files = files
        # What is settled and still there.
        self._left: dict[str, Segment] = {}

    @property
    def size(self) -> int:
        """Bytes in the files that could not be removed."""
        return sum(segment.size for segment in self._left.values())

    def remove(self, segment: Segment) -> None:
        """Remove a file; raises OSError."""
        try:
            self._files.remove(segment.name)
        except OSError as err:
            self.disk_error = disk_error_text(err)
            raise
        self._left.pop(segment.name, None)
        if not self._left:
            self.disk_error = ""

    def remove_or_keep(self, segment: Segment) -> None:
        """Remove a file, now or with a later `try_again`; never raises."""
        with suppress(OSError):
            self.remove(segment)
            return
        self._left[segment.name] = segment

    def try_again(self) -> None:
        """Remove what could not be removed; never raises."""
        for segment in list(self._left.values()):
            self.remove_or_keep(segment)

    def forget(self) -> None:
        """Forget all of them, because the files are listed anew."""
        self._left = {}

    def forget_missing(self, names: Container[str]) -> None:
        """Forget those that are gone by themselves."""
        self._left = {name: each for name, each in self._left.items() if name in names}
