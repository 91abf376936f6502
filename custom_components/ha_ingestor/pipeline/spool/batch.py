"""Joins lines to the payload of a frame, and frames to the body of a request."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from .segments.frame import Frame
from .segments.segment import FrameEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The next lines to deliver, as they will be sent.

    `spans` are the ranges of sequence numbers in it: more than one where damage left a hole. `end`
    is where the last frame ends that is in it as a whole.
    """

    payload: bytes
    count: int
    last_seq: int
    spans: tuple[tuple[int, int], ...]
    end: FrameEnd | None = None


def gather(
    frames: Iterable[tuple[FrameEnd, Frame]], acked: int, max_points: int, max_bytes: int
) -> Batch | None:
    """Join as many lines behind the acknowledged ones as fit, one frame's in any case."""
    parts: list[bytes] = []
    spans: list[tuple[int, int]] = []
    end: FrameEnd | None = None
    count = size = 0
    after = acked
    for place, frame in frames:
        first = max(frame.first_seq, after + 1)
        last = min(frame.last_seq, first + max_points - count - 1)
        part = frame.payload
        if (first, last) != (frame.first_seq, frame.last_seq):
            lines = part.split(b"\n")
            part = b"\n".join(lines[first - frame.first_seq : last - frame.first_seq + 1])
        if parts and size + len(part) > max_bytes:
            break
        parts.append(part)
        size += len(part) + 1
        count += last - first + 1
        after = last
        if spans and spans[-1][1] + 1 == first:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
        if last == frame.last_seq:
            end = place
        if count >= max_points:
            break
    if not parts:
        return None
    return Batch(
        payload=b"\n".join(parts),
        count=count,
        last_seq=spans[-1][1],
        spans=tuple(spans),
        end=end,
    )


def chunk(lines: Sequence[str], max_bytes: int) -> tuple[int, bytes]:
    """Join as many of the first lines as fit, and one in any case."""
    # Line by line, because most are ASCII, which is only copied; one that is not would have the
    # whole frame go through character by character.
    encoded = [line.encode("utf-8", "replace") for line in _possible(lines, max_bytes)]
    while len(encoded) > 1 and sum(map(len, encoded)) + len(encoded) > max_bytes:
        del encoded[len(encoded) // 2 :]
    return len(encoded), b"\n".join(encoded)


def _possible(lines: Sequence[str], max_bytes: int) -> Sequence[str]:
    """Leave out what cannot fit, as it has more characters than that: to encode it takes long."""
    if sum(map(len, lines)) <= max_bytes:
        return lines
    ends = list(accumulate(map(len, lines)))
    return lines[: max(bisect_right(ends, max_bytes), 1)]
