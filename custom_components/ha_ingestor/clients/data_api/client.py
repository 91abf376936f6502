"""The client of HomeIQ's data-api: devices, entities and actions as rows, in JSON over HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from ...pipeline.export.result import Kind, Result
from ..address import normalize
from ..encoding import encode
from ..exchange import BODY_MAX, CHECK_TIMEOUT, Reply, exchange
from .rows import DeviceRow, EntityRow
from .verdict import classify_read_reply, classify_reply, listed

# Before it answers, the server classifies devices and asks Home Assistant about entities.
UPSERT_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=10)
# At 2 KiB for a row.
LISTING_MAX: Final = 20 * 1024 * 1024
# Little less than the server lists. It answers each limit from a cache for five minutes, so our
# limit must differ from those of other clients, which use round numbers and the maximum.
DEVICES_MAX: Final = 997
ENTITIES_MAX: Final = 9973
PROBE_LIMIT: Final = 17


class DataApiClient:
    """The client of one data-api, on a shared session. A network error is a verdict."""

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
        self._secrets = (api_key,) if api_key else ()
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def probe(self) -> Result:
        """Check that a data-api answers here (no key needed) and accepts the key."""
        health = classify_read_reply(await self._get("health"))
        if health.kind is not Kind.ACCEPTED:
            return health
        listing = await self._get("api/devices", {"limit": str(PROBE_LIMIT)})
        return classify_read_reply(listing, "devices")

    async def upsert_devices(self, rows: Sequence[DeviceRow]) -> Result:
        """Store all rows, or none if one is rejected."""
        return classify_reply(await self._upsert("devices", rows), len(rows))

    async def upsert_entities(self, rows: Sequence[EntityRow]) -> Result:
        """Store all of these or none; a reference to an unknown device is removed."""
        return classify_reply(await self._upsert("entities", rows), len(rows))

    async def upsert_services(self, services: Mapping[str, Any]) -> Result:
        """Store the actions, by domain and name; old servers cannot."""
        return classify_reply(await self._upsert("services", services))

    async def device_ids(self) -> set[str] | None:
        """List what was stored when this was last asked, or five minutes ago; None if not known."""
        return await self._ids("devices", "device_id", DEVICES_MAX)

    async def entity_ids(self) -> set[str] | None:
        """List what is stored; None if that is too much or fails."""
        return await self._ids("entities", "entity_id", ENTITIES_MAX)

    async def _ids(self, table: str, key: str, most: int) -> set[str] | None:
        reply = await self._get(f"api/{table}", {"limit": str(most)}, LISTING_MAX)
        # Large bodies are parsed outside of the event loop.
        rows = await asyncio.to_thread(listed, reply, table)
        if rows is None or len(rows) >= most:
            return None
        ids = [found for row in rows if isinstance(found := row.get(key), str)]
        # In a list of something else a row has none.
        return set(ids) if len(ids) == len(rows) else None

    async def _get(
        self, path: str, query: Mapping[str, str] | None = None, body_max: int = BODY_MAX
    ) -> Reply:
        return await exchange(
            self._session,
            "GET",
            (self._root / path).with_query(query),
            ssl=self._ssl,
            timeout=CHECK_TIMEOUT,
            headers=self._headers,
            body_max=body_max,
            secrets=self._secrets,
        )

    async def _upsert(self, table: str, content: Any) -> Reply:
        # Many rows, or all actions, are encoded outside of the event loop.
        data = await asyncio.to_thread(encode, content)
        return await exchange(
            self._session,
            "POST",
            self._root / f"internal/{table}/bulk_upsert",
            ssl=self._ssl,
            timeout=UPSERT_TIMEOUT,
            headers={**self._headers, "Content-Type": "application/json"},
            data=data,
            secrets=self._secrets,
        )
