"""The processor time of every Python function, thread by thread."""

import re
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any, Final

_TOOL: Final = sys.monitoring.PROFILER_ID
_EVENTS: Final = sys.monitoring.events
_BEGINS: Final = (_EVENTS.PY_START, _EVENTS.PY_RESUME, _EVENTS.PY_THROW)
_ENDS: Final = (_EVENTS.PY_RETURN, _EVENTS.PY_YIELD, _EVENTS.PY_UNWIND)
_INTEGRATIONS: Final = "custom_components"
_POOL_NUMBER: Final = re.compile(r"[-_]\d+$")


@dataclass(slots=True)
class _Thread:
    """Where one thread is; times in nanoseconds."""

    name: str = ""
    # Of each function on the way: its code, its own time, and that time with what it called.
    stack: list[list[Any]] = field(default_factory=list)
    last: int = 0
    # Own time, time with what was called, calls.
    spent: defaultdict[CodeType, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )


class Profiler:
    """Counts between `start` and `stop`, itself left out as far as it can be.

    What is not written in Python counts for the function that calls it.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._threads: dict[int, _Thread] = {}

    def start(self) -> None:
        """Have the interpreter tell."""
        sys.monitoring.use_tool_id(_TOOL, "benchmark")
        for event in _BEGINS:
            sys.monitoring.register_callback(_TOOL, event, self._begin)
        for event in _ENDS:
            sys.monitoring.register_callback(_TOOL, event, self._end)
        sys.monitoring.set_events(_TOOL, sum((*_BEGINS, *_ENDS)))

    def stop(self) -> dict[str, Any]:
        """Tell of each thread and function the microseconds of its own, of all, and the calls."""
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)
        found: dict[str, dict[str, list[float]]] = {}
        for thread in self._threads.values():
            functions = found.setdefault(_POOL_NUMBER.sub("", thread.name), {})
            for code, numbers in thread.spent.items():
                sums = functions.setdefault(_name(code), [0.0, 0.0, 0.0])
                for place, scale in enumerate((1000, 1000, 1)):
                    sums[place] += numbers[place] / scale
        return {"threads": found}

    def _here(self) -> _Thread:
        ident = threading.get_ident()
        if (here := self._threads.get(ident)) is None:
            here = _Thread()
            # One that has just begun has no name yet, and asking for it would make one up.
            if known := threading._active.get(ident):  # type: ignore[attr-defined]
                here.name = known.name
                self._threads[ident] = here
        return here

    def _begin(self, code: CodeType, *_: object) -> None:
        now, here = time.thread_time_ns(), self._here()
        if here.stack:
            here.stack[-1][1] += now - here.last
        here.stack.append([code, 0, 0])
        here.last = time.thread_time_ns()

    def _end(self, code: CodeType, *_: object) -> None:
        now, here = time.thread_time_ns(), self._here()
        if here.stack and here.stack[-1][0] is code:
            _, own, below = here.stack.pop()
            own += now - here.last
            numbers = here.spent[code]
            numbers[0] += own
            numbers[1] += own + below
            numbers[2] += 1
            if here.stack:
                here.stack[-1][2] += own + below
        here.last = time.thread_time_ns()


def _name(code: CodeType) -> str:
    path = Path(code.co_filename)
    parts = path.with_suffix("").parts
    # Integrations of their own from their root on, so that they can be told from all else.
    start = parts.index(_INTEGRATIONS) + 1 if _INTEGRATIONS in parts else -2
    return f"{'/'.join(parts[start:])}.{code.co_qualname}"
