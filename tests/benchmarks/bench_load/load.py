"""Changes states at a steady rate, and tells what that cost the process."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant

from .full_collections import FullCollections
from .workload import next_state

_TICK_SECONDS: Final = 0.01
# A late tick catches up in slices, so that the load itself never blocks the loop for long.
_SLICE: Final = 60
_PROBE_SECONDS: Final = 0.005
# At rest is a process that used less than this share of a processor in five looks in a row.
_REST_SHARE: Final = 0.04
_REST_SECONDS: Final = 0.5
_REST_LOOKS: Final = 5
_REST_MAX_SECONDS: Final = 90.0


class Load:
    """Changes states, and looks at the event loop meanwhile."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing done."""
        self._hass = hass
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._result: dict[str, Any] = {}

    def start(self, events: int, rate: float, *, watch: bool) -> None:
        """Change states so many times, at so many per second."""
        self.stop()
        self._result = {}
        self._task = self._hass.async_create_background_task(
            self._run(events, rate, watch=watch), "benchmark load"
        )

    def stop(self) -> None:
        """Change no more states."""
        if self._task:
            self._task.cancel()

    def report(self) -> dict[str, Any]:
        """Tell the result, empty while it is not there, and how large the process is."""
        status = Path("/proc/self/status").read_text(encoding="ascii")
        rss = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return {
            "result": self._result,
            "rss": int(rss.split()[1]) * 1024,
            "cpu": time.process_time(),
            "changes": self._count,
        }

    async def _run(self, events: int, rate: float, *, watch: bool) -> None:
        lags: list[tuple[float, float]] = [(0.0, 0.0)]
        watching = asyncio.create_task(probe(lags)) if watch else None
        began, cpu = time.monotonic(), time.process_time()
        with FullCollections() as full:
            try:
                await self._change(events, rate)
            finally:
                if watching:
                    watching.cancel()
            seconds = time.monotonic() - began
            end = await _rest()
        raw = sorted(lag for lag, _ in lags)
        own = sorted(lag - waited for lag, waited in lags)
        self._result = {
            "events": events,
            "seconds": seconds,
            # One more or less is a third of what an exporter costs.
            "cpu": end - cpu - full.seconds,
            "full_collections": full.count,
            "full_collections_cpu": full.seconds,
            "p50": raw[len(raw) // 2],
            "p99": raw[len(raw) * 99 // 100],
            "max": raw[-1],
            "own_p99": own[len(own) * 99 // 100],
        }

    async def _change(self, events: int, rate: float) -> None:
        set_state = self._hass.states.async_set
        began, done = time.monotonic(), 0
        while done < events:
            await asyncio.sleep(max(_TICK_SECONDS, 1 / rate))
            due = min(events, int((time.monotonic() - began) * rate), done + _SLICE)
            for count in range(self._count, self._count + due - done):
                set_state(*next_state(count))
            self._count += due - done
            done = due


async def probe(lags: list[tuple[float, float]]) -> None:
    """Measure how much longer than asked for a sleep is, and how long the processor was taken."""
    fd = open_schedstat()
    try:
        waited = waited_seconds(fd)
        while True:
            began = time.monotonic()
            await asyncio.sleep(_PROBE_SECONDS)
            lag = time.monotonic() - began - _PROBE_SECONDS
            before, waited = waited, waited_seconds(fd)
            lags.append((lag, waited - before))
    finally:
        os.close(fd)


def open_schedstat() -> int:
    """Open what the kernel tells of the main thread's times."""
    return os.open("/proc/self/schedstat", os.O_RDONLY)


def waited_seconds(fd: int) -> float:
    """Return how long the main thread was ready to run and had no processor."""
    return int(os.pread(fd, 100, 0).split()[1]) / 1e9


async def _rest() -> float:
    """Wait until the process rests; returns its processor time when the rest began."""
    deadline = time.monotonic() + _REST_MAX_SECONDS
    looks = 0
    began = last = time.process_time()
    while looks < _REST_LOOKS and time.monotonic() < deadline:
        await asyncio.sleep(_REST_SECONDS)
        before, last = last, time.process_time()
        if last - before < _REST_SHARE * _REST_SECONDS:
            looks += 1
        else:
            looks, began = 0, last
    return began
