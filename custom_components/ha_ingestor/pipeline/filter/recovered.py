"""The noise filter for events of a span of the past: the same rules, by the times of the events.

There are no heartbeats, as nothing was silent, and a throttle keeps the first event of its time and
holds none. What was restored at a start is told by who reads the history.
"""

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..encode.masked import MASKED, unmasked
from ..ledger import DEADBAND, THROTTLED, Ledger
from ..model import NO_RULES, UNAVAILABLE, Rules, StateEvent, StateLike, is_here
from .deadband import is_within_deadband
from .filters import NoiseFilterSettings, are_same
from .last_written import LastWritten
from .rule_state import is_silent

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class RecoveredFilter:
    """Used by one thread. The events of an entity come in their order.

    Those of a gap follow what an earlier process wrote, and are noted in `last_written`.
    """

    ledger: Ledger
    settings: NoiseFilterSettings
    last_written: LastWritten | None = None
    _kept: dict[str, StateLike] = field(default_factory=dict)

    def filter(self, state_events: Iterable[StateEvent]) -> list[StateEvent]:
        """Return the events to write; one that raises an error is kept, and affects no other."""
        passed: list[StateEvent] = []
        for state_event in state_events:
            try:
                kept = unmasked(self._joined(state_event))
                reason = MASKED if kept is None else self._reason(kept)
            except BaseException:
                _LOGGER.exception("An event of the history could not be filtered and is kept")
                kept, reason = state_event, ""
            if reason == "deduplicated":
                self.ledger.deduplicated += 1
            elif reason or kept is None:
                self.ledger.filtered[reason] += 1
            else:
                self._note(kept)
                passed.append(kept)
        return passed

    def _joined(self, state_event: StateEvent) -> StateEvent:
        """Join the first event of another home to what was written before the gap.

        Its history is asked for the gap only, and tells of a state before it not since when it was.
        """
        key, old = state_event.entity.key, state_event.old
        if self.last_written is None or is_here(key):
            return state_event
        is_known = old is not None and not math.isnan(old.last_changed_timestamp)
        if is_known or (before := self.last_written.before_gap(key)) is None:
            return state_event
        if old is not None and old.state != before.state:
            return state_event
        return state_event._replace(old=before)

    def _reason(self, state_event: StateEvent) -> str:
        """Name why an event is not written; empty when it is."""
        entity, new, old, *_ = state_event
        if new is None:
            return ""
        if self.settings.skip_unavailable and is_silent(new):
            return UNAVAILABLE
        last = self._kept.get(entity.key) or old
        return self._repeats(entity.rules, entity.domain, last, new) if last else ""

    def _repeats(self, rules: Rules, domain: str, last: StateLike, new: StateLike) -> str:
        """Name why a state says too little beside the last one; empty when it does not."""
        age = new.last_updated_timestamp - last.last_updated_timestamp
        if (
            0 <= age <= self.settings.window
            and last.state == new.state
            and are_same(last.attributes, new.attributes)
        ):
            return "deduplicated"
        if rules is NO_RULES or is_silent(new) is not is_silent(last):
            return ""
        if is_within_deadband(rules.deadband, domain, last, new):
            return DEADBAND
        return THROTTLED if age < rules.throttle else ""

    def _note(self, state_event: StateEvent) -> None:
        key, new = state_event.entity.key, state_event.new
        if new is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = new
        if self.last_written:
            self.last_written.note_recovered(key, new, state_event.time)
