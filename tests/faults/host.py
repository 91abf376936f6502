"""One pipeline that does what it is asked, one thing after the other, and tells how it is.

In the memory of a test or in a process of its own: what is asked and answered is JSON.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.encode.columns import HOMEIQ_MEASUREMENT
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.export.writer import Writer
from custom_components.ha_ingestor.pipeline.files import Files
from custom_components.ha_ingestor.pipeline.filter import intake
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.handover import Handover
from custom_components.ha_ingestor.pipeline.model import (
    NO_RULES,
    EntityContext,
    OwnPoint,
    Rules,
    StateEvent,
)
from custom_components.ha_ingestor.pipeline.spool import held
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings, WhenFull
from tests.pipeline.state_events import FakeContext, FakeState

from .steps import DAY

OLD: Final = 30 * DAY
# When a point is dated that a real database shall refuse: it keeps a text there.
REFUSED: Final = 3 * DAY

RULES: Final = [
    Rules(throttle=10.0),
    Rules(deadband=3.0),
    Rules(throttle=10.0, deadband=3.0),
    NO_RULES,
]
PLAIN: Final = [EntityContext(entity_id=f"sensor.s{n}", domain="sensor") for n in range(5)]

_NUMBER: Final = re.compile(r'[ ,]state="([0-9]+)"')


def numbers_in(lines: str) -> list[int]:
    """The numbers that the states of points tell."""
    return [int(number) for number in _NUMBER.findall(lines)]


@contextmanager
def small_memory() -> Iterator[None]:
    """Let memory run over within a test."""
    with (
        patch.object(held, "HELD_POINTS", 60),
        patch.object(intake, "INTAKE_POINTS", 80),
        patch.object(intake, "UNSIZED_POINTS", 20),
    ):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a pipeline tells of itself, all of the same moment. `held` wait for the disk.

    `intake` was not taken yet.
    """

    is_open: bool
    ledger: dict[str, Any]
    pending: int
    waiting: int
    held: int
    spool_error: str
    unbalanced: str
    acked: int
    intake: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a pipeline finds around it.

    With `runs_by_itself` its tasks commit and deliver, as in Home Assistant; otherwise only what is
    asked happens. Points are dated from `noon` on, those that `bad_lines` divides where a real
    database refuses them.
    """

    files: Files
    writer: Writer
    clocks: Clocks
    noon: float
    executor: Executor | None = None
    runs_by_itself: bool = False
    bad_lines: int = 0


class Host:
    """Begin it in a running loop, then ask."""

    def __init__(self, place: Place, options: dict[str, Any]) -> None:
        self._place = place
        self._options = options
        self._is_stopped = False
        self._begin()

    async def ask(self, what: str, **how: Any) -> Any:
        """Do one of the things below; raises OSError."""
        return await getattr(self, what)(**how)

    def _begin(self, resume: Handover | None = None) -> None:
        place, options = self._place, self._options
        self._ruled = EntityContext(
            entity_id="sensor.t", domain="sensor", rules=RULES[options["rules"]]
        )
        settings: dict[str, Any] = {"segment_bytes": 2_000, "min_free_bytes": 0, "compress": False}
        settings |= options["settings"]
        settings["full"] = WhenFull(settings.get("full", WhenFull.OLDEST))
        self.pipeline = build_pipeline(
            profile=HomeIQ(dumps=json.dumps),
            files=place.files,
            writer=place.writer,
            settings=SpoolSettings(**settings),
            delivery=DeliverySettings(gzip=place.runs_by_itself, gather_seconds=0.05),
            resume=resume,
            noise_filter=NoiseFilterSettings(window=options["window"]),
            contexts={self._ruled.entity_id: self._ruled},
            clocks=place.clocks,
            jitter=lambda: 1.0,
            executor=place.executor,
        )
        if place.runs_by_itself:
            self.pipeline.start()

    async def _stop(self, *, hand_over: bool) -> Handover:
        if not self._place.runs_by_itself:
            # Its tasks are what is asked, and end where they began.
            self.pipeline.start()
        return await self.pipeline.stop(hand_over=hand_over)

    # What it can be asked

    async def offer(self, first: int, count: int, of: str, *, is_old: bool) -> None:
        for number in range(first, first + count):
            self.pipeline.intake.received += 1
            if of == "excluded":
                self.pipeline.intake.filtered["excluded"] += 1
                continue
            entity = self._ruled if of == "ruled" else PLAIN[number % len(PLAIN)]
            self.pipeline.offer(self._change(entity, number, is_old=is_old))

    async def repeat(self, number: int, count: int) -> None:
        change = self._change(PLAIN[number % len(PLAIN)], number)
        for _ in range(count):
            self.pipeline.receive(change._replace(old=change.new))

    async def write(self, first: int, count: int) -> None:
        def line(number: int) -> str:
            time_ms = round(self._place.noon * 1000) + number
            return f'{HOMEIQ_MEASUREMENT},entity_id=sensor.own state="{number}" {time_ms}000000'

        numbers = range(first, first + count)
        await self.pipeline.write_points(
            [OwnPoint(HOMEIQ_MEASUREMENT, line(each)) for each in numbers]
        )

    def _change(self, entity: EntityContext, number: int, *, is_old: bool = False) -> StateEvent:
        time = self._place.noon + number / 1000
        if is_old:
            time -= OLD
        elif self._place.bad_lines and number % self._place.bad_lines == 0:
            time -= REFUSED
        state = FakeState(
            state=str(number), last_changed_timestamp=time, last_updated_timestamp=time
        )
        return StateEvent(entity, state, None, time, FakeContext(id=f"{number:026d}"))

    async def commit(self) -> bool:
        return await self.pipeline.commit()

    async def deliver(self, attempts: int = 3) -> None:
        for _ in range(attempts):
            try:
                if await self.pipeline._exporter.drain() is None:
                    break
            except OSError:
                continue  # the exporter's own loop waits for the disk in the same way

    async def replay(self) -> None:
        await self.pipeline.quarantine.replay()

    async def hold(self) -> None:
        """Let nothing be delivered."""
        await self.pipeline._exporter._delivering.acquire()

    async def release(self) -> None:
        self.pipeline._exporter._delivering.release()

    async def purge(self) -> None:
        await self.pipeline.quarantine.purge()

    async def pause(self) -> None:
        await self.pipeline.pause()

    async def resume(self) -> None:
        await self.pipeline.resume()

    async def quarantine_all(self) -> None:
        self.pipeline.quarantine_all()

    async def quarantined(self) -> list[int]:
        records = await self.pipeline.quarantine.records()
        return [number for record in records for number in numbers_in(record["line"])]

    async def reload(self, options: dict[str, Any]) -> None:
        handover = await self._stop(hand_over=True)
        self._options = options
        self._begin(handover)

    async def stop(self) -> None:
        await self._stop(hand_over=False)
        self._is_stopped = True

    async def state(self) -> State:
        if self._is_stopped:
            return self._state()
        return await self.pipeline._thread.run(self._state)

    def _state(self) -> State:
        found = self.pipeline._health.snapshot()
        return State(
            is_open=found.is_open,
            ledger=found.ledger,
            pending=found.pending,
            waiting=found.waiting,
            held=self.pipeline.ledger.held,
            spool_error=found.spool_error,
            unbalanced=found.unbalanced,
            acked=self.pipeline._spool.acked,
            intake=self.pipeline.intake.received,
        )
