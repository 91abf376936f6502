"""The self-test: write a point on the way of all points, and read it back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import inf
from typing import Any, Final, Protocol

from ..clients.influx.dialect import Dialect
from ..clients.influx.read_back import Marker, ReadBack, Reading, ReadResult
from ..pipeline.encode.columns import SELF_TEST_MEASUREMENT
from ..pipeline.export.export_state import ExportState, Status
from ..pipeline.export.result import Problem
from ..pipeline.files import disk_error_text
from ..pipeline.model import OwnPoint
from ..pipeline.pipeline import Pipeline

FIELD: Final = "value"

# The points before it are sent first, which may take hours; nobody waits so long.
WRITE_SECONDS: Final = 30.0
READ_SECONDS: Final = 10.0
# VictoriaMetrics shows a new series some ten seconds after it has acknowledged it.
READ_SECONDS_METRICS: Final = 45.0
_POLL_SECONDS: Final = 0.1
_READ_INTERVAL: Final = 0.5
# By how much clocks may differ without harm.
CLOCK_SECONDS: Final = 60.0
# Where the point would be, had the database refused it.
_NEWEST_QUARANTINED: Final = 100
_MARKS: Final = 1_000_000


class Verdict(StrEnum):
    """What the test came to. The values are part of keys of translations."""

    OK = "ok"
    PAUSED = "paused"
    DISK = "disk"
    STOPPED = "stopped"
    NOT_SENT = "not_sent"
    WAITING = "waiting"
    REFUSED = "refused"
    NO_PERMISSION = "no_permission"
    NO_QUERIES = "no_queries"
    READ_FAILED = "read_failed"
    NOT_FOUND = "not_found"
    NOT_FOUND_CLOCK = "not_found_clock"
    NOT_FOUND_METRICS = "not_found_metrics"


_UNREAD: Final = {
    Reading.NO_PERMISSION: Verdict.NO_PERMISSION,
    Reading.NO_QUERIES: Verdict.NO_QUERIES,
    Reading.FAILED: Verdict.READ_FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """The last test. Times in seconds, None where they are not known; a retention of 0 is for ever.

    `detail` is text of the server or of the disk, without secrets.
    """

    time: str
    verdict: Verdict
    written: bool = False
    found: bool = False
    problem: Problem = Problem.NONE
    detail: str = ""
    backlog: int = 0
    write_seconds: float | None = None
    read_seconds: float | None = None
    clock_ahead_seconds: float | None = None
    retention_seconds: float | None = None
    server_version: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


class _Retention(Protocol):
    async def retention(self) -> float | None: ...


class SelfTest:
    """Tests one destination, one test at a time; `last` is the newest report."""

    def __init__(
        self,
        pipeline: Pipeline,
        writer: _Retention,
        read_back: Callable[[], Awaitable[ReadBack]],
    ) -> None:
        """Test nothing yet."""
        self.last: SelfTestReport | None = None
        self._pipeline = pipeline
        self._writer = writer
        self._read_back = read_back
        self._lock = asyncio.Lock()

    async def async_run(self) -> SelfTestReport:
        """Test, and return the report."""
        async with self._lock:
            self.last = await self._run()
            return self.last

    async def _run(self) -> SelfTestReport:
        now = datetime.now(UTC)
        time_ms = int(now.timestamp() * 1000)
        marker = Marker(
            measurement=SELF_TEST_MEASUREMENT,
            field=FIELD,
            value=float(time_ms % _MARKS),
            time_ms=time_ms,
        )
        reader = await self._read_back()
        await reader.prepare()
        report = await self._write(marker, now.isoformat())
        result: ReadResult | None = None
        if report.written:
            result, seconds = await self._read(reader, marker)
            is_found = result.reading is Reading.FOUND
            report = replace(report, found=is_found, read_seconds=seconds if is_found else None)
        facts = await reader.facts()
        retention = await self._writer.retention()
        report = replace(
            report,
            server_version=facts.version,
            clock_ahead_seconds=None if facts.ahead is None else round(facts.ahead, 1),
            retention_seconds=0.0 if retention == inf else retention,
        )
        if result is None or report.found:
            return report
        verdict = _unread(result, report, reader.dialect)
        return replace(report, verdict=verdict, detail=result.detail)

    async def _write(self, marker: Marker, moment: str) -> SelfTestReport:
        """Write it, and wait until it is settled."""
        pipeline, began = self._pipeline, time.monotonic()
        report = SelfTestReport(time=moment, verdict=Verdict.OK)
        if pipeline.is_paused:
            return replace(report, verdict=Verdict.PAUSED)
        before = pipeline.export_state
        line = f"{SELF_TEST_MEASUREMENT} {FIELD}={marker.value!r} {marker.time_ms}000000"
        try:
            is_on_disk = await pipeline.write_points([OwnPoint(SELF_TEST_MEASUREMENT, line)])
        except OSError as err:
            return replace(report, verdict=Verdict.DISK, detail=disk_error_text(err))
        if not is_on_disk:
            return replace(report, verdict=Verdict.DISK)
        seq = pipeline.last_seq
        await pipeline.flush()
        while pipeline.is_stopped or pipeline.settled_seq < seq:
            if obstacle := self._obstacle(report, before, seq, time.monotonic() - began):
                return obstacle
            await asyncio.sleep(_POLL_SECONDS)
        seconds = round(time.monotonic() - began, 3)
        records, _ = await pipeline.quarantine.newest_records(_NEWEST_QUARANTINED)
        reasons = [str(record["reason"]) for record in records if record["line"] == line]
        if reasons:
            return replace(report, verdict=Verdict.REFUSED, detail=reasons[-1])
        return replace(report, written=True, write_seconds=seconds)

    def _obstacle(
        self, report: SelfTestReport, before: ExportState, seq: int, seconds: float
    ) -> SelfTestReport | None:
        """Return why it is not sent, if that is known by now."""
        state = self._pipeline.export_state
        if self._pipeline.is_stopped:
            return replace(report, verdict=Verdict.STOPPED)
        if state.status is Status.PAUSED:
            return replace(report, verdict=Verdict.PAUSED)
        if state is not before and state.status in {Status.RETRYING, Status.BLOCKED}:
            return replace(
                report, verdict=Verdict.NOT_SENT, problem=state.problem, detail=state.detail
            )
        if seconds > WRITE_SECONDS:
            backlog = seq - self._pipeline.settled_seq
            return replace(report, verdict=Verdict.WAITING, backlog=backlog)
        return None

    async def _read(self, reader: ReadBack, marker: Marker) -> tuple[ReadResult, float]:
        """Read until it is there, or for long enough; return the seconds that it took."""
        is_metrics = reader.dialect is Dialect.VICTORIAMETRICS
        longest = READ_SECONDS_METRICS if is_metrics else READ_SECONDS
        began = time.monotonic()
        while True:
            result = await reader.read(marker)
            seconds = round(time.monotonic() - began, 3)
            if result.reading is not Reading.NOT_FOUND or seconds > longest:
                return result, seconds
            await asyncio.sleep(_READ_INTERVAL)


def _unread(result: ReadResult, report: SelfTestReport, dialect: Dialect) -> Verdict:
    if result.reading in _UNREAD:
        return _UNREAD[result.reading]
    if abs(report.clock_ahead_seconds or 0.0) > CLOCK_SECONDS:
        return Verdict.NOT_FOUND_CLOCK
    is_metrics = dialect is Dialect.VICTORIAMETRICS
    return Verdict.NOT_FOUND_METRICS if is_metrics else Verdict.NOT_FOUND
