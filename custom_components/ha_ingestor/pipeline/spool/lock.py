"""The lock that keeps a second process away from the files of a spool."""

from contextlib import suppress

from ..files import Files


class Lock:
    """Held from `take` to `release`; both may be called twice."""

    def __init__(self, files: Files) -> None:
        """Hold nothing yet."""
        self._files = files
        self._fd = -1

    def take(self) -> None:
        """Take it; raises OSError when another process has it."""
        if self._fd < 0:
            self._fd = self._files.lock()

    def release(self) -> None:
        """Let it go."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                self._files.close(fd)
