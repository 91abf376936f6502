"""Sends the changed rows to a data-api, within its rate limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..clients.data_api.problem import NOT_A_DATA_API
from ..clients.data_api.rows import DeviceRow, EntityRow
from ..pipeline.export.result import Kind, Problem, Result
from .batches import BATCH_ROWS, Batches
from .rate_limiter import RateLimiter
from .rows import Row, Rows, Table
from .sent_rows import SentRows

# Any of them may be bad itself.
KNOWN_GOOD_MAX: Final = 3
# A request may take seconds; a longer one is shown as no answer.
SLOW_SECONDS: Final = 12.0
# So many refused rows are tried again at a time, as long as none of them is taken.
RETRIED: Final = 20

# What may be about the actions only: devices and entities are sent all the same.
_OF_ACTIONS_ONLY: Final = frozenset(
    {Problem.SERVER_ERROR, Problem.TIMEOUT, Problem.PROXY, NOT_A_DATA_API}
)
# The column that names a device.
_LINKS: Final = {Table.DEVICES: "via_device_id", Table.ENTITIES: "device_id"}

ACCEPTED: Final = Result(kind=Kind.ACCEPTED, problem=Problem.NONE)


class Client(Protocol):
    """The client of one data-api. Never raises for errors of network or server."""

    async def probe(self) -> Result: ...
    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Result: ...
    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Result: ...
    async def upsert_services(self, services: Mapping[str, Any]) -> Result: ...
    async def device_ids(self) -> set[str] | None: ...
    async def entity_ids(self) -> set[str] | None: ...


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Sends changed rows, and stores the server's result for each.

    `on_slow_answer` is called when an answer is late, and when answers arrive again. A row on the
    server is not stale while `is_awaited` says that its home was not read so far.
    """

    client: Client
    clock: Callable[[], float]
    on_slow_answer: Callable[[bool], None] = lambda _is_answer_slow: None
    is_awaited: Callable[[str], bool] = lambda _key: False
    known: Mapping[Table, SentRows] = field(
        default_factory=lambda: {table: SentRows() for table in Table}
    )
    sent: int = 0
    pending: int = 0
    unchanged: int = 0
    _rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    _size: int = BATCH_ROWS
    # Today's servers store what names an unknown device without it, older ones refuse it.
    _detaches: bool = False
    # Refused devices that are not there, although they were once: the server has lost them.
    _gone: set[str] = field(default_factory=set)
    # The names of the actions of each domain that entities were stored with.
    _actions: dict[str, frozenset[str]] = field(default_factory=dict)

    def forget(self) -> None:
        """Send everything again."""
        self._gone.clear()
        for known in self.known.values():
            known.forget()

    def retry_refused(self) -> None:
        """Send some of what was refused again."""
        for known in self.known.values():
            known.retry(RETRIED)

    @property
    def refused(self) -> int:
        """How many rows are not taken."""
        return sum(len(known.refused) for known in self.known.values())

    async def probe(self) -> Result:
        """Ask whether the server is there."""
        await self._pace()
        return await self._answer(self.client.probe())

    async def find_stale(self) -> None:
        """Find stale rows on the server, which has no request to delete single rows.

        It answers from a cache: so it is read only after everything is stored.
        """
        listings = {Table.DEVICES: self.client.device_ids, Table.ENTITIES: self.client.entity_ids}
        for table, listing in listings.items():
            await self._pace()
            if (stored := await listing()) is not None:
                self.known[table].listed({key for key in stored if not self.is_awaited(key)})

    async def sync(self, rows: Rows) -> Result:
        """Send changed rows until all are settled or a request fails; returns the verdict."""
        for table in Table:
            self.known[table].keep(rows[table])
        self.pending = sum(len(self.known[table].changed(rows[table])) for table in Table)
        self.unchanged = sum(map(len, rows.values())) - self.pending
        sent = self.sent
        of_actions = await self._sync_all(Table.SERVICES, rows)
        if of_actions.kind is not Kind.ACCEPTED and of_actions.problem not in _OF_ACTIONS_ONLY:
            return of_actions
        for table in (Table.DEVICES, Table.ENTITIES):
            verdict = await self._sync_all(table, rows)
            if verdict.kind is not Kind.ACCEPTED:
                return verdict
        if of_actions.kind is not Kind.ACCEPTED:
            if of_actions.problem is not NOT_A_DATA_API or (
                self.sent == sent and not await self._accepts_safe_rows(Table.DEVICES, (), rows)
            ):
                return of_actions
            # It takes the others, so it is an old one without such a table: until all is sent.
            self.known[Table.SERVICES].stored(rows[Table.SERVICES])
        self.pending = 0
        self._size = min(BATCH_ROWS, self._size * 2)
        return ACCEPTED

    async def _sync_all(self, table: Table, rows: Rows) -> Result:
        # A device that was refused may be taken now: then its own are sent once more.
        while changed := self.known[table].changed(rows[table]):
            verdict = await self._sync_table(table, changed, rows)
            if verdict.kind is not Kind.ACCEPTED:
                return verdict
        return ACCEPTED

    async def _sync_table(self, table: Table, changed: list[Row], rows: Rows) -> Result:
        known = self.known[table]
        is_entities = table is Table.ENTITIES
        detached = {row.key for row in changed if is_entities and self._lacks_device(row)}
        batches = Batches.of(changed, size=self._size, apart=detached, alone=known.refused)
        while piece := batches.current:
            verdict = await self._send(table, piece, batches)
            match verdict.kind:
                case Kind.ACCEPTED:
                    taken, rejected = batches.accepted()
                    self._settle(table, taken, rejected, rows)
                case Kind.REJECTED:
                    if not self._detaches_now(piece, batches):
                        batches.refused(verdict.detail)
                case Kind.TOO_LARGE:
                    batches.too_large(verdict.detail)
                case _:
                    return self._failed(verdict)
            if batches.is_surge:
                break
        if not batches.suspects or await self._is_about_rows(table, batches, rows):
            self._settle(table, (), batches.confirm_rejected(), rows)
            return ACCEPTED
        reason = batches.suspects[0][1]
        if table is Table.SERVICES and await self._accepts_safe_rows(
            Table.DEVICES, self.known[Table.DEVICES].changed(rows[Table.DEVICES]), rows
        ):
            # It has no table of actions, but reports another error.
            self._settle(table, (), batches.refuse_all(reason), rows)
            return ACCEPTED
        return Result(kind=Kind.KEPT, problem=Problem.SERVER_ERROR, detail=reason)

    async def _is_about_rows(self, table: Table, batches: Batches, rows: Rows) -> bool:
        """Find out whether the refused rows are the cause, and not the server."""
        if await self._accepts_safe_rows(table, batches.waiting, rows):
            return True
        # Where every entity is refused, none can tell.
        return (
            table is Table.ENTITIES
            and not batches.waiting
            and await self._accepts_safe_rows(Table.DEVICES, (), rows)
        )

    async def _accepts_safe_rows(self, table: Table, waiting: Sequence[Row], rows: Rows) -> bool:
        """Send safe rows, to find out whether the other rows or the server are the cause."""
        if good := self.known[table].accepted_row(rows[table]):
            return (await self._send(table, (good,))).kind is Kind.ACCEPTED
        # None has been stored yet. A device that names another one has to wait for its turn.
        harmless = [row for row in waiting if table is not Table.DEVICES or not row.depends_on]
        for row in harmless[:: max(1, len(harmless) // KNOWN_GOOD_MAX)][:KNOWN_GOOD_MAX]:
            if (await self._send(table, (row,))).kind is Kind.ACCEPTED:
                self._settle(table, (row,), (), rows)
                return True
        return False

    def _settle(
        self,
        table: Table,
        taken: Sequence[Row],
        rejected: Sequence[tuple[Row, str]],
        rows: Rows,
    ) -> None:
        freed = self.known[table].stored(taken)
        if table is Table.DEVICES:
            self._gone -= freed
        if freed:
            # It accepts rows that it rejected before.
            self.known[table].retry()
        if table is Table.SERVICES:
            self._note_actions(taken, rows)
        if freed and table is Table.DEVICES:
            for dependent in (Table.DEVICES, Table.ENTITIES):
                self.known[dependent].forget_dependents(rows[dependent], freed)
        for row, reason in rejected:
            self.known[table].refuse(row, reason)
        self.sent += len(taken)
        self._settled(len(taken) + len(rejected))

    def _settled(self, rows: int) -> None:
        # What is sent once more was not counted.
        self.pending = max(0, self.pending - rows)

    def _note_actions(self, taken: Sequence[Row], rows: Rows) -> None:
        """Send the entities of a domain again whose actions are others now."""
        names = {row.key: frozenset(row.content) for row in taken}
        changed = {domain for domain in names if names[domain] != self._actions.get(domain)}
        self._actions |= names
        self.known[Table.ENTITIES].forget_entities(rows[Table.ENTITIES], changed)

    def _detaches_now(self, piece: Sequence[Row], batches: Batches) -> bool:
        """Whether a refused row is worth another try, without a device that is not there."""
        device = piece[0].depends_on
        if len(piece) > 1 or device is None:
            return False
        if device in self._gone:
            # It is refused without it, too.
            self._gone.discard(device)
            return False
        if self._lacks_device(piece[0], batches):
            was_tried, self._detaches = self._detaches, True
            return not was_tried
        if device not in self.known[Table.DEVICES].refused:
            return False
        self._gone.add(device)
        return True

    def _lacks_device(self, row: Row, batches: Batches | None = None) -> bool:
        """Whether the device that a row names is not there, since it is refused."""
        key = row.depends_on
        if key is None:
            return False
        known = self.known[Table.DEVICES]
        return known.is_never_stored(key) or bool(
            batches and any(one.key == key for one, _ in batches.suspects)
        )

    def _failed(self, verdict: Result) -> Result:
        if verdict.problem is Problem.TIMEOUT:
            # It may be slow, but available.
            self._size = max(1, self._size // 2)
        if verdict.problem is Problem.BUSY:
            self._rate_limiter.use_up(self.clock())
        return verdict

    async def _send(
        self, table: Table, piece: Sequence[Row], batches: Batches | None = None
    ) -> Result:
        await self._pace()
        if table is Table.SERVICES:
            actions = {row.key: row.content for row in piece}
            return await self._answer(self.client.upsert_services(actions))
        contents = [
            row.content | {_LINKS[table]: None}
            if row.depends_on in self._gone or (self._detaches and self._lacks_device(row, batches))
            else row.content
            for row in piece
        ]
        is_devices = table is Table.DEVICES
        upsert = self.client.upsert_devices if is_devices else self.client.upsert_entities
        return await self._answer(upsert(contents))

    async def _answer(self, request: Awaitable[Result]) -> Result:
        timer = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.on_slow_answer, True)  # noqa: FBT003
        try:
            verdict = await request
        finally:
            timer.cancel()
        if verdict.problem is not Problem.TIMEOUT:
            self.on_slow_answer(False)  # noqa: FBT003
        return verdict

    async def _pace(self) -> None:
        await asyncio.sleep(self._rate_limiter.take(self.clock()))
