"""What each server does with a batch: what it stores, and what it then says."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .line_protocol import BadLine, Point, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP reply."""

    status: int = 204
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The lines of one request, sorted by what is wrong with them."""

    good: list[Point]
    bad: list[BadLine]
    conflicting: list[tuple[Point, str]]
    stale: list[Point]
    # What points lost and were stored without.
    stripped: list[str]


class Reader(Protocol):
    """How a server reads lines; `unit` is that of their times in nanoseconds."""

    def __call__(self, text: str, *, now: int, unit: int | None) -> Iterator[Point | BadLine]:
        """Read every line."""


type Judge = Callable[[Batch], tuple[list[Point], Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One server as it was observed: who it claims to be and how it judges."""

    dialect: Dialect
    version: str
    ping: Answer
    health: Answer
    # Per write path; a v3 server takes the older dialects' paths too, and judges otherwise there.
    writes: Mapping[str, Judge]
    headers: Mapping[str, str] = field(default_factory=dict)
    # What is added where points are written.
    write_headers: Mapping[str, str] = field(default_factory=dict)
    metrics: str = ""
    # In a cluster it is not where points are written.
    has_metrics: bool = True
    # The answer to everything without credentials, where the server asks for them everywhere.
    locked: Answer | None = None
    read: Reader = parse
    # Values of `precision`, and the answer to any other; None: it is taken all the same.
    units: Mapping[str, int] = field(default_factory=dict)
    bad_unit: Answer | None = None
    body_max: int | None = None
    text_max: int | None = 1024 * 1024
    bad_checksum: Answer | None = None
    bad_gzip: Answer = field(default_factory=lambda: v1_error("unexpected EOF"))
    not_found: Answer = field(
        default_factory=lambda: Answer(status=404, body="404 page not found\n")
    )


def compact(content: object) -> str:
    """Write JSON as the servers do: without a blank."""
    return json.dumps(content, separators=(",", ":"))


def v1_error(message: str, status: int = 400) -> Answer:
    """Say it as InfluxDB 1 and 3 do."""
    return Answer(
        status=status,
        body=compact({"error": message}) + "\n",
        headers={"Content-Type": "application/json"},
    )


def v2_error(code: str, message: str, status: int) -> Answer:
    """Say it as InfluxDB 2 does."""
    return Answer(
        status=status,
        body=compact({"code": code, "message": message}),
        headers={"Content-Type": "application/json; charset=utf-8", "X-Platform-Error-Code": code},
    )


def _unparsable(batch: Batch) -> str:
    return "\n".join(f"unable to parse '{bad.line}': {bad.reason}" for bad in batch.bad)


def v1_judge(suffix: str, *, tells_stripped: bool = False) -> Judge:
    def judge(batch: Batch) -> tuple[list[Point], Answer]:
        # Of several kinds of trouble only one is told: the counts are no account of what is stored.
        if batch.conflicting:
            reason = batch.conflicting[0][1]
            message = f"partial write: {reason}{suffix} dropped={len(batch.conflicting)}"
        elif batch.stale:
            message = (
                f"partial write: points beyond retention policy{suffix} dropped={len(batch.stale)}"
            )
        elif batch.stripped and tells_stripped:
            message = f"partial write: {batch.stripped[0]} dropped=0{suffix}"
        elif batch.bad and not batch.good:
            message = _unparsable(batch)
        elif batch.bad:
            message = f"partial write: {_unparsable(batch)}{suffix} dropped=0"
        else:
            return batch.good, Answer()
        return batch.good, v1_error(message)

    return judge


def v2_judge(batch: Batch) -> tuple[list[Point], Answer]:
    if batch.bad:
        return [], v2_error("invalid", _unparsable(batch), 400)
    if batch.conflicting:
        why = f"{batch.conflicting[0][1]} dropped={len(batch.conflicting)}"
    elif batch.stale:
        why = f"dropped {len(batch.stale)} points outside retention policy of duration 168h0m0s"
    else:
        return batch.good, Answer()
    message = f"failure writing points to database: partial write: {why}"
    return batch.good, v2_error("unprocessable entity", message, 422)


def _v3_lines(batch: Batch) -> list[dict[str, str | int]]:
    wrong = [(bad.number, bad.line, bad.reason) for bad in batch.bad]
    wrong += [(point.number, point.line, reason) for point, reason in batch.conflicting]
    return [
        {"original_line": line, "line_number": number, "error_message": reason}
        for number, line, reason in sorted(wrong)
    ]


def v3_judge(batch: Batch) -> tuple[list[Point], Answer]:
    # Retention is applied later, out of sight.
    stored = batch.good + batch.stale
    if not (lines := _v3_lines(batch)):
        return stored, Answer()
    error = {"error": "partial write of line protocol occurred", "data": lines}
    return stored, Answer(status=400, body=compact(error))


def v3_as_v1_judge(batch: Batch) -> tuple[list[Point], Answer]:
    if not (lines := _v3_lines(batch)):
        return batch.good + batch.stale, Answer()
    error = {"error": "parsing failed for write_lp endpoint", "data": lines[0]}
    return [], Answer(status=400, body=compact(error))


def v3_as_v2_judge(batch: Batch) -> tuple[list[Point], Answer]:
    if not (lines := _v3_lines(batch)):
        return batch.good + batch.stale, Answer()
    # Here it does not say which line it was.
    return [], v2_error("invalid", str(lines[0]["error_message"]), 400)


def cloud_tsm_judge(batch: Batch) -> tuple[list[Point], Answer]:
    """What cannot be read is told at once, what is refused otherwise is dropped later, unsaid."""
    if not batch.bad:
        return batch.good, Answer()
    first, good, bad = batch.bad[0], len(batch.good), len(batch.bad)
    message = (
        f"partial write error ({good} accepted): {bad}/{good + bad} points rejected; "
        f"first error: at line {first.number}:1: {first.reason} "
        "(check rejected_points in your _monitoring bucket for further information)"
    )
    return batch.good, v2_error("invalid", message, 400)


def cloud_serverless_judge(batch: Batch) -> tuple[list[Point], Answer]:
    stored = batch.good + batch.stale
    if not (lines := _v3_lines(batch)):
        return stored, Answer()
    told = ", ".join(f"{line['line_number']}: {line['error_message']}" for line in lines[:100])
    message = f"failed to parse line protocol: errors encountered on line(s): {told}"
    return stored, v2_error("invalid", message, 400)


_VM_CLAIM: Final = {"X-Influxdb-Version": "1.8.0"}


def vm_old_judge(batch: Batch) -> tuple[list[Point], Answer]:
    return batch.good, Answer(headers=_VM_CLAIM)


def vm_new_judge(batch: Batch) -> tuple[list[Point], Answer]:
    if not batch.bad:
        return vm_old_judge(batch)
    bad = batch.bad[0]
    body = (
        "cannot process influx line protocol data: incorrect influx line "
        f"{json.dumps(bad.line, ensure_ascii=False)}: {bad.reason}; "
        "see https://docs.victoriametrics.com/victoriametrics/integrations/influxdb/\n"
    )
    return [], Answer(status=400, body=body, headers={"Content-Type": "text/plain; charset=utf-8"})
