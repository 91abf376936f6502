"""What the next request carries, and in which form."""

import zlib
from dataclasses import dataclass
from typing import Final

from .batch import Batch
from .buffer import Buffer
from .isolation import Isolation

# Every server's default limits are far above it.
BATCH_BYTES: Final = 1024 * 1024
# Below this a compressed body is no smaller.
GZIP_FROM_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A batch as it goes over the wire."""

    batch: Batch
    body: bytes
    gzipped: bool


def compose(buffer: Buffer, isolation: Isolation, max_points: int, *, gzip: bool) -> Request | None:
    """Take the next points that may go together, or None when there are none; raises OSError."""
    batch = buffer.read(max_points, BATCH_BYTES)
    if batch is None:
        return None
    together = isolation.prefix(batch.payload, batch.count)
    if together < batch.count and (shorter := buffer.read(together, BATCH_BYTES)):
        batch = shorter
    if not gzip or len(batch.payload) < GZIP_FROM_BYTES:
        return Request(batch=batch, body=batch.payload, gzipped=False)
    body = zlib.compress(batch.payload, level=1, wbits=31)
    return Request(batch=batch, body=body, gzipped=True)
