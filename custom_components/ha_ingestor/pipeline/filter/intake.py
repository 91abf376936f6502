"""What was received and waits to be encoded, in case the disk stalls. The event loop uses it.

Each source counts `received` at the very entrance, on its own and before any filter. Then exactly
one thing follows: the event is filtered and counted by reason, it is appended, or it is lost.
"""

from collections import Counter, deque
from typing import Final

from ..memory import MEMORY_BYTES, MEMORY_POINTS
from ..model import Happening, Item, Row, Taken

INTAKE_POINTS: Final = MEMORY_POINTS
# What all attributes come to as text. The newest captures are kept whatever their size, because to
# weigh one takes longer than to capture it: it is done only where something is wrong already.
INTAKE_BYTES: Final = MEMORY_BYTES
UNWEIGHED_POINTS: Final = 2_000
# The oldest are weighed first, so few with each one that comes that the event loop notices nothing.
WEIGHED_AT_ONCE: Final = 32


class Intake:
    """A bounded queue: the oldest items are lost, and counted, when it is too many or too much."""

    def __init__(self) -> None:
        """Begin empty."""
        self.received = 0
        self.filtered: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._items: deque[Item] = deque()
        self._weights: deque[int] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: Item) -> int:
        """Put an item in and return how many wait."""
        items = self._items
        items.append(item)
        if len(items) > UNWEIGHED_POINTS:
            self._enforce_bounds()
        return len(items)

    def lose(self, count: int, reason: str) -> None:
        """Count received events that cannot be kept."""
        if count:
            self._lost[reason] += count

    def take(self) -> Taken:
        """Take everything out, with the counts of the same moment."""
        taken = Taken(
            items=list(self._items),
            received=self.received,
            filtered=self.filtered.copy(),
            lost=self._lost.copy(),
        )
        self.received = 0
        self.filtered.clear()
        self._lost.clear()
        self._items.clear()
        self._weights.clear()
        self._bytes = 0
        return taken

    def _enforce_bounds(self) -> None:
        items, weights = self._items, self._weights
        for index in range(len(weights), min(len(weights) + WEIGHED_AT_ONCE, len(items))):
            weights.append(weigh(items[index]))
            self._bytes += weights[-1]
        while len(items) > INTAKE_POINTS or (
            self._bytes > INTAKE_BYTES and len(items) > UNWEIGHED_POINTS
        ):
            items.popleft()
            self._bytes -= weights.popleft()
            self.lose(1, "intake_full")


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
