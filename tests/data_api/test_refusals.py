"""A row that a data-api refuses stops no other, in whatever form the server says it."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.data_api.requests import Requests
from custom_components.ha_ingestor.data_api.rows import Table, rows_of
from custom_components.ha_ingestor.data_api.transfer import Transfer
from custom_components.ha_ingestor.pipeline.export.result import Kind
from custom_components.ha_ingestor.registry.model import Home
from scripts.rig.data_api import DataApi, Fault
from tests.data_api.strict import device, entity

pytestmark = pytest.mark.usefixtures("socket_enabled")


def _dislikes(row: Mapping[str, Any]) -> str | None:
    return "no" if row.get("name") == "Odd" else None


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Fault(status=500, body="Internal Server Error"), "Internal Server Error"),
        (Fault(status=500), "HTTP 500"),
        (Fault(status=422, body='{"message": "A name is odd"}'), "A name is odd"),
        (Fault(status=422, body='{"title": "A name is odd"}'), "A name is odd"),
        (Fault(status=400, body='[{"msg": "A name is odd"}]'), "A name is odd"),
        (Fault(status=200, body='{"success": false, "error": "A name is odd"}'), "A name is odd"),
    ],
)
async def test_a_row_that_is_refused_in_any_form_is_found(refusal: Fault, reason: str) -> None:
    home = Home(
        devices=(device("a"), device("b", name="Odd"), device("c")),
        entities=(entity("light.x", device_id="a"), entity("light.y", name="Odd")),
        services={"light": {"turn_on": {}}},
    )
    async with DataApi(is_limited=False) as server, aiohttp.ClientSession() as session:
        server.tables.refuse, server.refusal = _dislikes, refusal
        transfer = Transfer(
            requests=Requests(client=DataApiClient(session, server.url), clock=monotonic)
        )
        verdict = await transfer.sync(rows_of(home))
    assert verdict.kind is Kind.ACCEPTED
    assert set(server.tables.devices) == {"a", "c"}
    assert set(server.tables.entities) == {"light.x"}
    assert transfer.known[Table.DEVICES].refused == {"b": reason}
    assert transfer.known[Table.ENTITIES].refused == {"light.y": reason}
