"""A directory in memory that can lose power, run full and fail on demand."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

PAGE = 4096


@dataclass(slots=True)
class _File:
    cached: bytearray = field(default_factory=bytearray)
    """What the process sees: writes reach it at once."""
    durable: bytes = b""
    """What the disk holds: writes reach it with `sync`."""


@dataclass(slots=True)
class MemoryFiles:
    """Implements `Files`. `fault` is asked before each operation and may raise."""

    capacity: int | None = None
    free: int = 1 << 40
    fault: Callable[[str, str], None] = lambda operation, name: None
    syncs: int = 0
    bytes_written: int = 0
    _files: dict[str, _File] = field(default_factory=dict)
    _durable_names: dict[str, _File] = field(default_factory=dict)
    _open: dict[int, tuple[str, _File]] = field(default_factory=dict)
    _next_fd: int = 3

    def names(self) -> list[str]:
        self.fault("names", "")
        return sorted(self._files)

    def read(self, name: str, offset: int, length: int) -> bytes:
        self.fault("read", name)
        if name not in self._files:
            raise FileNotFoundError(errno.ENOENT, "No such file", name)
        return bytes(self._files[name].cached[offset : offset + length])

    def create(self, name: str) -> int:
        self.fault("create", name)
        if name in self._files:
            raise FileExistsError(errno.EEXIST, "File exists", name)
        self._files[name] = _File()
        return self._opened(name)

    def open(self, name: str) -> int:
        self.fault("open", name)
        return self._opened(name)

    def open_to_sync(self, name: str) -> int:
        self.fault("open_to_sync", name)
        return self._opened(name)

    def _opened(self, name: str) -> int:
        if name not in self._files:
            raise FileNotFoundError(errno.ENOENT, "No such file", name)
        self._next_fd += 1
        self._open[self._next_fd] = (name, self._files[name])
        return self._next_fd

    def write(self, fd: int, data: bytes, offset: int) -> None:
        name, file = self._open[fd]
        self.fault("write", name)
        end = offset + len(data)
        grows = max(end - len(file.cached), 0)
        if self.capacity is not None and self.used + grows > self.capacity:
            # A full disk takes what fits before it refuses.
            fits = max(self.capacity - self.used, 0)
            file.cached[offset : offset + fits] = data[:fits]
            raise OSError(errno.ENOSPC, "No space left on device", name)
        if len(file.cached) < offset:
            file.cached.extend(bytes(offset - len(file.cached)))
        file.cached[offset:end] = data
        self.bytes_written += len(data)

    def truncate(self, fd: int) -> None:
        name, file = self._open[fd]
        self.fault("truncate", name)
        file.cached.clear()

    def sync(self, fd: int) -> None:
        name, file = self._open[fd]
        self.fault("sync", name)
        self.syncs += 1
        file.durable = bytes(file.cached)
        self._durable_names[name] = file

    def sync_directory(self) -> None:
        self.fault("sync_directory", "")
        self._durable_names = dict(self._files)

    def close(self, fd: int) -> None:
        # Also where that fails the descriptor is gone.
        self.fault("close", self._open.pop(fd)[0])

    def remove(self, name: str) -> None:
        self.fault("remove", name)
        self._files.pop(name, None)

    def lock(self) -> int:
        self.fault("lock", "")
        self._next_fd += 1
        self._open[self._next_fd] = ("lock", _File())
        return self._next_fd

    def free_bytes(self) -> int:
        self.fault("free_bytes", "")
        return self.free

    @property
    def descriptors(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def is_durable(self) -> bool:
        """Whether a power cut would take nothing."""
        return self._files == self._durable_names and all(
            file.cached == file.durable for file in self._files.values()
        )

    # What the world does to it

    @property
    def used(self) -> int:
        """Bytes taken."""
        return sum(len(file.cached) for file in self._files.values())

    def kill(self) -> None:
        """End the process: the operating system keeps what was written."""
        self._open.clear()

    def cut_power(self, rng: Random) -> None:
        """Keep what was synced, and of the rest whatever the disk happened to have written."""
        self._open.clear()
        survivors: dict[str, _File] = {}
        for name in self._files.keys() | self._durable_names.keys():
            present, durable = self._files.get(name), self._durable_names.get(name)
            # A name that was created or removed but not synced may be there or not.
            file = present if rng.random() < 0.5 else durable
            if file is not None:
                content = _torn(file, rng)
                survivors[name] = _File(cached=bytearray(content), durable=content)
        self._files = survivors
        self._durable_names = dict(survivors)

    def damage(self, name: str, position: int, mask: int = 0xFF) -> None:
        """Flip bits of one byte, in the cache and on the disk."""
        self._files[name].cached[position] ^= mask
        self._files[name].durable = bytes(self._files[name].cached)

    def forget(self, name: str, needle: bytes) -> None:
        """Lose everything from `needle` on, as pages marked clean by a failed sync are lost."""
        file = self._files[name]
        length = file.cached.index(needle)
        file.durable = bytes(file.durable[:length])
        file.cached = bytearray(file.cached[:length])

    def cut(self, name: str, length: int) -> None:
        """Shorten a file, as a torn write does."""
        del self._files[name].cached[length:]
        self._files[name].durable = bytes(self._files[name].cached)


def _torn(file: _File, rng: Random) -> bytes:
    pages: list[bytes] = []
    length = len(file.cached) if rng.random() < 0.5 else len(file.durable)
    for start in range(0, length, PAGE):
        source = file.cached if rng.random() < 0.5 else file.durable
        page = bytes(source[start : min(start + PAGE, length)])
        # A page that never reached the disk reads as zeros.
        pages.append(page.ljust(min(PAGE, length - start), b"\0"))
    return b"".join(pages)
