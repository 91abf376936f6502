"""Counts what is written to files."""

from ..files import Files


class CountedFiles:
    """The files of another, and how many bytes were written to them."""

    def __init__(self, files: Files) -> None:
        """Pass everything on."""
        self.written = 0
        self._files = files

    def write(self, fd: int, data: bytes, offset: int) -> None:
        self._files.write(fd, data, offset)
        self.written += len(data)

    def names(self) -> list[str]:
        return self._files.names()

    def read(self, name: str, offset: int, length: int) -> bytes:
        return self._files.read(name, offset, length)

    def create(self, name: str) -> int:
        return self._files.create(name)

    def open(self, name: str) -> int:
        return self._files.open(name)

    def open_to_sync(self, name: str) -> int:
        return self._files.open_to_sync(name)

    def truncate(self, fd: int) -> None:
        self._files.truncate(fd)

    def sync(self, fd: int) -> None:
        self._files.sync(fd)

    def sync_directory(self) -> None:
        self._files.sync_directory()

    def close(self, fd: int) -> None:
        self._files.close(fd)

    def remove(self, name: str) -> None:
        self._files.remove(name)

    def lock(self) -> int:
        return self._files.lock()

    def free_bytes(self) -> int:
        return self._files.free_bytes()
