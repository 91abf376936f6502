"""Fills the gaps of a remote home out of its recorder, while live events go on."""

import asyncio
from collections import Counter
from itertools import batched
from math import inf
from typing import Final

from ...clients.homeassistant.connection import Connection
from ...clients.homeassistant.errors import UNAUTHORIZED, CommandError, HomeAssistantError, Problem
from ...clients.homeassistant.history import states_between
from ...clients.homeassistant.states import Change
from ...const import LOGGER
from ...pipeline.model import StateEvent
from ...pipeline.past import Past
from ...tasks.slices import async_slices
from ..recorder.page import Recorded
from ..recorder.reader import PAUSE_SECONDS, ROWS_AT_ONCE, SPOOL_FILL_MAX
from .capture import Captures, RemoteCapture
from .catalog import RemoteHome
from .gap import BEYOND_SECONDS, RemoteGap
from .health import RemoteHealth
from .history_query import HistoryQuery

# A recorder stores what happened within five seconds, and some take longer.
LAG_SECONDS: Final = 10.0
# What takes longer is asked in smaller parts.
ANSWER_SECONDS: Final = 20.0
# After an error of the disk.
RETRY_SECONDS: Final = 5.0
# What is said by a home without a recorder, and to a user who may not read it.
_REFUSALS: Final = frozenset({UNAUTHORIZED, "unknown_command", "not_allowed"})


class RemoteRecovery:
    """Lives as long as one connection. The gaps stay, and go on with the next connection."""

    def __init__(
        self, connection: Connection, home: RemoteHome, health: RemoteHealth, captures: Captures
    ) -> None:
        """Prepare; `captures` returns where the events go."""
        self._connection = connection
        self._home = home
        self._health = health
        self._captures = captures
        self._past: tuple[RemoteCapture, Past] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_busy = False

    def async_start(self) -> None:
        """Fill the gaps in the background, if there are any."""
        if self._home.gaps and self._task is None:
            self._task = asyncio.create_task(self._run(), name="ha_ingestor remote gap recovery")

    async def async_stop(self) -> None:
        """Stop; what is being read or stored is done to its end."""
        if task := self._task:
            if not self._is_busy:
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(LAG_SECONDS)
        gaps = self._home.gaps
        while gaps and self._connection.error is None:
            try:
                await self._go_on(gaps[0])
            except OSError as err:
                LOGGER.debug("A gap of another home cannot be filled now: %s", err)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # noqa: BLE001  another home sends anything
                LOGGER.exception("A gap of another home is left unfilled")
                if not gaps[0].leave_unfilled():
                    del gaps[0]

    async def _go_on(self, gap: RemoteGap) -> None:
        """Do the next that there is to do; raises OSError."""
        if gap.read:
            await self._store(gap, *gap.read)
        elif gap.queries:
            await self._fill(gap)
        elif not gap.is_ended:
            await self._end(gap)
        else:
            self._home.gaps.remove(gap)
            LOGGER.info(
                "%s points out of its recorder fill a gap of another home; it has nothing of %s"
                " entities",
                *(gap.points, self._health.now.unfillable),
            )

    async def _fill(self, gap: RemoteGap) -> None:
        """Send one query, and read the answer."""
        await asyncio.sleep(PAUSE_SECONDS)
        capture = await self._captures()
        if capture.past_events.spool_fill >= SPOOL_FILL_MAX:
            return
        query = gap.queries[0]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await states_between(
                    self._connection,
                    query.entity_ids,
                    query.after - BEYOND_SECONDS,
                    query.until + BEYOND_SECONDS,
                    with_state_before=query.includes_before,
                )
        except CommandError as err:
            if err.code in _REFUSALS:
                self._leave_unfilled(err.code)
            else:
                self._divide(gap, query)
        except TimeoutError:
            self._divide(gap, query)
        except HomeAssistantError as err:
            # Without a connection the same is asked at the next one, but not what was too large.
            if err.problem is not Problem.LOST:
                self._divide(gap, query)
        else:
            if gap.is_first:
                # After a kill nothing is known but what the recorder there has.
                unread = [name for name in query.entity_ids if name not in gap.known]
                forgotten = (name for name in unread if not capture.remembers(name))
                gap.events.forgotten.update(forgotten)
            self._is_busy = True
            try:
                await self._read(gap, capture, gap.rows(query, answer), query.after)
                gap.queries.popleft()
            finally:
                self._is_busy = False

    def _divide(self, gap: RemoteGap, query: HistoryQuery) -> None:
        gap.queries.popleft()
        gap.queries.extendleft(reversed(query.halves()))

    def _leave_unfilled(self, code: str) -> None:
        """Leave the gaps unfilled; that is told once."""
        for gap in self._home.gaps:
            gap.queries.clear()
        if not self._home.is_history_refused:
            LOGGER.warning("The history of another home cannot be read: %s", code)
        self._home.is_history_refused = True

    async def _end(self, gap: RemoteGap) -> None:
        """Capture the states that end a gap."""
        capture = await self._captures()
        unfillable, led = 0, []
        self._is_busy = True
        try:
            async for entity_id, change in async_slices(list(gap.changes.items())):
                is_told = entity_id in gap.known and entity_id in gap.events.forgotten
                if entity_id in gap.led or is_told or not self._is_present(change):
                    led.append(entity_id)
                else:
                    # Nothing lies between: it is as any state after an interruption.
                    newest = self._home.newest
                    if change.old is None and gap.is_restarted:
                        capture.existing(change)
                    else:
                        capture.present(change, has_restarted=gap.is_restarted)
                    self._home.newest = newest
                    del gap.changes[entity_id]
                is_known = entity_id in gap.known or capture.described(entity_id).filtered
                unfillable += not (is_known or change.new is None)
            rows = gap.present(led)
            await self._note_removals(rows)
            await self._read(gap, capture, rows, inf)
            capture.forget_gone(gap.changes)
            self._health.gap_ended(unfillable)
            gap.is_ended = True
        finally:
            self._is_busy = False

    async def _note_removals(self, rows: list[Recorded]) -> None:
        """Store which times those have that the recorder there does not have."""
        removed = [row for row in rows if row.state is None]
        for row in removed:
            self._home.removals.note(row.entity_id, row.moment)
        if removed:
            await self._home.removals.store()

    def _is_present(self, change: Change) -> bool:
        """Whether nothing has followed a state so far."""
        state, new = self._home.states.states.get(change.entity_id), change.new
        return bool(state and new and state.last_updated_timestamp == new.last_updated_timestamp)

    async def _read(
        self, gap: RemoteGap, capture: RemoteCapture, rows: list[Recorded], read_until: float
    ) -> None:
        """Make events of rows, which are then to be stored."""
        gap.events.describe = capture.described
        gap.events.state_now = self._home.states.states.get
        events: list[StateEvent] = []
        filtered: Counter[str] = Counter()
        for few in batched(rows, ROWS_AT_ONCE, strict=False):
            made, left_out = gap.events.read(few)
            events += made
            filtered += left_out
            await asyncio.sleep(0)
        events += gap.events.end(read_until)
        if events or filtered:
            gap.read = (events, filtered)

    async def _store(
        self, gap: RemoteGap, events: list[StateEvent], filtered: Counter[str]
    ) -> None:
        """Store what was read; raises OSError."""
        capture = await self._captures()
        if self._past is None or self._past[0] is not capture:
            self._past = (capture, capture.past_events.begin(is_gap=True, is_elsewhere=True))
        self._is_busy = True
        try:
            gap.points += await capture.past_events.store(self._past[1], events, filtered)
            self._health.received(len(events) + filtered.total())
            gap.read = None
        finally:
            self._is_busy = False
