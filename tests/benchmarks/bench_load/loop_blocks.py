"""How long the event loop runs without a look at what has come meanwhile, and where."""

import asyncio
import gc
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Final

from .load import open_schedstat, waited_seconds

OURS: Final = "/custom_components/ha_ingestor/"

# Shorter turns are nobody's concern.
_NOTED_SECONDS: Final = 0.005
_LOOK_SECONDS: Final = 0.002
_KEPT: Final = 5
_OLDEST: Final = 2


class LoopBlocks:
    """Notes the longest turns of the running event loop between `start` and `stop`.

    A turn is all that runs between two waits, without the times when another process had the
    processor. Where it was is sampled by a thread, which comes to look only every few milliseconds.
    Full collections of garbage are noted whichever thread they are in: they hold up all of them.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._turns: list[dict[str, Any]] = []
        self._places: Counter[str] = Counter()
        self._began = 0.0
        self._collected = self._full_began = 0.0
        self._full: list[float] = []
        self._ended = threading.Event()

    def start(self) -> None:
        """Put ourselves in between; to be called in the event loop."""
        loop: Any = asyncio.get_running_loop()
        self._selector = loop._selector
        self._fd = open_schedstat()
        self._waited = waited_seconds(self._fd)
        self._main = threading.get_ident()
        select = self._selector.select

        def selecting(timeout: float | None = None) -> Any:
            self._end_turn()
            found = select(timeout)
            self._waited = waited_seconds(self._fd)
            self._began = time.monotonic()
            return found

        self._selector.select = selecting
        gc.callbacks.append(self._collecting)
        self._sampling = threading.Thread(
            target=self._sample, name="benchmark samples", daemon=True
        )
        self._sampling.start()

    def stop(self) -> dict[str, Any]:
        """Leave everything as it was; returns the longest turns, the longest first."""
        del self._selector.select
        gc.callbacks.remove(self._collecting)
        self._ended.set()
        self._sampling.join()
        os.close(self._fd)
        return {"turns": self._turns, "full_collections_ms": self._full}

    def _end_turn(self) -> None:
        began, self._began = self._began, 0.0
        places, self._places = self._places, Counter()
        collected, self._collected = self._collected, 0.0
        seconds = time.monotonic() - began
        if not began or seconds < _NOTED_SECONDS:
            return
        seconds -= waited_seconds(self._fd) - self._waited
        turn = {
            "ms": seconds * 1000,
            "garbage_ms": collected * 1000,
            "places": places.most_common(4),
        }
        self._turns.append(turn)
        self._turns.sort(key=lambda each: -each["ms"])
        del self._turns[_KEPT:]

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        now = time.monotonic()
        if info["generation"] == _OLDEST:
            if phase == "start":
                self._full_began = time.thread_time()
            else:
                self._full.append((time.thread_time() - self._full_began) * 1000)
        if threading.get_ident() == self._main:
            self._collected += -now if phase == "start" else now

    def _sample(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            if self._began and time.monotonic() - self._began > _NOTED_SECONDS:
                frame = sys._current_frames().get(self._main)
                if frame:
                    self._places[where(frame)] += 1


def where(frame: FrameType) -> str:
    """Name the function that runs, and the first and last of ours that led to it."""
    stack = [frame]
    while stack[-1].f_back:
        stack.append(stack[-1].f_back)
    ours = [each for each in reversed(stack) if OURS in each.f_code.co_filename]
    # Without one of ours, where Home Assistant was called by the event loop.
    asyncio_is = Path(asyncio.__file__).parent.as_posix()
    others = [each for each in reversed(stack) if asyncio_is not in each.f_code.co_filename]
    way = dict.fromkeys([*(ours[:1] or others[3:5]), *ours[-1:], frame])
    return " > ".join(_name(each) for each in way)


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{Path(code.co_filename).stem}.{code.co_qualname}:{frame.f_lineno}"
