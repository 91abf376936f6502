"""Small real file systems, where this machine lets us mount them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

OTHERS: Final = "somebody else's"


class CannotMountError(Exception):
    """A file system that this machine or this user cannot have."""


@contextmanager
def mounted(kind: str, directory: Path, megabytes: int = 4) -> Iterator[Path]:
    """A file system of a few megabytes; raises CannotMountError."""
    if os.geteuid() != 0:
        raise CannotMountError("only root may mount")
    place = directory / "disk"
    place.mkdir()
    if kind == "tmpfs":
        told = run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place))
    else:
        image = directory / "image"
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        # Without reserved blocks; what the journal leaves is half of it.
        told = run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        told = told or run("mount", "-o", "loop", str(image), str(place))
    if told:
        raise CannotMountError(f"cannot mount {kind}: {told}")
    try:
        yield place
    finally:
        run("umount", "--lazy", str(place))


def fill(place: Path) -> None:
    """Take every byte that is left, as somebody else's log does."""
    with suppress(OSError), (place / OTHERS).open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def make_read_only(place: Path) -> str:
    """Let ext4 do what it does after an I/O error, files open for writing or not."""
    return run("mount", "-o", "remount,abort", str(place))


def run(*command: str) -> str:
    """Run and return why it failed, empty when it did not."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=30
        )
    except OSError as err:
        return str(err)
    return done.stderr.strip() or f"status {done.returncode}" if done.returncode else ""
