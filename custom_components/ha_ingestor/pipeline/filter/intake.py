"""Received items that wait for a commit. Used by the event loop.

Each source counts `received` at the very entrance, on its own and before any filter. Then exactly
one thing follows: the event is filtered and counted by reason, it is appended, or it is lost.
"""

from collections import Counter, deque
from math import inf
from typing import Final

from ..memory import MEMORY_BYTES, MEMORY_POINTS
from ..model import IntakeContent, Item, Message, OtherEvent, OwnPoint, RegistryRow

INTAKE_POINTS: Final = MEMORY_POINTS
# What all attributes come to as text. The newest events are kept whatever their size, because to
# estimate the size of one takes longer than to capture it: it is done only when many wait.
INTAKE_BYTES: Final = MEMORY_BYTES
UNSIZED_POINTS: Final = 2_000
# The oldest are sized first, a few with each new one, so that the event loop is not blocked.
SIZED_AT_ONCE: Final = 32


class Intake:
    """A bounded queue: when there are too many items or bytes, the oldest are lost and counted."""

    def __init__(self) -> None:
        """Start empty."""
        self.received = 0
        self.received_elsewhere = 0
        self.filtered: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._items: deque[Item] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def receive_elsewhere(self, count: int = 1) -> None:
        """Count as received what comes from another source than this home."""
        self.received += count
        self.received_elsewhere += count

    def append(self, item: Item) -> int:
        """Put an item in and return how many wait."""
        items = self._items
        items.append(item)
        if len(items) > UNSIZED_POINTS:
            self._enforce_bounds()
        return len(items)

    def count_lost(self, count: int, reason: str) -> None:
        """Count received events that cannot be kept."""
        if count:
            self._lost[reason] += count

    def take(self, since: float = inf) -> IntakeContent:
        """Take everything out, with the counts of the same moment; the oldest waits `since`."""
        taken = IntakeContent(
            items=list(self._items),
            since=since,
            received=self.received,
            received_elsewhere=self.received_elsewhere,
            filtered=dict(self.filtered),
            lost=dict(self._lost),
        )
        self.received = self.received_elsewhere = 0
        self.filtered.clear()
        self._lost.clear()
        self._items.clear()
        self._sizes.clear()
        self._bytes = 0
        return taken

    def _enforce_bounds(self) -> None:
        items, sizes = self._items, self._sizes
        for index in range(len(sizes), min(len(sizes) + SIZED_AT_ONCE, len(items))):
            sizes.append(estimate_size(items[index]))
            self._bytes += sizes[-1]
        while len(items) > INTAKE_POINTS or (
            self._bytes > INTAKE_BYTES and len(items) > UNSIZED_POINTS
        ):
            items.popleft()
            self._bytes -= sizes.popleft()
            self.count_lost(1, "intake_full")


def estimate_size(item: Item) -> int:
    """Estimate the memory of an item: its attributes, unless the old state shares them."""
    content: object
    if isinstance(item, OtherEvent):
        content = item.data
    elif isinstance(item, RegistryRow):
        content = item.fields
    elif isinstance(item, OwnPoint):
        return len(item.line)
    elif isinstance(item, Message):
        return len(item.payload) + len(item.topic)
    elif item.new is None or item.old is None:
        state = item.new or item.old
        content = state.attributes if state else {}
    elif item.new.attributes is item.old.attributes:
        return 0
    else:
        content = item.new.attributes
    try:
        return len(str(content))
    except BaseException:  # noqa: BLE001  it may hold objects of any integration
        return 0
