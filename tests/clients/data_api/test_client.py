"""What the data-api answers, and what the client makes of it."""

import json
import threading
from collections.abc import AsyncIterator
from html import escape
from typing import Any, cast
from urllib.parse import quote, quote_plus, unquote_plus

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.address import AddressError
from custom_components.ha_ingestor.clients.data_api import client as data_api
from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.clients.data_api.rows import DeviceRow, EntityRow
from custom_components.ha_ingestor.clients.data_api.verdict import classify_reply
from custom_components.ha_ingestor.clients.exchange import Reply
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from scripts.rig.data_api import DataApi, Era, Fault
from tests.emulator import V2_7, Emulator
from tests.shell import NOWHERE

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY = "a-secret-key"
PAGE = Fault(
    status=200, body="<html><body>Log in</body></html>", headers={"Content-Type": "text/html"}
)


def device(device_id: str, **changes: Any) -> DeviceRow:
    row: Any = dict.fromkeys(DeviceRow.__annotations__) | {"labels": []}
    return cast("DeviceRow", row | {"device_id": device_id, "name": device_id} | changes)


def entity(entity_id: str, **changes: Any) -> EntityRow:
    row: Any = dict.fromkeys(EntityRow.__annotations__)
    row |= {"platform": "hue", "aliases": [], "labels": [], "options": {}}
    return cast("EntityRow", row | {"entity_id": entity_id} | changes)


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(name="era", params=Era)
def _era(request: pytest.FixtureRequest) -> Era:
    era: Era = request.param
    return era


@pytest.fixture(name="server")
async def _server(era: Era) -> AsyncIterator[DataApi]:
    async with DataApi(era=era, has_services=True, is_limited=False) as server:
        yield server


@pytest.fixture(name="client")
def _client(session: aiohttp.ClientSession, server: DataApi) -> DataApiClient:
    return DataApiClient(session, server.url)


async def test_what_is_stored_can_be_read_back(client: DataApiClient, server: DataApi) -> None:
    rows = [device("a", model="M"), device("b", via_device_id="a")]
    assert (await client.upsert_devices(rows)).kind is Kind.ACCEPTED
    assert (await client.upsert_entities([entity("light.x", device_id="b")])).kind is Kind.ACCEPTED

    assert server.tables.devices["a"]["model"] == "M"
    assert server.tables.entities["light.x"]["device_id"] == "b"
    assert await client.device_ids() == {"a", "b"}
    assert await client.entity_ids() == {"light.x"}


async def test_actions_are_stored_by_domain_and_name(
    client: DataApiClient, server: DataApi
) -> None:
    services = {"light": {"turn_on": {"fields": {}, "name": "On"}, "turn_off": {"fields": {}}}}
    assert (await client.upsert_services(services)).kind is Kind.ACCEPTED
    assert server.tables.services["light", "turn_on"]["name"] == "On"


async def test_a_key_is_sent_only_where_there_is_one(
    session: aiohttp.ClientSession, server: DataApi
) -> None:
    await DataApiClient(session, server.url).upsert_devices([])
    assert "Authorization" not in server.seen[-1].headers
    await DataApiClient(session, server.url, api_key=KEY).upsert_devices([])
    assert server.seen[-1].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("key", "problem"), [(KEY, Problem.NONE), ("", Problem.INVALID_AUTH)])
async def test_the_probe_tells_a_wrong_key(
    session: aiohttp.ClientSession, server: DataApi, key: str, problem: Problem
) -> None:
    server.api_key = KEY
    assert (await DataApiClient(session, server.url, api_key=key).probe()).problem is problem
    wrong = await DataApiClient(session, server.url, api_key="something else").probe()
    assert (wrong.kind, wrong.problem) == (Kind.BLOCKED, Problem.INVALID_AUTH)


async def test_the_probe_tells_an_unreachable_address_from_another_service(
    session: aiohttp.ClientSession,
) -> None:
    nobody = await DataApiClient(session, NOWHERE).probe()
    assert (nobody.kind, nobody.problem) == (Kind.KEPT, Problem.UNREACHABLE)
    async with Emulator(profile=V2_7) as influxdb:
        other = await DataApiClient(session, influxdb.url).probe()
    assert (other.kind, other.problem) == (Kind.BLOCKED, Problem.NOT_A_DATABASE)


@pytest.mark.parametrize(
    "impostor", [PAGE, Fault(status=200, body="[]"), Fault(status=404, body='{"detail": "no"}')]
)
async def test_the_probe_tells_a_wrong_service_from_a_page(
    client: DataApiClient, server: DataApi, impostor: Fault
) -> None:
    server.impostor = impostor
    verdict = await client.probe()
    is_page = impostor is PAGE
    assert verdict.problem is (Problem.PROXY if is_page else Problem.NOT_A_DATABASE)
    assert verdict.kind is (Kind.KEPT if is_page else Kind.BLOCKED)


@pytest.mark.parametrize("body", ["", "OK", "<p>Please wait", '{"cut', "\x00\xff"])
async def test_the_probe_waits_for_what_is_no_answer_of_any_service(
    client: DataApiClient, server: DataApi, body: str
) -> None:
    server.impostor = Fault(status=200, body=body)
    verdict = await client.probe()
    assert (verdict.kind, verdict.problem) == (Kind.KEPT, Problem.PROXY)


async def test_the_probe_refuses_an_answer_without_a_list_of_devices(
    client: DataApiClient, server: DataApi
) -> None:
    server.impostor = Fault(status=200, body='{"status": "healthy", "devices": "many"}')
    assert (await client.probe()).problem is Problem.NOT_A_DATABASE


@pytest.mark.parametrize(
    ("fault", "kind", "problem"),
    [
        (Fault(status=500, body="Internal Server Error"), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=500), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=500, body="<html>Down"), Kind.KEPT, Problem.SERVER_ERROR),
        (Fault(status=500, body='{"detail": "Failed"}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=500, body='{"error": {"code": "X"}}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=500, body='{"success": false}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=500, body='{"error": null}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=422, body='{"detail": [{}]}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=422, body='{"error": {"code": "X"}}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=400, body='{"error": {"code": "X"}}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=409, body='{"error": {"code": "X"}}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=503, body='{"error": "busy"}'), Kind.KEPT, Problem.BUSY),
        (Fault(status=502, body='{"error": "gone"}'), Kind.KEPT, Problem.SERVER_ERROR),
        (Fault(status=422, body="no"), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=422, body='[{"msg": "no"}]'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=422, body='{"errors": []}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=422, body="<html>No"), Kind.KEPT, Problem.PROXY),
        (Fault(status=409, body='{"message": "no"}'), Kind.REJECTED, Problem.REJECTED),
        (Fault(status=409, body="no"), Kind.KEPT, Problem.PROXY),
        (Fault(status=502, body="<html>"), Kind.KEPT, Problem.SERVER_ERROR),
        (Fault(status=503), Kind.KEPT, Problem.BUSY),
        (Fault(status=429, body="{}"), Kind.KEPT, Problem.BUSY),
        (Fault(status=413), Kind.TOO_LARGE, Problem.TOO_LARGE),
        (Fault(status=400, body="Bad request"), Kind.KEPT, Problem.PROXY),
        (Fault(status=401), Kind.BLOCKED, Problem.INVALID_AUTH),
        (Fault(status=403), Kind.BLOCKED, Problem.FORBIDDEN),
        (Fault(status=404), Kind.BLOCKED, Problem.NOT_A_DATABASE),
        (Fault(status=302, headers={"Location": "/login"}), Kind.BLOCKED, Problem.REDIRECT),
        (PAGE, Kind.KEPT, Problem.PROXY),
        (Fault(status=200, body='{"success": tr'), Kind.KEPT, Problem.PROXY),
        (Fault(status=200, body='{"success": true}'), Kind.KEPT, Problem.PROXY),
        (
            Fault(status=200, body='{"success": false, "upserted": 1}'),
            Kind.REJECTED,
            Problem.REJECTED,
        ),
        (Fault(status=200, body='{"code": 401, "message": "no"}'), Kind.KEPT, Problem.PROXY),
        (Fault(status=201, body='{"success": true, "upserted": 1}'), Kind.ACCEPTED, Problem.NONE),
        (Fault(status=201, body='{"success": true}'), Kind.KEPT, Problem.PROXY),
        (Fault(status=202, body='{"success": true, "upserted": 1}'), Kind.KEPT, Problem.PROXY),
        (Fault(status=200, body='{"success": true, "upserted": true}'), Kind.KEPT, Problem.PROXY),
        (Fault(status=200, body='{"success": true, "upserted": 2}'), Kind.KEPT, Problem.PROXY),
        (
            Fault(status=200, body='{"success": true, "upserted": 0}'),
            Kind.REJECTED,
            Problem.REJECTED,
        ),
        (Fault(status=204), Kind.KEPT, Problem.PROXY),
        (Fault(kind="truncate", status=200, body="{}"), Kind.KEPT, Problem.UNREACHABLE),
        (Fault(kind="reset"), Kind.KEPT, Problem.UNREACHABLE),
    ],
)
async def test_every_fault_of_the_data_api_has_a_verdict(
    client: DataApiClient, server: DataApi, fault: Fault, kind: Kind, problem: Problem
) -> None:
    server.faults.append(fault)
    verdict = await client.upsert_devices([device("a")])
    assert (verdict.kind, verdict.problem) == (kind, problem)


async def test_a_server_that_does_not_answer_is_a_timeout(
    client: DataApiClient, server: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_api, "UPSERT_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    server.faults.append(Fault(kind="hang"))
    verdict = await client.upsert_devices([device("a")])
    assert (verdict.kind, verdict.problem) == (Kind.KEPT, Problem.TIMEOUT)


async def test_the_server_says_how_long_to_wait(client: DataApiClient, server: DataApi) -> None:
    server.faults.append(Fault(status=429, headers={"Retry-After": "7"}))
    assert (await client.upsert_devices([])).retry_after == 7


async def test_the_reason_of_a_refusal_is_its_words_without_the_values(
    client: DataApiClient, era: Era
) -> None:
    verdict = await client.upsert_devices([device("a", name=None)])
    assert verdict.kind is Kind.REJECTED
    assert verdict.detail == (
        "Failed to bulk upsert devices: null value in column "
        '"name" of relation "devices" violates not-null constraint'
        if era is Era.TODAY
        else "Failed to bulk upsert devices: (sqlite3.IntegrityError) "
        "NOT NULL constraint failed: devices.name"
    )


async def test_what_is_no_row_is_refused_in_words(client: DataApiClient) -> None:
    verdict = await client.upsert_devices(cast("Any", ["no row"]))
    assert (verdict.kind, verdict.detail) == (Kind.REJECTED, "Input is not valid (body)")


@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"code": "DatabaseError", "message": "no such table"}}',
        '{"success": false, "error": "no such table", "error_code": "HTTP_500"}',
        '{"detail": "no such table"}',
        '{"detail": {"error": {"message": "no such table"}}}',
        '{"title": "no such table", "status": 500}',
        '{"errors": [{"msg": "no such table"}]}',
        '[{"msg": "no such table"}]',
        "no such table",
        '{"detail": "no such table\\n[SQL: SELECT 1]\\n[parameters: (\'x\',)]"}',
    ],
)
async def test_the_words_of_an_error_are_found_in_every_shape(
    client: DataApiClient, server: DataApi, body: str
) -> None:
    server.faults.append(Fault(status=500, body=body))
    verdict = await client.upsert_devices([device("a")])
    assert (verdict.kind, verdict.detail) == (Kind.REJECTED, "no such table")


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (PAGE, "An HTML page (HTTP 200)"),
        (Fault(status=502, body="<html><img src=//x></html>"), "An HTML page (HTTP 502)"),
        (Fault(status=500, body="Internal\n Server  Error"), "Internal Server Error"),
        (Fault(status=500, body="x" * 1000), "x" * 300),
        (Fault(status=500), "HTTP 500"),
        (
            Fault(status=500, body='{"detail": "<img src=//x>no <b>table</b> 1 < 2"}'),
            "no table 1 < 2",
        ),
        (Fault(status=500, body="<p>oh</p>\n<script>alert(1)</script>"), "oh alert(1)"),
    ],
)
async def test_a_page_of_a_proxy_is_reported_without_its_text(
    client: DataApiClient, server: DataApi, fault: Fault, detail: str
) -> None:
    server.faults.append(fault)
    assert (await client.upsert_devices([device("a")])).detail == detail


async def test_requests_of_the_client_do_not_fill_the_cache_of_the_server(
    client: DataApiClient, session: aiohttp.ClientSession, server: DataApi
) -> None:
    """The server answers each limit from a cache for five minutes."""

    async def listed(limit: int | None) -> int:
        query = {} if limit is None else {"limit": str(limit)}
        async with session.get(f"{server.url}/api/devices", params=query) as reply:
            return int((await reply.json())["count"])

    await client.probe()
    await client.device_ids()
    await client.upsert_devices([device("a")])
    # Round numbers and the ends are what people and programs ask for.
    for limit in (None, *range(1, 11), *range(12, 100, 2), *range(15, 1001, 5), 999):
        assert await listed(limit) == 1, limit
    await client.upsert_devices([device("b")])
    assert await listed(999) == 1  # there is a cache


async def test_rows_are_encoded_outside_the_event_loop(
    session: aiohttp.ClientSession, server: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    def dumps(content: Any) -> bytes:
        threads.add(threading.current_thread())
        return json.dumps(content).encode()

    monkeypatch.setattr(data_api, "encode", dumps)
    client = DataApiClient(session, server.url)
    assert (await client.upsert_devices([device("a")])).kind is Kind.ACCEPTED
    assert (await client.upsert_services({"light": {"on": {}}})).kind is Kind.ACCEPTED
    assert threads
    assert threading.current_thread() not in threads


async def test_a_number_that_orjson_refuses_is_sent_all_the_same(
    session: aiohttp.ClientSession, server: DataApi
) -> None:
    client = DataApiClient(session, server.url)
    row = entity("light.x", options={"number": 2**70})
    assert (await client.upsert_entities([row])).kind is Kind.ACCEPTED
    assert server.tables.entities["light.x"]["options"] == {"number": 2**70}


async def test_an_echoed_key_is_shown_to_nobody(
    session: aiohttp.ClientSession, server: DataApi
) -> None:
    server.faults.append(Fault(status=500, body=json.dumps({"detail": f"Bearer {KEY}?"})))
    client = DataApiClient(session, server.url, api_key=KEY)
    assert (await client.upsert_devices([])).detail == "Bearer **REDACTED**?"


AWKWARD = ("a/b+secret==key1", "pass word<&>'\"\\x", "sch\u00f6n-und-geheim", "100%25-secret")


def spelled(key: str) -> dict[str, Fault]:
    """Return replies that repeat a key as servers do."""
    in_json = json.dumps(key)[1:-1]
    headers = {"Content-Type": "application/json"}
    bodies = {
        "as it is": json.dumps({"error": f"bad key {key}"}, ensure_ascii=False),
        "in ASCII": json.dumps({"error": f"bad key {key}"}),
        "in an address": json.dumps({"error": f"bad key {quote(key, safe='')}"}),
        "in a path": json.dumps({"error": f"bad key {quote(key)}"}),
        "in a query": json.dumps({"error": f"bad key {quote_plus(key)}"}),
        "in small letters": json.dumps({"error": f"bad key {quote(key, safe='').lower()}"}),
        "with slashes": f'{{"error":"bad key {in_json.replace("/", chr(92) + "/")}"}}',
        "cut": f'{{"error":"bad key {in_json}',
        "cut, with slashes": f'{{"error":"bad key {in_json.replace("/", chr(92) + "/")}',
        "as text": f"bad key {key}",
        "as HTML": f"bad key {escape(key)}",
        "twice in JSON": json.dumps({"error": json.dumps({"why": f"bad key {key}"})}),
    }
    return {
        **{name: Fault(status=401, body=body, headers=headers) for name, body in bodies.items()},
        **{
            f"redirect {safe!r}": Fault(
                status=302,
                body="",
                headers={"Location": f"http://login.example/{quote(key, safe=safe)}/x"},
            )
            for safe in ("", "/", "/+=")
        },
    }


@pytest.mark.parametrize("key", AWKWARD)
@pytest.mark.parametrize("spelling", spelled("x"))
async def test_a_key_is_shown_to_nobody_however_a_server_spells_it(
    session: aiohttp.ClientSession, server: DataApi, key: str, spelling: str
) -> None:
    if not key.isascii() and spelling == "in small letters":
        key = key.lower()
    client = DataApiClient(session, server.url, api_key=key)
    server.faults.append(spelled(key)[spelling])
    detail = (await client.upsert_devices([])).detail
    assert "**REDACTED**" in detail
    for shown in (detail, unquote_plus(detail), detail.replace("\\", "")):
        assert key not in shown
        assert key[-8:] not in shown


async def test_a_short_key_is_not_shown_where_a_redirect_leads(
    session: aiohttp.ClientSession, server: DataApi
) -> None:
    server.faults.append(Fault(status=302, headers={"Location": "http://a.b/short77/x"}))
    detail = (await DataApiClient(session, server.url, api_key="short77").upsert_devices([])).detail
    assert detail == "http://a.b/**REDACTED**/x"


async def test_a_listing_that_reaches_the_limit_of_the_server_returns_none(
    client: DataApiClient, server: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_api, "ENTITIES_MAX", 2)
    await client.upsert_entities([entity("light.a")])
    assert await client.entity_ids() == {"light.a"}
    await client.upsert_entities([entity("light.b")])
    assert await client.entity_ids() is None


async def test_a_listing_that_fails_returns_none(client: DataApiClient, server: DataApi) -> None:
    server.impostor = PAGE
    assert await client.device_ids() is None


async def test_a_listing_of_something_else_returns_none(
    client: DataApiClient, server: DataApi
) -> None:
    rows = [{"entity_id": "light.a"}, {"device_id": 5}]
    server.impostor = Fault(status=200, body=json.dumps({"devices": rows, "entities": rows}))
    assert await client.device_ids() is None
    assert await client.entity_ids() is None


async def test_a_long_listing_is_read_to_its_end(client: DataApiClient) -> None:
    rows = [entity(f"light.n{n}") for n in range(1000)]
    await client.upsert_entities(rows)
    assert await client.entity_ids() == {row["entity_id"] for row in rows}


def test_an_unusable_address_is_refused_before_any_request() -> None:
    with pytest.raises(AddressError):
        DataApiClient(None, "ftp://x")  # type: ignore[arg-type]


def test_the_server_counts_actions_in_its_own_way() -> None:
    reply = Reply(status=200, body='{"success": true, "upserted": 1}')
    assert classify_reply(reply).kind is Kind.ACCEPTED
