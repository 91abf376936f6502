"""The unit of the spool: some lines, their sequence numbers, and a checksum over both.

    magic "HS" | version u8 | flags u8 | length u32
    first_seq u64 | acked u64 | count u32 | time u32 | crc u32
    payload: `count` lines joined by line breaks, compressed as `flags` say, `length` bytes

Little endian. The checksum (CRC-32) covers the header before it and the payload. `time` is when the
frame was written, in seconds since 1970. `acked` is what the spool had acknowledged then: it tells
delivered and removed points from lost ones at a start, even when the cursor is older than the
frame. A frame of an unknown version is skipped like damage.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

try:
    from compression import zstd
except ImportError:  # CPython can be built without it
    HAS_ZSTD = False
else:
    HAS_ZSTD = True

MAGIC: Final = b"HS"
VERSION: Final = 1
_HEADER: Final = struct.Struct("<2sBBIQQII")
_CRC: Final = struct.Struct("<I")
HEADER_BYTES: Final = _HEADER.size + _CRC.size

# A clock without a battery begins in 1970, or has a value that does not fit.
TIME_MAX: Final = 0xFFFF_FFFF

PLAIN: Final = 0
ZSTD: Final = 1
ZLIB: Final = 2
_DECOMPRESS: Final[dict[int, Callable[[bytes], bytes]]] = {PLAIN: bytes, ZLIB: zlib.decompress}
if HAS_ZSTD:
    _DECOMPRESS[ZSTD] = zstd.decompress
# Lines repeat each other so much that the fastest levels already make them ten times smaller.
_ZSTD_LEVEL: Final = 1
_ZLIB_LEVEL: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One valid frame, and where it ends in its file. The payload is `stored` as `flags` say."""

    first_seq: int
    count: int
    acked: int
    time: int
    flags: int
    stored: bytes
    end: int

    @property
    def payload(self) -> bytes:
        """The lines. Decompressed only here: a start reads every frame, and needs no lines."""
        return _DECOMPRESS[self.flags](self.stored)

    @property
    def last_seq(self) -> int:
        """The sequence number of the last line."""
        return self.first_seq + self.count - 1


class Compressor:
    """Compresses payloads, each for itself. Used by one thread.

    It keeps its tables: to make them anew for each frame takes longer than to use them.
    """

    def __init__(self) -> None:
        """Use the best that this Python has."""
        self._zstd = zstd.ZstdCompressor(_ZSTD_LEVEL) if HAS_ZSTD else None

    def __call__(self, payload: bytes) -> tuple[int, bytes]:
        """Return how it is compressed, and the result."""
        if self._zstd is None:
            return ZLIB, zlib.compress(payload, _ZLIB_LEVEL)
        self._zstd.set_pledged_input_size(len(payload))
        return ZSTD, self._zstd.compress(payload, zstd.ZstdCompressor.FLUSH_FRAME)


def pack(
    payload: bytes,
    *,
    first_seq: int,
    count: int,
    acked: int,
    time: int,
    compress: Callable[[bytes], tuple[int, bytes]] | None = None,
) -> bytes:
    """Build the bytes of a frame."""
    flags = PLAIN
    if compress:
        flags, payload = compress(payload)
    header = _HEADER.pack(MAGIC, VERSION, flags, len(payload), first_seq, acked, count, time)
    return b"".join((header, _CRC.pack(crc32(payload, crc32(header))), payload))


def parse(data: bytes, start: int, base: int = 0) -> Frame | None:
    """Read the frame at `start`, or None when there is no whole, valid one.

    `base` is the place of `data` in its file.
    """
    body = start + HEADER_BYTES
    if len(data) < body:
        return None
    fields = _HEADER.unpack_from(data, start)
    magic, version, flags, length, first_seq, acked, count, time = fields
    known = magic == MAGIC and version == VERSION and flags in _DECOMPRESS
    if not known or len(data) < body + length or not count:
        return None
    stored = data[body : body + length]
    (crc,) = _CRC.unpack_from(data, start + _HEADER.size)
    if crc != crc32(stored, crc32(data[start : start + _HEADER.size])):
        return None
    return Frame(
        first_seq=first_seq,
        count=count,
        acked=acked,
        time=time,
        flags=flags,
        stored=stored,
        end=base + body + length,
    )


def scan(data: bytes, base: int = 0) -> Iterator[Frame]:
    """Find every valid frame; damaged bytes between them are skipped."""
    position = 0
    while True:
        frame = parse(data, position, base)
        if frame is not None:
            yield frame
            position = frame.end - base
            continue
        position = data.find(MAGIC, position + 1)
        if position < 0:
            return
