"""What a pipeline did and what it costs, since it was started."""

from dataclasses import dataclass
from datetime import datetime

from .histogram import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Numbers since the start of the pipeline, so a reload begins them again.

    Rates are of the last minute, None in the first seconds; `received_here_per_minute` without what
    other homes and a broker sent. `requests` counts by the kind of their result, `failures` by the
    problem.

    `captured_to_committed` is of the oldest event in each commit, `captured_to_acknowledged` of the
    oldest point in each accepted request. `commit` and `request` are how long these took.

    `thread_seconds` is the processor time of the spool's thread, which filters, encodes, stores and
    reads back; what the event loop spends is not known. `queue_bytes` is the text of the points in
    memory: lines that wait for the disk, and the request under way. `disk_bytes` is what was
    written to the files of the spool and the quarantine.
    """

    uptime: float
    received_per_minute: float | None
    received_here_per_minute: float | None
    captured_per_minute: float | None
    written_per_minute: float | None
    last_received: datetime | None
    requests: dict[str, int]
    failures: dict[str, int]
    last_success: datetime | None
    last_failure: datetime | None
    sent_bytes: int
    captured_to_committed: Distribution
    commit: Distribution
    request: Distribution
    captured_to_acknowledged: Distribution
    thread_seconds: float
    queue_bytes: int
    disk_bytes: int
