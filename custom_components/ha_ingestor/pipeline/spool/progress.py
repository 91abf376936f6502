"""What the spool stores of its progress, as far as the disk lets it."""

from typing import Any

from ..files import Files, disk_error_text
from ..ledger import Ledger
from .cursor import Cursor


class StoredProgress:
    """Ledger counts and spool progress; `disk_error` is why they are not stored."""

    def __init__(self, files: Files, ledger: Ledger) -> None:
        """Keep it in the cursor among `files`."""
        self.disk_error = ""
        self._cursor = Cursor(files)
        self._ledger = ledger
        self._stored: dict[str, Any] = {}

    @property
    def is_lost(self) -> bool:
        """Whether something was stored, and nothing of it can be read."""
        return self._cursor.is_lost

    def open(self) -> dict[str, Any] | None:
        """Return what was stored last, or None if that is not known; raises OSError."""
        self._stored = {}
        return self._cursor.open()

    def save(self, *, acked: int, synced: int, last: int, upcoming: int = 0) -> None:
        """Store it, with `upcoming` points as if they were appended already; never raises.

        When the process is killed before that, the next one counts them as lost.
        """
        content = self._ledger.as_dict()
        content["captured"] += upcoming
        content["waiting"] -= upcoming
        content |= {"acked": acked, "synced": synced, "last": last + upcoming}
        if content == self._stored and not self.disk_error:
            return
        try:
            self._write(content)
        except OSError as err:
            self.disk_error = disk_error_text(err)
        else:
            self._stored = content
            self.disk_error = ""

    def _write(self, content: dict[str, Any]) -> None:
        try:
            self._cursor.write(content)
        except FileNotFoundError:
            # Somebody deleted the files. The counts are known all the same.
            self._cursor.open()
            self._cursor.write(content)

    def sync(self) -> bool:
        """Bring what was stored to the disk; False where that fails."""
        try:
            self._cursor.sync()
        except OSError as err:
            self.disk_error = disk_error_text(err)
            return False
        return True

    def close(self) -> None:
        """Let go of the file; never raises."""
        self._cursor.close()
