"""The way of a point from the event to the database, put together."""

import asyncio
import json
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

from .attributes import JsonDumps
from .buffer import Buffer
from .chatter import Chatter, chatter
from .committer import Committer
from .encoder import Encoder, Profile
from .export_state import ExportState
from .exporter import GATHER_SECONDS, Exporter, Writer
from .files import Files
from .intake import UNWEIGHED_POINTS, Intake, IntakeBounds
from .ledger import Ledger
from .model import EntityContext, Item
from .quarantine import Quarantine
from .recollection import Recollection
from .sieve import Sieve, SieveSettings
from .snapshot import Snapshot
from .spool import Spool
from .spool_settings import SpoolSettings

_LOGGER = logging.getLogger(__name__)

# What a crash of the process may cost: a second, or this many points.
COMMIT_SECONDS: Final = 1.0
COMMIT_POINTS: Final = 500
# Home Assistant's stop is not for us to delay.
STOP_SECONDS: Final = 5.0


class Pipeline:
    """Intake, commit and export of one destination."""

    def __init__(
        self,
        *,
        profile: Profile,
        files: Files,
        writer: Writer,
        settings: SpoolSettings,
        on_change: Callable[[], None],
        destination: str = "",
        gzip: bool = True,
        gather_seconds: float = GATHER_SECONDS,
        expired: Literal["quarantine", "evict"] = "quarantine",
        sieve: SieveSettings = SieveSettings(),  # noqa: B008  frozen
        contexts: Mapping[str, EntityContext] = MappingProxyType({}),
        dumps: JsonDumps = json.dumps,
    ) -> None:
        """Put the parts together; nothing runs before `start`."""
        self.ledger = Ledger()
        self.filtered = self.ledger.filtered
        self._began = time.monotonic()
        self._encoder = Encoder(profile=profile)
        self._spool = Spool(files, self.ledger, time.monotonic, time.time, settings)
        self._buffer = Buffer(self._spool, self.ledger)
        self._intake: Intake = deque()
        self._bounds = IntakeBounds(self._intake)
        recollection = Recollection(ledger=self.ledger, dumps=dumps)
        self._sieve = Sieve(
            ledger=self.ledger,
            settings=sieve,
            recollection=recollection,
            clock=time.monotonic,
            wall_clock=time.time,
            contexts=contexts,
        )
        self._committer = Committer(
            ledger=self.ledger,
            files=files,
            bounds=self._bounds,
            recollection=recollection,
            sieve=self._sieve,
            encoder=self._encoder,
            spool=self._spool,
            buffer=self._buffer,
        )
        self._executor = ThreadPoolExecutor(1, "ha_ingestor_spool")
        self._quarantine = Quarantine(files, destination)
        self._buffer.when_opened = self._quarantine.resume
        self._exporter = Exporter(
            buffer=self._buffer,
            quarantine=self._quarantine,
            writer=writer,
            run=self._run,
            jitter=random.random,
            on_change=on_change,
            gzip=gzip,
            gather_seconds=gather_seconds,
            expired=expired,
        )
        self._on_change = on_change
        self._settings = settings
        self._waiting_since = 0.0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False

    @property
    def export_state(self) -> ExportState:
        """How delivery is going right now."""
        return self._exporter.state

    def offer(self, capture: Item) -> None:
        """Take a capture. Called in the event loop for every event, so it does next to nothing."""
        intake = self._intake
        intake.append(capture)
        waiting = len(intake)
        if waiting == 1:
            self._arrived.set()
            if not self._buffer.held:
                self._waiting_since = time.time()
        elif waiting >= COMMIT_POINTS:
            self._full.set()
            if waiting > UNWEIGHED_POINTS:
                self._bounds.enforce(capture)

    def start(self) -> None:
        """Begin; the spool is opened in its own thread, what is captured meanwhile waits."""
        self._running = True
        self._tasks = [
            asyncio.create_task(self._commit_forever(), name="ha_ingestor commit"),
            asyncio.create_task(self._exporter.export_forever(), name="ha_ingestor export"),
        ]

    async def stop(self) -> None:
        """Put everything on disk, try once more to deliver, and end. Safe to call twice."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        commit, export = tasks
        commit.cancel()
        await asyncio.gather(commit, return_exceptions=True)
        await self._commit(is_last=True)
        await self._exporter.stop(STOP_SECONDS)
        export.cancel()
        await asyncio.gather(export, return_exceptions=True)
        with suppress(OSError):
            await self._run(self._committer.close)
        self._running = False
        await asyncio.get_running_loop().run_in_executor(None, self._executor.shutdown)

    async def commit(self) -> bool:
        """Put on disk what was offered, and tell whether it is there."""
        await self._commit()
        return not self._buffer.held

    async def flush(self) -> None:
        """Commit what waits and try to deliver at once."""
        await self._commit()
        self._exporter.retry_now()

    def quarantine_all(self) -> None:
        """Put aside what is refused, although it is so much that something else seems wrong."""
        self._exporter.quarantine_all()

    async def forget_rejection(self) -> None:
        """Say nothing more of the points that were refused so far."""
        await self._run(self._quarantine.forget)

    async def quarantined(self) -> list[dict[str, Any]]:
        """Read the records of the quarantine; raises OSError."""
        return await self._run(self._quarantine.records)

    async def purge_quarantine(self) -> int:
        """Delete the quarantine and return how many points were in it; raises OSError."""
        return await self._run(self._quarantine.purge)

    async def replay_quarantine(self) -> int:
        """Deliver the quarantined points once more and return how many; raises OSError."""
        count = await self._run(self._replay)
        self._exporter.notify()
        return count

    def _replay(self) -> int:
        return self._quarantine.replay(self._buffer.take_back, lambda: self._spool.last_seq)

    async def chatter(self) -> Chatter:
        """Tell who talked most since the start."""
        seconds = time.monotonic() - self._began
        if self._running:
            return await self._run(chatter, self._encoder.talk, seconds)
        return chatter(self._encoder.talk, seconds)

    async def snapshot(self) -> Snapshot:
        """Copy the state of health, all of it from the same moment."""
        if self._running:
            return await self._run(self._snapshot)
        return self._snapshot()

    async def _commit_forever(self) -> None:
        # Opens the spool, so that what an earlier process left is delivered without waiting.
        await self._commit()
        while True:
            if not (self._intake or self._buffer.needs_tick):
                idle = self._committer.next_due - time.monotonic()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), None if idle == math.inf else idle)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), COMMIT_SECONDS)
            self._arrived.clear()
            self._full.clear()
            await self._commit()

    async def _commit(self, *, is_last: bool = False) -> None:
        before = (self._buffer.error, self._buffer.is_open)
        try:
            await self._run(self._committer.commit, is_last=is_last)
        except Exception:
            _LOGGER.exception("A commit stumbled, the next one goes on")
        if (self._buffer.error, self._buffer.is_open) != before:
            self._on_change()
        self._exporter.notify()

    def _oldest_age(self) -> float | None:
        since: float | None = self._spool.pending_since
        if since is None:
            if self._spool.pending or not (self._intake or self._buffer.held):
                return None
            # A point may be older than its capture, and a newer one may have come to the front.
            since = max(self._waiting_since, self._buffer.held_of)
        return max(time.time() - since, 0.0)

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            is_open=self._buffer.is_open,
            ledger=self.ledger.as_dict(),
            pending=self._spool.pending,
            waiting=len(self._intake) + self._buffer.held + self._sieve.held,
            spool_bytes=self._spool.disk_bytes,
            spool_error=self._buffer.error,
            export=self._exporter.state,
            breaker=self._exporter.breaker,
            history=self._exporter.history,
            rejection=self._quarantine.newest,
            spool_limit=self._settings.max_bytes,
            oldest_age=self._oldest_age(),
        )

    def _run[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._executor, partial(function, *args, **kwargs))
