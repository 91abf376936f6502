"""When the entities of a destination are updated: at once, or now and then."""

from typing import Final

from ..pipeline.snapshot import Snapshot
from .condition import condition_of, problem_of

# Counters that change all day would fill the recorder: every five minutes they come to some two
# thousand rows a day. They are shown at once with whatever changes, and when somebody asks, and
# with every check in the two minutes after it, as a user may be watching.
CHECKS_PER_UPDATE: Final = 30
CHECKS_AFTER_CHANGE: Final = 12


class Updates:
    """Counts the checks since the last change."""

    def __init__(self) -> None:
        """Begin as after a change."""
        self._checks = 0

    def is_due(self, snapshot: Snapshot, shown: Snapshot, *, is_scheduled: bool) -> bool:
        """Whether to show a snapshot in place of the one that is shown."""
        is_new = _shown_at_once(snapshot) != _shown_at_once(shown)
        self._checks = 0 if is_new else self._checks + is_scheduled
        is_watched = self._checks <= CHECKS_AFTER_CHANGE or not is_scheduled
        return is_watched or self._checks % CHECKS_PER_UPDATE == 0


def _shown_at_once(snapshot: Snapshot) -> tuple[object, ...]:
    """Return everything but what changes all day."""
    return (*snapshot.condition, condition_of(snapshot), problem_of(snapshot))
