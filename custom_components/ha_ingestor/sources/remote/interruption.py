"""What happened before a connection to a remote home, as the first states that it sends tell."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from ...clients.homeassistant.states import Change
from ...tasks.slices import async_slices
from .capture import Captures, RemoteCapture, restored_state
from .catalog import RemoteHome
from .gap import RemoteGap, gap_of, moment_of
from .health import RemoteHealth

# Clocks differ by less, and what is set by more.
_SET_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The time between the last event that was captured and the first states of a connection.

    All moments are by the clock there. `newest` is that of the last event, if there was one, and
    `oldest` that of the oldest state. `is_first` says that nobody here knows the states before it.
    The history is asked for what is later than `asked_after`. At `gone_at` it was seen which
    entities are gone. What is later than `latest` is dated wrong.
    """

    newest: float | None
    oldest: float
    is_first: bool
    asked_after: float
    gone_at: float
    latest: float

    @property
    def has_restarted(self) -> bool:
        """Whether the home has started: that sets every state anew.

        Without a start some are always older than the interruption.
        """
        return self.newest is not None and self.oldest > self.newest

    @property
    def is_asked_for(self) -> bool:
        """Whether the history is asked for any part of it."""
        return self.asked_after < self.gone_at

    def was_captured(self, change: Change) -> bool:
        """Whether an earlier process captured a state."""
        new, newest = change.new, self.newest or 0.0
        return self.is_first and new is not None and new.last_updated_timestamp <= newest

    def is_missed(self, change: Change) -> bool:
        """Whether a change may be one of several, so that the history is asked for it."""
        return self.asked_after < moment_of(change, self.gone_at)

    def capture(self, capture: RemoteCapture, change: Change) -> None:
        """Capture a change that is the only one."""
        if self.is_first and (self.newest is None or self.has_restarted):
            # Only what was written before this home started can tell which are as before.
            capture.existing(change)
        else:
            capture.present(change, has_restarted=self.has_restarted)

    def gap(
        self,
        missed: Iterable[Change],
        expected: frozenset[str],
        told: Mapping[str, Sequence[float]],
    ) -> RemoteGap | None:
        """Return the gap of what was missed, if there is one."""
        changes = list(missed)
        if not changes or self.newest is None:
            return None
        return gap_of(
            changes,
            after=self.newest,
            asked_after=self.asked_after,
            started=self.oldest if self.has_restarted else None,
            is_first=self.is_first,
            gone_at=self.gone_at,
            latest=self.latest,
            expected=expected,
            told=told,
        )


async def async_capture_first_states(
    content: Any,
    home: RemoteHome,
    health: RemoteHealth,
    captures: Captures,
) -> None:
    """Capture what is different from what was known, each change once.

    What may have changed several times is a gap of the home from now on. `captures` returns where
    the events go.
    """
    states, entities, latest = home.states, home.entities, health.latest
    if home.newest is not None and home.newest > latest:
        # The clock there was wrong: what came later has earlier times.
        home.newest = None
    is_first = not states.states
    changes = await asyncio.to_thread(states.snapshot, content)
    moments = [each.last_updated_timestamp for each in states.states.values()]
    if _was_set_back(home.newest, moments, health):
        home.newest = None
    newest = home.newest
    expected, missing = entities.expected, entities.missing(states.states.keys())
    for change in changes:
        entities.note(change)
    gone_at = time.time() + health.now.clock_ahead
    interruption = Interruption(
        newest=newest,
        oldest=min(moments, default=0.0),
        is_first=is_first,
        asked_after=_asked_after(newest, (await captures()).gap_seconds, health),
        gone_at=gone_at,
        latest=latest,
    )
    missed: list[Change] = []
    async for change in async_slices(changes):
        capture = await captures()
        if interruption.was_captured(change):
            continue
        if interruption.has_restarted and (dated := restored_state(change)):
            states.states[change.entity_id] = dated
        if interruption.is_missed(change):
            missed.append(change)
        else:
            interruption.capture(capture, change)
    if interruption.is_asked_for:
        missed += missing
    told = home.removals.of(change.entity_id for change in missed)
    if gap := interruption.gap(missed, expected, told):
        home.gaps.append(gap)
        present = (each.new.last_updated_timestamp for each in missed if each.new)
        home.newest = max(filter(latest.__ge__, present), default=newest)


def _was_set_back(newest: float | None, moments: list[float], health: RemoteHealth) -> bool:
    """Whether the clock there was set back since the last event.

    That event is in the future then, and no state is as new. Behind a proxy only the second says
    something.
    """
    now = time.time() + health.now.clock_ahead
    return newest is not None and newest > max(now + _SET_SECONDS, *moments, 0.0)


def _asked_after(newest: float | None, gap_seconds: float, health: RemoteHealth) -> float:
    """Return since when the history is asked for; never, if nothing was captured before."""
    if newest is None or not gap_seconds:
        return inf
    return max(newest, time.time() + health.now.clock_ahead - gap_seconds)
