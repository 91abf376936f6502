"""Builds the exporter out of its parts."""

import time
from collections.abc import Callable
from typing import Literal

from ..spool.buffer import Buffer
from ..spool.quarantine import Quarantine
from .age_check import AgeCheck
from .attempts import Attempts
from .breaker import Breaker
from .delivery import Delivery
from .end_to_end import EndToEnd
from .expiry import Expiry
from .export_state import StatusTracker
from .exporter import GATHER_POINTS, GATHER_SECONDS, Exporter
from .gathering import Gathering
from .pause import Pause
from .retry import RetryPolicy
from .settings import DeliverySettings
from .settlement import Settlement
from .writer import Run, Writer


def build_exporter(
    *,
    buffer: Buffer,
    quarantine: Quarantine,
    writer: Writer,
    pause: Pause,
    run: Run,
    jitter: Callable[[], float],
    on_change: Callable[[], None],
    gather_seconds: float = GATHER_SECONDS,
    gzip: bool = True,
    numbers_only: bool = False,
    expired: Literal["quarantine", "evict"] = "quarantine",
    settings: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
    end_to_end: EndToEnd | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> Exporter:
    """Put the parts together."""
    progress = StatusTracker(on_change)
    attempts = Attempts(
        jitter=jitter,
        breaker=Breaker(failures_to_open=settings.failures_to_open),
        longest_pause=settings.longest_pause,
    )
    retry = RetryPolicy(attempts=attempts)
    expiry = Expiry(clock=clock, wall_clock=wall_clock)
    ages = AgeCheck(writer=writer, expiry=expiry)
    delivery = Delivery(
        buffer=buffer,
        writer=writer,
        run=run,
        settlement=Settlement(
            buffer=buffer, quarantine=quarantine, evicts_expired=expired == "evict"
        ),
        expiry=expiry,
        ages=ages,
        retry=retry,
        progress=progress,
        gzip=gzip,
        end_to_end=end_to_end or EndToEnd(),
        request_points=settings.request_points,
        numbers_only=numbers_only,
    )
    points = min(GATHER_POINTS, settings.request_points)
    return Exporter(
        quarantine=quarantine,
        writer=writer,
        pause=pause,
        run=run,
        on_change=on_change,
        gather_seconds=gather_seconds,
        clock=clock,
        progress=progress,
        attempts=attempts,
        retry=retry,
        ages=ages,
        delivery=delivery,
        gathering=Gathering(buffer=buffer, points=points),
    )
