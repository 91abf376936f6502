"""What the spool stores of its progress, as far as the disk lets it."""

from typing import Any

from ..ledger import AT_ENTRANCE, Ledger
from .cursor import Cursor
from .files import Files


class StoredProgress:
    """Ledger counts and spool progress; `disk_error` is why they are not stored."""

    def __init__(self, files: Files, ledger: Ledger) -> None:
        """Keep it in the cursor among `files`."""
        self.disk_error = ""
        self._cursor = Cursor(files)
        self._ledger = ledger
        self._stored: dict[str, Any] = {}
        # What was stored last of points that are in memory or on the disk for certain.
        self._known: dict[str, Any] = {}

    def open(self) -> dict[str, Any]:
        """Return what was stored last; raises OSError."""
        self._cursor.close()  # an earlier attempt may have come this far
        self._stored = {}
        self._known = self._cursor.open()
        return self._known

    def save(self, *, acked: int, synced: int, last: int, upcoming: int = 0) -> None:
        """Store it, with `upcoming` points as if they were appended already; never raises.

        Beside them is stored how many of them were not counted before: see `Ledger.take_back`.
        """
        content = self._ledger.as_dict()
        new = {name: content[name] - int(self._known.get(name, 0)) for name in AT_ENTRANCE}
        content["captured"] += upcoming
        content["waiting"] -= upcoming
        content |= {"acked": acked, "synced": synced, "last": last + upcoming}
        if content != self._stored or self.disk_error:
            beside = {"upcoming": {"points": upcoming, **new}} if upcoming else {}
            try:
                self._cursor.write(content | beside)
            except OSError as err:
                self.disk_error = _text(err)
                return
            self._stored = content
            self.disk_error = ""
        if not upcoming:
            self._known = content

    def sync(self) -> bool:
        """Bring what was stored to the disk; False where that fails."""
        try:
            self._cursor.sync()
        except OSError as err:
            self.disk_error = _text(err)
            return False
        return True

    def close(self) -> None:
        """Let go of the file; never raises."""
        self._cursor.close()


def _text(err: OSError) -> str:
    return err.strerror or type(err).__name__
