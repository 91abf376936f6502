"""The double keeps the contract, or tests against it would prove nothing."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest

from scripts.rig.data_api import DataApi, Era

pytestmark = pytest.mark.usefixtures("socket_enabled")

DEVICES = "/internal/devices/bulk_upsert"
ENTITIES = "/internal/entities/bulk_upsert"
SERVICES = "/internal/services/bulk_upsert"


class Ask:
    """Somebody who knows the API."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.headers = {"Content-Type": "application/json"}

    async def __call__(self, method: str, path: str, content: Any = None) -> tuple[int, Any]:
        data = None if content is None else json.dumps(content)
        async with self.session.request(
            method, self.url + path, data=data, headers=self.headers
        ) as response:
            self.reply = response.headers
            return response.status, json.loads(await response.text())


@pytest.fixture(name="now")
def _now() -> list[float]:
    return [0.0]


@pytest.fixture(name="era", params=Era)
def _era(request: pytest.FixtureRequest) -> Era:
    era: Era = request.param
    return era


@pytest.fixture(name="server")
async def _server(now: list[float], era: Era) -> AsyncIterator[DataApi]:
    async with DataApi(clock=lambda: now[0], era=era, has_services=True) as server:
        yield server


def words(told: dict[str, Any]) -> str:
    """Read what an endpoint could not do, in the shape of either era."""
    return str(told["detail"] if "detail" in told else told["error"])


@pytest.fixture(name="ask")
async def _ask(server: DataApi) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:
        yield Ask(session, server.url)


async def test_devices_are_stored_and_counted(server: DataApi, ask: Ask) -> None:
    status, told = await ask("POST", DEVICES, [{"id": "a", "name": "A"}, {"name": "no id"}])
    assert (status, told["success"], told["upserted"]) == (HTTPStatus.OK, True, 1)
    assert server.tables.devices["a"]["manufacturer"] == "Unknown"


async def test_errors_of_the_double_have_the_shape_of_its_version(
    server: DataApi, ask: Ask, era: Era
) -> None:
    _, refused = await ask("POST", DEVICES, [{"id": "b", "name": None}])
    _, invalid = await ask("POST", DEVICES, {})
    if era is Era.TODAY:
        assert refused.keys() == {"detail"}
        assert invalid["error"]["code"] == "ValidationError"
        assert isinstance(invalid["error"]["detail"], list)
    else:
        assert (refused["success"], refused["error_code"]) == (False, "HTTP_500")
        assert refused["error"].startswith("Failed to bulk upsert devices: ")
        assert isinstance(invalid["detail"], list)


async def test_an_entity_has_the_actions_that_were_stored_before_it(
    server: DataApi, ask: Ask
) -> None:
    await ask("POST", ENTITIES, [{"entity_id": "light.x"}, {"entity_id": "light.y"}])
    await ask("POST", SERVICES, {"light": {"turn_on": {}}, "switch": {"toggle": {}}})
    await ask("POST", ENTITIES, [{"entity_id": "light.y"}])
    entities = server.tables.entities
    assert entities["light.x"]["available_services"] is None
    assert entities["light.y"]["available_services"] == ["light.turn_on"]


@pytest.mark.parametrize("era", [Era.NOVEMBER_2025], indirect=True)
async def test_the_sqlite_double_takes_any_type_and_refuses_unknown_foreign_keys(
    server: DataApi, ask: Ask
) -> None:
    await ask("POST", DEVICES, [{"id": "a", "name": "A", "sw_version": 7, "model": "\0"}])
    assert server.tables.devices["a"]["sw_version"] == "7"
    for path, row in (
        (DEVICES, {"id": "b", "name": "B", "via_device_id": "gone"}),
        (ENTITIES, {"entity_id": "light.x", "device_id": "gone"}),
    ):
        status, told = await ask("POST", path, [row])
        assert status == HTTPStatus.INTERNAL_SERVER_ERROR
        assert "FOREIGN KEY constraint failed" in words(told)
    assert "light.x" not in server.tables.entities


@pytest.mark.parametrize("era", [Era.TODAY], indirect=True)
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "b", "name": None}, "not-null"),
        ({"id": "b", "name": "B", "sw_version": 7}, "expected str"),
        ({"id": "b", "name": "B", "model": "\0"}, "0x00"),
        ({"id": "b", "name": "B", "labels": ["\0"]}, "\\u0000"),
        ({"id": "a", "name": "again"}, "duplicate"),
    ],
)
async def test_one_bad_device_fails_the_whole_batch(
    server: DataApi, ask: Ask, row: dict[str, Any], says: str
) -> None:
    status, told = await ask("POST", DEVICES, [{"id": "a", "name": "A"}, row])
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert told["detail"].startswith("Failed to bulk upsert devices: ")
    assert says in told["detail"]
    assert server.tables.devices == {}


@pytest.mark.parametrize("row", [{"id": "b", "name": None}, {"id": "a", "name": "again"}])
async def test_one_bad_device_fails_the_whole_batch_on_both_servers(
    server: DataApi, ask: Ask, row: dict[str, Any]
) -> None:
    status, told = await ask("POST", DEVICES, [{"id": "a", "name": "A"}, row])
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert words(told).startswith("Failed to bulk upsert devices: ")
    assert server.tables.devices == {}


async def test_a_user_given_name_wins_and_saves_a_null_name(server: DataApi, ask: Ask) -> None:
    await ask("POST", DEVICES, [{"id": "a", "name": None, "name_by_user": "Mine"}])
    assert server.tables.devices["a"]["name"] == "Mine"


async def test_the_double_overwrites_a_stored_value_with_null(server: DataApi, ask: Ask) -> None:
    await ask("POST", DEVICES, [{"id": "a", "name": "A", "model": "M"}])
    await ask("POST", DEVICES, [{"id": "a", "name": "A", "model": None}])
    assert server.tables.devices["a"]["model"] is None


@pytest.mark.parametrize("era", [Era.TODAY], indirect=True)
async def test_the_double_drops_an_unknown_via_device_and_fails_at_a_later_one(
    server: DataApi, ask: Ask
) -> None:
    await ask("POST", DEVICES, [{"id": "a", "name": "A", "via_device_id": "gone"}])
    assert server.tables.devices["a"]["via_device"] is None
    chain = [
        {"id": "leaf", "name": "L", "via_device_id": "branch"},
        {"id": "branch", "name": "B", "via_device_id": "root"},
        {"id": "root", "name": "R"},
    ]
    status, told = await ask("POST", DEVICES, chain)
    assert (status, "foreign key" in told["detail"]) == (500, True)
    assert (await ask("POST", DEVICES, chain[::-1]))[0] == HTTPStatus.OK


@pytest.mark.parametrize("era", [Era.TODAY], indirect=True)
async def test_the_double_stores_an_entity_of_an_unknown_device_without_it(
    server: DataApi, ask: Ask
) -> None:
    row = {"entity_id": "light.x", "device_id": "a", "disabled_by": "user"}
    assert (await ask("POST", ENTITIES, [row]))[0] == HTTPStatus.OK
    stored = server.tables.entities["light.x"]
    assert (stored["device_id"], stored["disabled"], stored["domain"]) == (None, True, "light")


async def test_the_double_fails_to_read_an_entity_with_a_null_alias(ask: Ask) -> None:
    await ask("POST", ENTITIES, [{"entity_id": "light.x", "aliases": [None]}])
    assert (await ask("GET", "/api/entities"))[0] == HTTPStatus.INTERNAL_SERVER_ERROR


async def test_services_are_an_object_and_may_be_missing(server: DataApi, ask: Ask) -> None:
    content = {"light": {"turn_on": {"name": "On", "fields": {}}, "odd": 1}, "odd": []}
    assert (await ask("POST", SERVICES, content))[1]["upserted"] == 1
    assert list(server.tables.services) == [("light", "turn_on")]
    server.has_services = False
    assert (await ask("POST", SERVICES, content))[0] == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("path", "content"), [(DEVICES, {}), (DEVICES, ["a"]), (ENTITIES, "x"), (SERVICES, [])]
)
async def test_the_wrong_kind_of_body_is_refused(ask: Ask, path: str, content: Any) -> None:
    status, told = await ask("POST", path, content)
    assert (status, type(told.get("detail") or told["error"]["detail"])) == (422, list)


async def test_a_body_that_is_not_called_json_is_not_read(ask: Ask) -> None:
    ask.headers["Content-Type"] = "text/plain"
    assert (await ask("POST", DEVICES, []))[0] == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_the_double_refuses_requests_without_the_right_key(server: DataApi, ask: Ask) -> None:
    server.api_key = "right"
    status, told = await ask("GET", "/api/devices")
    assert (status, words(told)) == (401, "Authentication required")
    assert ask.reply["WWW-Authenticate"] == "Bearer"
    ask.headers["Authorization"] = "Bearer wrong"
    status, told = await ask("POST", DEVICES, [])
    assert (status, words(told)) == (401, "Invalid or expired credentials")
    assert (await ask("GET", "/health"))[0] == HTTPStatus.OK
    ask.headers["Authorization"] = "Bearer right"
    assert (await ask("GET", "/api/devices"))[0] == HTTPStatus.OK


async def test_the_double_takes_twenty_requests_at_once_and_then_a_hundred_a_minute(
    ask: Ask, now: list[float]
) -> None:
    statuses = [(await ask("POST", DEVICES, []))[0] for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert ask.reply["Retry-After"] == "1"
    assert (await ask("GET", "/health"))[0] == HTTPStatus.OK
    now[0] += 0.6
    assert (await ask("POST", DEVICES, []))[0] == HTTPStatus.OK
    status, told = await ask("POST", DEVICES, [])
    assert (status, told["error_code"]) == (429, "RATE_LIMIT_EXCEEDED")


async def test_devices_are_read_from_a_cache(ask: Ask, now: list[float]) -> None:
    assert (await ask("GET", "/api/devices"))[1] == {"devices": [], "count": 0, "limit": 100}
    await ask("POST", DEVICES, [{"id": "a", "name": "A"}])
    assert (await ask("GET", "/api/devices"))[1]["count"] == 0
    # Every limit is another question.
    assert (await ask("GET", "/api/devices?limit=99"))[1]["count"] == 1
    now[0] += 299
    assert (await ask("GET", "/api/devices"))[1]["count"] == 0
    now[0] += 1
    assert (await ask("GET", "/api/devices"))[1]["count"] == 1


@pytest.mark.parametrize("path", ["/api/devices?limit=1001", "/api/entities?limit=0"])
async def test_a_limit_above_the_maximum_is_refused(ask: Ask, path: str) -> None:
    assert (await ask("GET", path))[0] == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_clearing_forgets_devices_and_entities(server: DataApi, ask: Ask) -> None:
    await ask("POST", DEVICES, [{"id": "a", "name": "A"}])
    assert (await ask("DELETE", "/internal/devices/clear"))[1]["devices_deleted"] == 1
    assert server.tables.devices == {}
