"""Sends the changed rows to a data-api, within its rate limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..clients.data_api.problem import NOT_A_DATA_API
from ..pipeline.export.result import Kind, Problem, Result
from .batches import BATCH_ROWS, Batches
from .missing_devices import MissingDevices, Suspects
from .requests import Requests
from .rows import Row, Rows, Table
from .sent_rows import SentRows

# Any of them may be bad itself.
KNOWN_GOOD_MAX: Final = 3
# So many refused rows are tried again at a time, as long as none of them is taken.
RETRIED: Final = 20

# What may be about the actions only: devices and entities are sent all the same.
_OF_ACTIONS_ONLY: Final = frozenset(
    {Problem.SERVER_ERROR, Problem.TIMEOUT, Problem.PROXY, NOT_A_DATA_API}
)
# Which other tables show that the server takes rows.
_TOLD_BY: Final[Mapping[Table, Sequence[Table]]] = {
    Table.SERVICES: (),
    Table.DEVICES: (Table.SERVICES, Table.ENTITIES),
    Table.ENTITIES: (Table.DEVICES,),
}

ACCEPTED: Final = Result(kind=Kind.ACCEPTED, problem=Problem.NONE)


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Sends changed rows, and stores the server's result for each.

    A row on the server is not stale while `is_awaited` says that its home was not read so far.
    """

    requests: Requests
    is_awaited: Callable[[str], bool] = lambda _key: False
    known: Mapping[Table, SentRows] = field(
        default_factory=lambda: {table: SentRows() for table in Table}
    )
    sent: int = 0
    pending: int = 0
    unchanged: int = 0
    _size: int = BATCH_ROWS
    _missing: MissingDevices = field(init=False)
    # The names of the actions of each domain that entities were stored with.
    _actions: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with no device that is missing."""
        self._missing = MissingDevices(devices=self.known[Table.DEVICES])

    def forget(self) -> None:
        """Send everything again."""
        self._missing.forget()
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
        return await self.requests.probe()

    async def find_stale(self) -> None:
        """Find stale rows on the server, which has no request to delete single rows.

        It answers from a cache: so it is read only after everything is stored.
        """
        for table in (Table.DEVICES, Table.ENTITIES):
            if (stored := await self.requests.keys(table)) is not None:
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
        detached = {row.key for row in changed if is_entities and self._missing.lacks_device(row)}
        batches = Batches.of(changed, size=self._size, apart=detached, alone=known.refused)
        while piece := batches.current:
            verdict = await self._send(table, piece, batches.suspects)
            match verdict.kind:
                case Kind.ACCEPTED:
                    taken, rejected = batches.accepted()
                    self._settle(table, taken, rejected, rows)
                case Kind.REJECTED:
                    if not self._missing.is_worth_another_try(piece, batches.suspects):
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
        if batches.waiting:
            return False
        # Where every row is refused, none can tell, but those of other tables.
        for other in _TOLD_BY[table]:
            alone = [] if other is not Table.ENTITIES else _alone(rows[other])
            if await self._accepts_safe_rows(other, alone, rows):
                return True
        return False

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
            self._missing.found(freed)
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

    def _failed(self, verdict: Result) -> Result:
        if verdict.problem is Problem.TIMEOUT:
            # It may be slow, but available.
            self._size = max(1, self._size // 2)
        if verdict.problem is Problem.BUSY:
            self.requests.note_busy()
        return verdict

    async def _send(self, table: Table, piece: Sequence[Row], suspects: Suspects = ()) -> Result:
        rows = [self._missing.as_sent(table, row, suspects) for row in piece]
        return await self.requests.upsert(table, rows)


def _alone(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that name no device, which may be refused."""
    return [row for row in rows if row.depends_on is None]
