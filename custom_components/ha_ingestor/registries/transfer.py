"""Brings a data-api to what the rows say, as far and as fast as it lets us."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..pipeline.verdict import Kind, Problem, Verdict
from .batches import BATCH_ROWS, Batches
from .known import Known
from .pacer import Pacer
from .rows import DeviceRow, EntityRow, Row, Rows, Table

# One of them may be as bad as what it shall be a witness against.
WITNESSES: Final = 3

ACCEPTED: Final = Verdict(kind=Kind.ACCEPTED, problem=Problem.NONE)


class Client(Protocol):
    """The way to one data-api. Never raises for what network or server do."""

    async def probe(self) -> Verdict: ...
    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Verdict: ...
    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Verdict: ...
    async def upsert_services(self, services: Mapping[str, Any]) -> Verdict: ...
    async def device_ids(self) -> set[str] | None: ...
    async def entity_ids(self) -> set[str] | None: ...


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Sends what changed since it was last stored, and remembers what the server said to it."""

    client: Client
    clock: Callable[[], float]
    known: Mapping[Table, Known] = field(
        default_factory=lambda: {table: Known() for table in Table}
    )
    sent: int = 0
    pending: int = 0
    unchanged: int = 0
    _pacer: Pacer = field(default_factory=Pacer)
    _size: int = BATCH_ROWS

    def forget(self) -> None:
        """Send everything again."""
        for known in self.known.values():
            known.forget()

    async def probe(self) -> Verdict:
        """Ask whether the server is there."""
        await self._pace()
        return await self.client.probe()

    async def look_for_lingering(self) -> None:
        """See what the server has of earlier days, which nobody can delete there row by row."""
        listings = {Table.DEVICES: self.client.device_ids, Table.ENTITIES: self.client.entity_ids}
        for table, listing in listings.items():
            await self._pace()
            if (stored := await listing()) is not None:
                self.known[table].lingering = stored

    async def bring(self, rows: Rows) -> Verdict:
        """Send what changed, until all is settled or there is trouble: that is returned."""
        for table in Table:
            self.known[table].keep(rows[table])
        self.pending = sum(len(self.known[table].changed(rows[table])) for table in Table)
        self.unchanged = sum(map(len, rows.values())) - self.pending
        for table in Table:
            # A device that was refused may be taken now: then its own are sent once more.
            while changed := self.known[table].changed(rows[table]):
                verdict = await self._bring_table(table, changed, rows)
                if verdict.kind is not Kind.ACCEPTED:
                    return verdict
        self.pending = 0
        self._size = min(BATCH_ROWS, self._size * 2)
        return ACCEPTED

    async def _bring_table(self, table: Table, changed: list[Row], rows: Rows) -> Verdict:
        known = self.known[table]
        batches = Batches.of(changed, size=self._size, alone=known.refused)
        while batches.current:
            verdict = await self._send(table, batches.current)
            match verdict.kind:
                case Kind.ACCEPTED:
                    taken, convicted = batches.accepted()
                    self._settle(table, taken, convicted, rows)
                case Kind.POISON:
                    batches.refused(verdict.detail)
                case Kind.SIZE:
                    batches.too_large(verdict.detail)
                case _ if table is Table.SERVICES and verdict.problem is Problem.NOT_A_DATABASE:
                    # Older servers have no such table, until the next time everything is sent.
                    known.stored(changed)
                    self.pending -= len(changed)
                    return ACCEPTED
                case _:
                    return self._trouble(verdict)
            if batches.is_storm:
                break
        if batches.suspects and not await self._is_sane(table, batches, rows):
            return Verdict(
                kind=Kind.KEPT, problem=Problem.SERVER_ERROR, detail=batches.suspects[0][1]
            )
        self._settle(table, (), batches.convict(), rows)
        return ACCEPTED

    async def _is_sane(self, table: Table, batches: Batches, rows: Rows) -> bool:
        """Send rows that should do no harm, to know whether the others or the server fail."""
        if witness := self.known[table].witness(rows[table]):
            return (await self._send(table, (witness,))).kind is Kind.ACCEPTED
        # None has been stored yet. A device that names another one has to wait for its turn.
        harmless = [
            row for row in batches.waiting if table is not Table.DEVICES or not row.depends_on
        ]
        for row in harmless[:: max(1, len(harmless) // WITNESSES)][:WITNESSES]:
            if (await self._send(table, (row,))).kind is Kind.ACCEPTED:
                self._settle(table, (row,), (), rows)
                return True
        return False

    def _settle(
        self,
        table: Table,
        taken: Sequence[Row],
        convicted: Sequence[tuple[Row, str]],
        rows: Rows,
    ) -> None:
        freed = self.known[table].stored(taken)
        if freed and table is Table.DEVICES:
            for dependent in (Table.DEVICES, Table.ENTITIES):
                self.known[dependent].forget_dependents(rows[dependent], freed)
        for row, reason in convicted:
            self.known[table].refuse(row, reason)
        self.sent += len(taken)
        self.pending -= len(taken) + len(convicted)

    def _trouble(self, verdict: Verdict) -> Verdict:
        if verdict.problem is Problem.TIMEOUT:
            # It may be slow rather than gone.
            self._size = max(1, self._size // 2)
        if verdict.problem is Problem.BUSY:
            self._pacer.empty(self.clock())
        return verdict

    async def _send(self, table: Table, piece: Sequence[Row]) -> Verdict:
        await self._pace()
        match table:
            case Table.DEVICES:
                return await self.client.upsert_devices([row.content for row in piece])
            case Table.ENTITIES:
                return await self.client.upsert_entities([row.content for row in piece])
            case Table.SERVICES:
                return await self.client.upsert_services({row.key: row.content for row in piece})

    async def _pace(self) -> None:
        await asyncio.sleep(self._pacer.take(self.clock()))
