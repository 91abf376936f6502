"""The file operations of the spool, as an interface that tests can replace."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

# What is no file, such as a pipe, fails at once instead of waiting for another process.
_NO_WAIT: Final = os.O_NONBLOCK
# Appended data has to be on disk; the file's times need not be. macOS has no fdatasync.
_fdatasync = getattr(os, "fdatasync", os.fsync)

# The device and the number of a file on it.
type _FileId = tuple[int, int]


class Files(Protocol):
    """Named files in one directory. Every operation may raise OSError."""

    def names(self) -> list[str]:
        """List the directory, creating it when it is missing."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; less at the end of the file."""

    def create(self, name: str) -> int:
        """Create a file that is not there yet and return a descriptor for writing it."""

    def open(self, name: str) -> int:
        """Open an existing file for writing and return a descriptor."""

    def open_to_sync(self, name: str) -> int:
        """Open an existing file, which need not be writable, and return a descriptor."""

    def write(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`.

        Raises FileNotFoundError when the file was deleted, moved or replaced since it was opened.
        """

    def truncate(self, fd: int) -> None:
        """Cut the file to nothing."""

    def sync(self, fd: int) -> None:
        """Return once everything written to the file is on disk."""

    def sync_directory(self) -> None:
        """Return once created and removed names are on disk."""

    def close(self, fd: int) -> None:
        """Close a descriptor."""

    def remove(self, name: str) -> None:
        """Remove a file; a missing one is fine."""

    def lock(self) -> int:
        """Lock the directory until the returned descriptor is closed."""

    def free_bytes(self) -> int:
        """Room that is left on the disk."""


class OsFiles:
    """The real file system."""

    def __init__(self, directory: Path) -> None:
        """Work in `directory`, which need not exist yet."""
        self._directory = directory
        # Where the files are that are open for writing, and which these are.
        self._places: dict[int, tuple[str, _FileId]] = {}

    def names(self) -> list[str]:
        self._directory.mkdir(parents=True, exist_ok=True)
        return sorted(os.listdir(self._directory))

    def read(self, name: str, offset: int, length: int) -> bytes:
        fd = os.open(self._path(name), os.O_RDONLY | _NO_WAIT)
        try:
            return os.pread(fd, length, offset)
        finally:
            os.close(fd)

    def create(self, name: str) -> int:
        return self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    def open(self, name: str) -> int:
        return self._open(name, os.O_WRONLY | _NO_WAIT)

    def _open(self, name: str, flags: int) -> int:
        path = self._path(name)
        fd = os.open(path, flags, 0o600)
        # Some file systems of a network number a file anew each time.
        with suppress(OSError):
            if (found := _file_id(os.fstat(fd))) == _file_id(os.stat(path)):
                self._places[fd] = path, found
        return fd

    def open_to_sync(self, name: str) -> int:
        return os.open(self._path(name), os.O_RDONLY | _NO_WAIT)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        # Nobody would find what is written to a file without a name; or too late, when it is moved
        # back and was written once more elsewhere.
        if place := self._places.get(fd):
            path, found = place
            if _file_id(os.stat(path)) != found:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            view = view[written:]
            offset += written

    def truncate(self, fd: int) -> None:
        os.ftruncate(fd, 0)

    def sync(self, fd: int) -> None:
        _fdatasync(fd)

    def sync_directory(self) -> None:
        fd = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self, fd: int) -> None:
        self._places.pop(fd, None)
        os.close(fd)

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def lock(self) -> int:
        fd = os.open(self._path("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            # Some file systems of a network have no locks: it is tried again for ever.
            os.close(fd)
            if isinstance(err, BlockingIOError):
                raise BlockingIOError(errno.EAGAIN, "In use by another Home Assistant") from None
            raise
        return fd

    def free_bytes(self) -> int:
        status = os.statvfs(self._directory)
        return status.f_bavail * status.f_frsize

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)


def disk_error_text(err: OSError) -> str:
    """Return the words of the operating system, or the kind of the error where it has none."""
    return err.strerror or type(err).__name__


def _file_id(status: os.stat_result) -> _FileId:
    return status.st_dev, status.st_ino
