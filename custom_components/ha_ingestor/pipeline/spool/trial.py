"""Whether a disk that refused points takes anything now."""

from typing import Final

from ..files import Files

FILE: Final = "trial"
# A full disk may still have room for a few bytes.
_BYTES: Final = 64 * 1024


def try_disk(files: Files) -> None:
    """Write a small file and remove it; raises OSError while the disk takes none."""
    files.remove(FILE)
    fd = files.create(FILE)
    try:
        files.write(fd, bytes(_BYTES), 0)
        files.sync(fd)
    finally:
        files.close(fd)
        files.remove(FILE)
