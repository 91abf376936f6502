"""Builds the exporter out of its parts."""

from collections.abc import Callable

from ..clock import Clocks
from ..spool.buffer import Buffer
from ..spool.quarantine.quarantine import Quarantine
from .age_check import AgeCheck
from .attempts import Attempts
from .breaker import Breaker
from .delivery import Delivery
from .end_to_end import EndToEnd
from .expiry import Expiry
from .export_state import StatusTracker
from .exporter import Exporter
from .gathering import GATHER_POINTS, Gathering
from .pause import Pause
from .quarantine_recheck import QuarantineRecheck
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
    numbers_only: bool = False,
    settings: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
    end_to_end: EndToEnd | None = None,
    clocks: Clocks = Clocks(),  # noqa: B008  frozen
) -> Exporter:
    """Put the parts together."""
    progress = StatusTracker(on_change)
    attempts = Attempts(
        jitter=jitter,
        breaker=Breaker(failures_to_open=settings.failures_to_open),
        longest_pause=settings.longest_pause,
    )
    retry = RetryPolicy(attempts=attempts)
    expiry = Expiry(clock=clocks.monotonic, wall_clock=clocks.wall)
    ages = AgeCheck(writer=writer, expiry=expiry)
    delivery = Delivery(
        buffer=buffer,
        writer=writer,
        run=run,
        settlement=Settlement(
            buffer=buffer, quarantine=quarantine, evicts_expired=settings.evicts_expired
        ),
        expiry=expiry,
        ages=ages,
        retry=retry,
        progress=progress,
        settings=settings,
        end_to_end=end_to_end or EndToEnd(),
        numbers_only=numbers_only,
    )
    points = min(GATHER_POINTS, settings.request_points)
    return Exporter(
        writer=writer,
        pause=pause,
        run=run,
        on_change=on_change,
        gather_seconds=settings.gather_seconds,
        progress=progress,
        attempts=attempts,
        retry=retry,
        ages=ages,
        delivery=delivery,
        gathering=Gathering(buffer=buffer, points=points),
        recheck=QuarantineRecheck(
            quarantine=quarantine, run=run, on_change=on_change, clock=clocks.monotonic
        ),
    )
