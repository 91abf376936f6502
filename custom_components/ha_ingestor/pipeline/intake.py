"""How much may wait to be encoded, in case the disk stalls: the oldest gives way, and is counted.

The event loop puts captures in and lets the oldest go, the spool's thread takes them out.
"""

from collections import deque
from contextlib import suppress
from typing import Final

from .model import Happening, Item, Row

type Intake = deque[Item]

# Ten seconds of the busiest home.
INTAKE_POINTS: Final = 20_000
# What all attributes come to as text. The newest captures are kept whatever their size, because to
# weigh one takes longer than to capture it: it is done only where something is wrong already.
INTAKE_BYTES: Final = 16 * 1024 * 1024
UNWEIGHED_POINTS: Final = 2_000


class IntakeBounds:
    """Keeps an intake within its number of captures, and within their size."""

    def __init__(self, intake: Intake) -> None:
        """Watch over an intake; `dropped` counts what was let go."""
        self.dropped = 0
        self._intake = intake
        self._weights: deque[int] = deque()
        self._bytes = 0
        self._is_weighed = False

    def take(self) -> list[Item]:
        """Take everything out that is there now, in the spool's thread."""
        captures: list[Item] = []
        # What is let go at the same time is missing at the end.
        with suppress(IndexError):
            for _ in range(len(self._intake)):
                captures.append(self._intake.popleft())  # noqa: PERF401
        self._is_weighed = False
        return captures

    def enforce(self, newest: Item) -> None:
        """Let the oldest go when it is too many or too much, in the event loop."""
        weights = self._weights
        if self._is_weighed and len(weights) + 1 == len(self._intake):
            weights.append(weight := weigh(newest))
            self._bytes += weight
        else:
            weights = self._weights = deque(map(weigh, self._intake.copy()))
            self._bytes = sum(weights)
            self._is_weighed = True
        with suppress(IndexError):
            while len(weights) > INTAKE_POINTS or (
                self._bytes > INTAKE_BYTES and len(weights) > UNWEIGHED_POINTS
            ):
                self._intake.popleft()
                self.dropped += 1
                self._bytes -= weights.popleft()


def weigh(capture: Item) -> int:
    """Estimate what a capture keeps in memory: attributes, unless its predecessor has the same."""
    content: object
    if isinstance(capture, Happening):
        content = capture.data
    elif isinstance(capture, Row):
        content = capture.fields
    elif capture.new is None or capture.old is None:
        state = capture.new or capture.old
        content = state.attributes if state else {}
    elif capture.new.attributes is capture.old.attributes:
        return 0
    else:
        content = capture.new.attributes
    try:
        return len(str(content))
    except Exception:  # noqa: BLE001  it may hold objects of any integration
        return 0
