"""Real files on which chosen operations fail until they are healed, or kill the process."""

import os
import signal
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from custom_components.ha_ingestor.pipeline.files import OsFiles


def raise_if_broken(broken: dict[str, int], operation: str, name: str) -> None:
    """Fail as `broken` says, whose names are "operation glob"."""
    for pattern, error in broken.items():
        if fnmatchcase(f"{operation} {name}", pattern):
            raise OSError(error, os.strerror(error), name)


@dataclass(slots=True)
class Faults:
    """What fails, and after how many operations the process kills itself; 0 is never."""

    broken: dict[str, int] = field(default_factory=dict)
    kill_in: int = 0

    def ask(self, operation: str, name: str) -> None:
        """Raise OSError, or never return."""
        if self.kill_in:
            self.kill_in -= 1
            if not self.kill_in:
                os.kill(os.getpid(), signal.SIGKILL)
        raise_if_broken(self.broken, operation, name)


class FaultyFiles(OsFiles):
    """The real file system, if `faults` lets it."""

    def __init__(self, directory: Path, faults: Faults) -> None:
        super().__init__(directory)
        self._ask = faults.ask
        self._names: dict[int, str] = {}

    def names(self) -> list[str]:
        self._ask("names", "")
        return super().names()

    def read(self, name: str, offset: int, length: int) -> bytes:
        self._ask("read", name)
        return super().read(name, offset, length)

    def create(self, name: str) -> int:
        self._ask("create", name)
        return self._opened(name, super().create(name))

    def open(self, name: str) -> int:
        self._ask("open", name)
        return self._opened(name, super().open(name))

    def open_to_sync(self, name: str) -> int:
        self._ask("open_to_sync", name)
        return self._opened(name, super().open_to_sync(name))

    def _opened(self, name: str, fd: int) -> int:
        self._names[fd] = name
        return fd

    def write(self, fd: int, data: bytes, offset: int) -> None:
        self._ask("write", self._names[fd])
        super().write(fd, data, offset)

    def truncate(self, fd: int) -> None:
        self._ask("truncate", self._names[fd])
        super().truncate(fd)

    def sync(self, fd: int) -> None:
        self._ask("sync", self._names[fd])
        super().sync(fd)

    def sync_directory(self) -> None:
        self._ask("sync_directory", "")
        super().sync_directory()

    def close(self, fd: int) -> None:
        # Also where that fails the descriptor is gone, as on Linux.
        name = self._names.pop(fd)
        super().close(fd)
        self._ask("close", name)

    def remove(self, name: str) -> None:
        self._ask("remove", name)
        super().remove(name)

    def lock(self) -> int:
        self._ask("lock", "")
        return self._opened("lock", super().lock())

    def free_bytes(self) -> int:
        self._ask("free_bytes", "")
        return super().free_bytes()
