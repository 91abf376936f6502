"""What the next request carries, and in which form."""

import zlib
from dataclasses import dataclass
from typing import Final

from ..spool.batch import Batch
from ..spool.buffer import Buffer
from .expiry import Expiry, time_of
from .isolation import Isolation
from .texts import may_have_texts, without_texts

# Every server's default limits are far above it.
BATCH_BYTES: Final = 1024 * 1024
# Below this a compressed body is no smaller.
GZIP_FROM_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The `sent` lines of a batch as they go over the wire.

    `aside` are the indexes of those that have expired, and `reason` says so. `texts` are those of
    lines of which the database would store nothing but a wrong number.
    """

    batch: Batch
    payload: bytes
    sent: int
    body: bytes
    gzipped: bool
    aside: frozenset[int] = frozenset()
    reason: str = ""
    texts: frozenset[int] = frozenset()


def compose(
    buffer: Buffer,
    isolation: Isolation,
    expiry: Expiry,
    max_points: int,
    *,
    gzip: bool,
    numbers_only: bool,
) -> Request | None:
    """Take the next points that may go together, or None when there are none; raises OSError."""
    batch = buffer.read(max_points, BATCH_BYTES)
    if batch is None:
        return None
    together = isolation.prefix(batch.payload, batch.count)
    if together < batch.count and (shorter := buffer.read(together, BATCH_BYTES)):
        batch = shorter
    aside, reason = _expired(batch, buffer.oldest, expiry)
    payload, texts = batch.payload, frozenset[int]()
    if numbers_only and may_have_texts(payload):
        lines, texts = without_texts(payload)
        texts -= aside
        payload = _without(lines, aside | texts)
    elif aside:
        payload = _without(payload.split(b"\n"), aside)
    gzipped = gzip and len(payload) >= GZIP_FROM_BYTES
    return Request(
        batch=batch,
        payload=payload,
        sent=batch.count - len(aside) - len(texts),
        body=zlib.compress(payload, level=1, wbits=31) if gzipped else payload,
        gzipped=gzipped,
        aside=aside,
        reason=reason,
        texts=texts,
    )


def _expired(batch: Batch, oldest: int, expiry: Expiry) -> tuple[frozenset[int], str]:
    """Find the expired lines; `oldest` spares the look at each of them."""
    limit = expiry.limit()
    if limit is None or limit[0] < oldest * 1000:
        return frozenset(), ""
    newest, reason = limit
    times = map(time_of, batch.payload.split(b"\n"))
    aside = {index for index, moment in enumerate(times) if moment is not None and moment <= newest}
    return frozenset(aside), reason


def _without(lines: list[bytes], gone: frozenset[int]) -> bytes:
    return b"\n".join(line for index, line in enumerate(lines) if index not in gone)
