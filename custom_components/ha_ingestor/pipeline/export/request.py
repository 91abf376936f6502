"""What the next request carries, and in which form."""

import zlib
from dataclasses import dataclass
from typing import Final

from ..spool.batch import Batch
from ..spool.buffer import Buffer
from .expiry import Expiry, time_of
from .isolation import Isolation

# Every server's default limits are far above it.
BATCH_BYTES: Final = 1024 * 1024
# Below this a compressed body is no smaller.
GZIP_FROM_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The `sent` lines of a batch as they go over the wire.

    `aside` are the indexes of the other ones, which have expired, and `reason` says so.
    """

    batch: Batch
    payload: bytes
    sent: int
    body: bytes
    gzipped: bool
    aside: frozenset[int] = frozenset()
    reason: str = ""


def compose(
    buffer: Buffer, isolation: Isolation, expiry: Expiry, max_points: int, *, gzip: bool
) -> Request | None:
    """Take the next points that may go together, or None when there are none; raises OSError."""
    batch = buffer.read(max_points, BATCH_BYTES)
    if batch is None:
        return None
    together = isolation.prefix(batch.payload, batch.count)
    if together < batch.count and (shorter := buffer.read(together, BATCH_BYTES)):
        batch = shorter
    payload, aside, reason = _without_expired(batch, expiry)
    gzipped = gzip and len(payload) >= GZIP_FROM_BYTES
    return Request(
        batch=batch,
        payload=payload,
        sent=batch.count - len(aside),
        body=zlib.compress(payload, level=1, wbits=31) if gzipped else payload,
        gzipped=gzipped,
        aside=aside,
        reason=reason,
    )


def _without_expired(batch: Batch, expiry: Expiry) -> tuple[bytes, frozenset[int], str]:
    if (limit := expiry.limit()) is None:
        return batch.payload, frozenset(), ""
    newest, reason = limit
    lines = batch.payload.split(b"\n")
    times = map(time_of, lines)
    aside = {index for index, moment in enumerate(times) if moment is not None and moment <= newest}
    kept = [line for index, line in enumerate(lines) if index not in aside]
    return b"\n".join(kept) if aside else batch.payload, frozenset(aside), reason
