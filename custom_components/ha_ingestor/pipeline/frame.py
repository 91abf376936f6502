"""The unit of the spool: some lines, their sequence numbers, and a checksum over both.

    magic "HS" | version u8 | flags u8 | length u32
    first_seq u64 | acked u64 | count u32 | crc u32
    payload: `count` lines joined by line breaks, `length` bytes

Little endian. The checksum (CRC-32) covers the header before it and the payload. `acked` is what
the spool had acknowledged when the frame was written: it lets a start tell points that were
delivered and removed from points that were lost, even when the cursor is older than the frame.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MAGIC: Final = b"HS"
VERSION: Final = 1
_HEADER: Final = struct.Struct("<2sBBIQQI")
_CRC: Final = struct.Struct("<I")
HEADER_BYTES: Final = _HEADER.size + _CRC.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One valid frame and where it lies in its file."""

    first_seq: int
    count: int
    acked: int
    payload: bytes
    offset: int
    end: int

    @property
    def last_seq(self) -> int:
        """The sequence number of the last line."""
        return self.first_seq + self.count - 1


def pack(payload: bytes, *, first_seq: int, count: int, acked: int) -> bytes:
    """Build the bytes of a frame."""
    header = _HEADER.pack(MAGIC, VERSION, 0, len(payload), first_seq, acked, count)
    return b"".join((header, _CRC.pack(crc32(payload, crc32(header))), payload))


def parse(data: bytes, start: int, base: int = 0) -> Frame | None:
    """Read the frame at `start`, or None when there is no whole, valid one.

    `base` is the place of `data` in its file.
    """
    body = start + HEADER_BYTES
    if len(data) < body:
        return None
    magic, version, flags, length, first_seq, acked, count = _HEADER.unpack_from(data, start)
    if magic != MAGIC or version != VERSION or flags or len(data) < body + length or not count:
        return None
    payload = data[body : body + length]
    (crc,) = _CRC.unpack_from(data, start + _HEADER.size)
    if crc != crc32(payload, crc32(data[start : start + _HEADER.size])):
        return None
    return Frame(
        first_seq=first_seq,
        count=count,
        acked=acked,
        payload=payload,
        offset=base + start,
        end=base + body + length,
    )


def scan(data: bytes, base: int = 0) -> Iterator[Frame]:
    """Find every valid frame; damaged bytes between them are stepped over."""
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
