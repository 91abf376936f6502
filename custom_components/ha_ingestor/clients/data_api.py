"""The door to HomeIQ's data-api: devices, entities and actions as rows, in JSON over HTTP."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from ..pipeline.verdict import Kind, Verdict
from ..registries.rows import DeviceRow, EntityRow
from .address import normalize
from .data_api_verdict import judge, judge_reading, listed
from .exchange import BODY_MAX, CHECK_TIMEOUT, SECRET_MIN, Reply, exchange

# Before it answers, the server classifies devices and asks Home Assistant about entities.
UPSERT_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=10)
# The most that the server lists, at 2 KiB each.
LISTING_MAX: Final = 20 * 1024 * 1024
DEVICES_MAX: Final = 1000
ENTITIES_MAX: Final = 10_000


class DataApiClient:
    """Talks to one data-api on a session it does not own. Network trouble is a verdict."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        api_key: str = "",
        ssl: bool | SSLContext = True,
    ) -> None:
        """Prepare; raises AddressError. Without a key none is sent."""
        self._session = session
        self._root = URL(normalize(url))
        self._ssl = ssl
        self._secret = api_key
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def probe(self) -> Verdict:
        """Find out whether a data-api answers here (anybody may ask), and takes this key."""
        health = judge_reading(await self._ask("health"))
        if health.kind is not Kind.ACCEPTED:
            return health
        return judge_reading(await self._ask("api/devices", {"limit": "1"}), "devices")

    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Verdict:
        """Store all of these or, if it does not like one, none."""
        return judge(await self._upsert("devices", rows), len(rows))

    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Verdict:
        """Store all of these or none; those of a device it does not know lose it."""
        return judge(await self._upsert("entities", rows), len(rows))

    async def upsert_services(self, services: Mapping[str, Any]) -> Verdict:
        """Store what actions there are, by domain and name; old servers do not know how."""
        return judge(await self._upsert("services", services))

    async def device_ids(self) -> set[str] | None:
        """List what is stored, perhaps five minutes ago; None if that is too much or fails."""
        return await self._ids("devices", "device_id", DEVICES_MAX)

    async def entity_ids(self) -> set[str] | None:
        """List what is stored; None if that is too much or fails."""
        return await self._ids("entities", "entity_id", ENTITIES_MAX)

    async def _ids(self, table: str, key: str, most: int) -> set[str] | None:
        reply = await self._ask(f"api/{table}", {"limit": str(most)}, LISTING_MAX)
        # Megabytes are parsed elsewhere than in the event loop.
        rows = await asyncio.to_thread(listed, reply, table)
        return None if rows is None or len(rows) >= most else {str(row.get(key)) for row in rows}

    async def _ask(
        self, path: str, query: Mapping[str, str] | None = None, body_max: int = BODY_MAX
    ) -> Reply:
        return self._redacted(
            await exchange(
                self._session,
                "GET",
                (self._root / path).with_query(query),
                ssl=self._ssl,
                timeout=CHECK_TIMEOUT,
                headers=self._headers,
                body_max=body_max,
            )
        )

    async def _upsert(self, table: str, content: Any) -> Reply:
        return self._redacted(
            await exchange(
                self._session,
                "POST",
                self._root / f"internal/{table}/bulk_upsert",
                ssl=self._ssl,
                timeout=UPSERT_TIMEOUT,
                headers={**self._headers, "Content-Type": "application/json"},
                data=json.dumps(content, allow_nan=False).encode(),
            )
        )

    def _redacted(self, reply: Reply) -> Reply:
        if len(self._secret) < SECRET_MIN or self._secret not in reply.body:
            return reply
        # Nothing known echoes it, but the beginning of the body is shown to people.
        return replace(reply, body=reply.body.replace(self._secret, "**REDACTED**"))
