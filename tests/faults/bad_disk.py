"""A disk in memory on which chosen operations fail, and a write may do half of its work first."""

import errno
import os
from dataclasses import dataclass, field

from tests.pipeline.memory_files import MemoryFiles


@dataclass(slots=True)
class BadDisk(MemoryFiles):
    """Operations are counted from 1; those in `bad` fail, and the next write to a `torn` file."""

    bad: range = range(0)
    error: int = errno.EIO
    asked: list[str] = field(default_factory=list)
    torn: str = ""
    frozen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.fault = self._fail

    @property
    def is_next_bad(self) -> bool:
        return len(self.asked) + 1 in self.bad

    def write(self, fd: int, data: bytes, offset: int) -> None:
        name, _ = self._open[fd]
        if self.torn and name.startswith(self.torn):
            self.torn, self.bad = "", range(len(self.asked) + 1, len(self.asked) + 2)
        if self.is_next_bad:
            self._write_half(fd, data, offset)
        MemoryFiles.write(self, fd, data, offset)

    def sync(self, fd: int) -> None:
        """A failed sync loses the pages for good, and the next one reports success all the same."""
        name, file = self._open[fd]
        if self.is_next_bad:
            self.frozen.add(name)
        durable = file.durable
        MemoryFiles.sync(self, fd)
        if name in self.frozen:
            file.durable = durable

    def _write_half(self, fd: int, data: bytes, offset: int) -> None:
        self.fault = _no_fault
        MemoryFiles.write(self, fd, data[: len(data) // 2], offset)
        self.fault = self._fail

    def _fail(self, operation: str, name: str) -> None:
        is_bad = self.is_next_bad
        self.asked.append(f"{operation} {name}".strip())
        if is_bad:
            raise OSError(self.error, os.strerror(self.error), name)


def _no_fault(operation: str, name: str) -> None:
    pass
