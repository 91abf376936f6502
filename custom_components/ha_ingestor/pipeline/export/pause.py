"""Whether the user has stopped the export: a file beside the spool, which outlives a restart."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..files import Files

FILE: Final = "paused"


@dataclass(slots=True, kw_only=True)
class Pause:
    """Changed by the spool's thread. Until it `is_known`, points are exported."""

    files: Files
    is_on: bool = False
    is_known: bool = False

    def load(self) -> None:
        """Look for what an earlier process stored; raises OSError."""
        if not self.is_known:
            self.is_on = FILE in self.files.names()
            self.is_known = True

    def begin(self) -> None:
        """Begin, if that can be stored; raises OSError."""
        was_there = FILE in self.files.names()  # makes the directory
        try:
            if not was_there:
                self.files.close(self.files.create(FILE))
            self.files.sync_directory()
        except OSError:
            # An earlier pause goes on.
            if not was_there:
                with suppress(OSError):
                    self.files.remove(FILE)
            raise
        self.is_on = self.is_known = True

    def end(self) -> None:
        """End, in this process also if that cannot be stored; raises OSError."""
        self.is_on, self.is_known = False, True
        self.files.remove(FILE)
        self.files.sync_directory()
