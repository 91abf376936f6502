"""A data-api without a network, and time that only passes where somebody waits for it."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from custom_components.ha_ingestor.clients.data_api.rows import DeviceRow, EntityRow
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.registry.model import Device, Entity
from scripts.rig.data_api.tables import RefusedError, Tables

OK = Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
DOWN = Result(kind=Kind.KEPT, problem=Problem.UNREACHABLE)
UNKNOWN = Result(kind=Kind.BLOCKED, problem=Problem.INVALID_AUTH)
TOO_LARGE = Result(kind=Kind.TOO_LARGE, problem=Problem.TOO_LARGE)
TIMEOUT = Result(kind=Kind.KEPT, problem=Problem.TIMEOUT)
PAGE = Result(kind=Kind.KEPT, problem=Problem.PROXY)
SOMEBODY_ELSE = Result(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE)
REFUSED = Result(kind=Kind.REJECTED, problem=Problem.REJECTED, detail="no such table")
BROKEN = Result(kind=Kind.KEPT, problem=Problem.SERVER_ERROR)


def device(device_id: str, name: str = "", **more: Any) -> Device:
    return Device(device_id=device_id, name=name or device_id, **more)


def entity(entity_id: str, **more: Any) -> Entity:
    return Entity(**{"entity_id": entity_id, "registry_id": entity_id, "platform": "hue"} | more)


@dataclass
class StrictApi:
    """Its tables refuse what the real ones would. `verdicts` come first; `down` lasts.

    `hangs` is how long each answer takes; `services` is what it says to actions, if not stored.
    """

    tables: Tables = field(default_factory=Tables)
    verdicts: deque[Result] = field(default_factory=deque)
    down: Result | None = None
    rows_max: int = 10_000
    has_services: bool = True
    services: Result | None = None
    hangs: float = 0.01
    sent: list[tuple[str, list[str]]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    probes: int = 0

    @property
    def requests(self) -> list[int]:
        return [len(keys) for _, keys in self.sent]

    async def probe(self) -> Result:
        self.probes += 1
        await asyncio.sleep(self.hangs)
        return self.down or OK

    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Result:
        keys = [row["device_id"] for row in rows]
        return await self._upsert("devices", keys, self.tables.upsert_devices, rows)

    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Result:
        keys = [row["entity_id"] for row in rows]
        return await self._upsert("entities", keys, self.tables.upsert_entities, rows)

    async def upsert_services(self, services: Mapping[str, Any]) -> Result:
        if not self.has_services:
            return Result(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE)
        return await self._upsert("services", [*services], self.tables.upsert_services, services)

    async def device_ids(self) -> set[str] | None:
        self.asked.append(("devices", len(self.sent)))
        return None if self.down else set(self.tables.devices)

    async def entity_ids(self) -> set[str] | None:
        self.asked.append(("entities", len(self.sent)))
        return None if self.down else set(self.tables.entities)

    async def _upsert(self, table: str, keys: list[str], store: Any, content: Any) -> Result:
        self.sent.append((table, keys))
        await asyncio.sleep(self.hangs)
        if self.down:
            return self.down
        if table == "services" and self.services:
            return self.services
        if self.verdicts and (verdict := self.verdicts.popleft()) is not OK:
            return verdict
        if len(keys) > self.rows_max:
            return TOO_LARGE
        try:
            store(content)
        except RefusedError as err:
            return Result(kind=Kind.REJECTED, problem=Problem.REJECTED, detail=str(err))
        return OK


class EagerTime(asyncio.SelectorEventLoop):
    """Time moves on at once when every task waits."""

    def __init__(self) -> None:
        super().__init__()
        self._later = 0.0

    def time(self) -> float:
        return self._later

    def _run_once(self) -> None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if not self._ready:  # type: ignore[attr-defined]
            waited_for = (timer.when() for timer in timers if not timer.cancelled())
            self._later = max(self._later, min(waited_for, default=0.0))
        super()._run_once()  # type: ignore[misc]


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to the end, in no time."""
    with asyncio.Runner(loop_factory=EagerTime) as runner:
        return runner.run(coroutine)


def now() -> float:
    return asyncio.get_running_loop().time()
