"""Requests to a data-api, within its rate limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..clients.data_api.rows import DeviceRow, EntityRow
from ..pipeline.export.result import Problem, Result
from .rate_limiter import RateLimiter
from .rows import Row, Table

# A request may take seconds; a longer one is shown as no answer.
SLOW_SECONDS: Final = 12.0


class Client(Protocol):
    """The client of one data-api. Never raises for errors of network or server."""

    async def probe(self) -> Result: ...
    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Result: ...
    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Result: ...
    async def upsert_services(self, services: Mapping[str, Any]) -> Result: ...
    async def device_ids(self) -> set[str] | None: ...
    async def entity_ids(self) -> set[str] | None: ...


@dataclass(slots=True, kw_only=True)
class Requests:
    """One request after the other. `clock` is monotonic.

    `on_slow_answer` is called when an answer is late, and when answers arrive again.
    """

    client: Client
    clock: Callable[[], float]
    on_slow_answer: Callable[[bool], None] = lambda _is_answer_slow: None
    _rate_limiter: RateLimiter = field(default_factory=RateLimiter)

    async def probe(self) -> Result:
        """Ask whether the server is there."""
        await self._pace()
        return await self._answer(self.client.probe())

    async def upsert(self, table: Table, rows: Sequence[Row]) -> Result:
        """Send rows of one table."""
        await self._pace()
        if table is Table.SERVICES:
            actions = {row.key: row.content for row in rows}
            return await self._answer(self.client.upsert_services(actions))
        is_devices = table is Table.DEVICES
        upsert = self.client.upsert_devices if is_devices else self.client.upsert_entities
        return await self._answer(upsert([row.content for row in rows]))

    async def keys(self, table: Table) -> set[str] | None:
        """Read which devices or entities are stored; None where the server does not say."""
        await self._pace()
        is_devices = table is Table.DEVICES
        return await (self.client.device_ids() if is_devices else self.client.entity_ids())

    def note_busy(self) -> None:
        """Note that the server gets more requests than it allows."""
        self._rate_limiter.use_up(self.clock())

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
