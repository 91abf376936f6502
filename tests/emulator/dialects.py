"""What each server does with a batch: what it stores, and what it then says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from custom_components.ha_ingestor.pipeline.outcome import Dialect

from .line_protocol import BadLine, Point


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
    metrics: str = ""
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


def _v1(suffix: str) -> Judge:
    def judge(batch: Batch) -> tuple[list[Point], Answer]:
        # Of several kinds of trouble only one is told: the counts are no account of what is stored.
        if batch.conflicting:
            reason = batch.conflicting[0][1]
            message = f"partial write: {reason}{suffix} dropped={len(batch.conflicting)}"
        elif batch.stale:
            message = (
                f"partial write: points beyond retention policy{suffix} dropped={len(batch.stale)}"
            )
        elif batch.bad and not batch.good:
            message = _unparsable(batch)
        elif batch.bad:
            message = f"partial write: {_unparsable(batch)}{suffix} dropped=0"
        else:
            return batch.good, Answer()
        return batch.good, v1_error(message)

    return judge


def _v2(batch: Batch) -> tuple[list[Point], Answer]:
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


def _v3(batch: Batch) -> tuple[list[Point], Answer]:
    # Retention is applied later, out of sight.
    stored = batch.good + batch.stale
    if not (lines := _v3_lines(batch)):
        return stored, Answer()
    error = {"error": "partial write of line protocol occurred", "data": lines}
    return stored, Answer(status=400, body=compact(error))


def _v3_compat(batch: Batch) -> tuple[list[Point], Answer]:
    if not (lines := _v3_lines(batch)):
        return batch.good + batch.stale, Answer()
    error = {"error": "parsing failed for write_lp endpoint", "data": lines[0]}
    return [], Answer(status=400, body=compact(error))


_VM_CLAIM: Final = {"X-Influxdb-Version": "1.8.0"}


def _vm_old(batch: Batch) -> tuple[list[Point], Answer]:
    conflicting = [point for point, _ in batch.conflicting]
    return batch.good + conflicting, Answer(headers=_VM_CLAIM)


def _vm_new(batch: Batch) -> tuple[list[Point], Answer]:
    if not batch.bad:
        return _vm_old(batch)
    bad = batch.bad[0]
    body = (
        'remoteAddr: "127.0.0.1:40000"; requestURI: /write?precision=ns; cannot process influx '
        f'line protocol data: incorrect influx line "{bad.line}": {bad.reason}\n'
    )
    return [], Answer(status=400, body=body, headers={"Content-Type": "text/plain; charset=utf-8"})


def _influx_headers(version: str) -> dict[str, str]:
    return {"X-Influxdb-Version": version, "X-Influxdb-Build": "OSS"}


def _json(**content: str) -> Answer:
    return Answer(status=200, body=compact(content), headers={"Content-Type": "application/json"})


_OK: Final = Answer(status=200, body="OK")
_VM_BAD_GZIP: Final = Answer(
    status=400,
    body='remoteAddr: "127.0.0.1:40000"; requestURI: /write; cannot read gzipped influx line '
    "protocol data: unexpected EOF\n",
)
# VictoriaMetrics has no 404.
_VM_NOT_FOUND: Final = Answer(
    status=400, body='remoteAddr: "127.0.0.1:40000"; requestURI: /; unsupported path requested: "/"'
)
_NOT_FOUND: Final = Answer(status=404, body="404 page not found\n")
_V1_13: Final = _v1(" for database: ha for retention policy: autogen")

V1_6: Final = Profile(
    dialect=Dialect.V1,
    version="1.6.7",
    ping=Answer(),
    health=_NOT_FOUND,
    writes={"/write": _v1("")},
    headers=_influx_headers("1.6.7"),
)
V1_13: Final = Profile(
    dialect=Dialect.V1,
    version="1.13.2",
    ping=Answer(),
    health=_json(name="influxdb", status="pass", version="1.13.2"),
    writes={"/write": _V1_13, "/api/v2/write": _V1_13},
    headers=_influx_headers("1.13.2"),
)
V2_7: Final = Profile(
    dialect=Dialect.V2,
    version="2.7.12",
    ping=Answer(),
    health=_json(name="influxdb", status="pass", version="v2.7.12", commit="unknown"),
    writes={"/write": _v2, "/api/v2/write": _v2},
    # A damaged body looks like trouble of the server's own.
    bad_gzip=v2_error("internal error", "An internal error has occurred", 500),
    headers=_influx_headers("v2.7.12"),
)
V3: Final = Profile(
    dialect=Dialect.V3,
    version="3.5.0",
    ping=Answer(
        status=200,
        body='{"version":"3.5.0","revision":"abc1234","process_id":"9f1b"}',
        headers={"Content-Type": "application/json", **_influx_headers("3.5.0")},
    ),
    health=_OK,
    writes={"/api/v3/write_lp": _v3, "/write": _v3_compat, "/api/v2/write": _v3_compat},
)
VM_OLD: Final = Profile(
    dialect=Dialect.VICTORIAMETRICS,
    version="1.79.5",
    ping=Answer(),
    health=_OK,
    writes={"/write": _vm_old, "/api/v2/write": _vm_old},
    headers={"X-Server-Hostname": "vm"},
    bad_gzip=_VM_BAD_GZIP,
    not_found=_VM_NOT_FOUND,
    metrics='vm_app_version{version="victoria-metrics-20220822", short_version="v1.79.5"} 1\n',
)
VM_NEW: Final = Profile(
    dialect=Dialect.VICTORIAMETRICS,
    version="1.150.0",
    ping=Answer(),
    health=_OK,
    writes={"/write": _vm_new, "/api/v2/write": _vm_new},
    headers={"X-Server-Hostname": "vm"},
    bad_gzip=_VM_BAD_GZIP,
    not_found=_VM_NOT_FOUND,
    metrics='vm_app_version{version="victoria-metrics-20261101", short_version="v1.150.0"} 1\n',
)

NEWEST: Final = {profile.dialect: profile for profile in (V1_13, V2_7, V3, VM_NEW)}
