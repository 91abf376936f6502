"""A monitor that was made for the services before us reads the health of this integration.

The keys and types are those of the examples in the descriptions of these services: `ha-ingestor`
0.3.0, and `websocket-ingestion` of October and of November 2025.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from unittest.mock import patch

import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from tests.emulator import Answer, Emulator, Fault
from tests.shell import NOWHERE, new_entry, set_up, until

from ..seen import answer, deliver_one

VIEWS: Final = ("health", "health/dependencies", "ready", "metrics")
SECRET: Final = "t0p-s3cr3t-t0k3n"
REFUSED: Final = Answer(status=401, body=f'{{"error":"token {SECRET} at 10.1.2.3 is wrong"}}')

# `GET /health` of ha-ingestor 0.3.0.
HA_INGESTOR: Final[Mapping[str, type]] = {
    "status": str,
    "version": str,
    "uptime_seconds": float,
    "service": str,
    "dependencies": dict,
}
# `GET /health` of websocket-ingestion, November 2025; that of October has a part of it.
WEBSOCKET_INGESTION: Final[Mapping[str, Any]] = {
    "status": str,
    "service": str,
    "timestamp": str,
    "uptime": str,
    "uptime_seconds": float,
    "connection": {
        "is_running": bool,
        "connection_attempts": int,
        "successful_connections": int,
        "failed_connections": int,
        "last_successful": str,
        "current_state": str,
    },
    "subscription": {
        "is_subscribed": bool,
        "total_events_received": int,
        "event_rate_per_minute": float,
        "last_event": str,
    },
    "circuit_breaker": {"state": str, "failure_count": int, "last_failure": type(None)},
    "performance": {"memory_mb": float, "cpu_percent": float},
}
# `GET /health/dependencies` of ha-ingestor 0.3.0.
DEPENDENCIES: Final[Mapping[str, Any]] = {
    "timestamp": float,
    "dependencies": {
        "websocket": {"status": str, "message": str, "response_time_ms": float},
        "influxdb": {"status": str, "message": str, "response_time_ms": float},
    },
}


def assert_like(found: Mapping[str, Any], example: Mapping[str, Any]) -> None:
    """Compare keys and types; more keys are fine."""
    for key, kind in example.items():
        assert key in found, key
        if isinstance(kind, Mapping):
            assert_like(found[key], kind)
        else:
            assert type(found[key]) is kind, (key, found[key])


@pytest.fixture
async def _bare(hass: HomeAssistant) -> None:
    """The integration without a destination."""
    assert await async_setup_component(hass, DOMAIN, {})


@pytest.fixture
def _a_minute_later() -> Any:
    """Rates are known at once."""
    with patch("custom_components.ha_ingestor.pipeline.rate.SLOT_SECONDS", 0.05):
        yield


@pytest.mark.usefixtures("_a_minute_later")
@pytest.mark.parametrize("example", [HA_INGESTOR, WEBSOCKET_INGESTION])
async def test_health_has_the_keys_and_types_of_the_services_before(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    example: Mapping[str, Any],
) -> None:
    await deliver_one(hass, entry)
    await asyncio.sleep(0.1)
    found = await answer(await hass_client(), "health")
    assert_like(found, example)
    assert (found["status"], found["service"]) == ("healthy", "ha-ingestor")
    assert found["circuit_breaker"]["state"] == "closed"
    assert found["connection"]["current_state"] == "connected"
    # Written as Python writes a time span, and a moment with a Z at its end.
    hours, minutes, seconds = found["uptime"].split(":")
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    assert span.total_seconds() == pytest.approx(found["uptime_seconds"], abs=0.01)
    for moment in (found["timestamp"], found["connection"]["last_successful"]):
        assert moment.endswith("Z")
        assert datetime.fromisoformat(moment).utcoffset() == timedelta(0)


async def test_dependencies_have_the_keys_and_types_of_the_service_before(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    found = await answer(await hass_client(), "health/dependencies")
    assert_like(found, DEPENDENCIES)
    assert {each["status"] for each in found["dependencies"].values()} == {"healthy"}
    assert 0 < found["dependencies"]["influxdb"]["response_time_ms"] < 10_000
    (alone,) = found["destinations"]
    assert alone["config_entry_id"] == entry.entry_id
    assert alone["dependencies"] == found["dependencies"]


async def test_the_numbers_are_those_that_were_counted(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    for number in range(9):
        hass.states.async_set("sensor.cellar", str(number))
    await hass.async_block_till_done()
    found = await answer(await hass_client(), "health")
    (alone,) = found["destinations"]
    assert alone["points"]["received"] == found["subscription"]["total_events_received"]
    assert alone["points"]["received"] >= 10
    attempts = found["connection"]["connection_attempts"]
    assert attempts == found["connection"]["successful_connections"] >= 2
    assert found["connection"]["failed_connections"] == 0


@pytest.mark.parametrize("path", VIEWS)
async def test_nobody_is_answered_without_a_token(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    path: str,
) -> None:
    await set_up(hass, entry)
    reply = await (await hass_client_no_auth()).get(f"/api/ha_ingestor/{path}")
    assert reply.status == HTTPStatus.UNAUTHORIZED
    assert entry.title not in await reply.text()


@pytest.mark.parametrize("path", VIEWS)
async def test_a_read_only_user_is_answered_without_the_servers_words_or_an_address(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
    database: Emulator,
    path: str,
) -> None:
    entry = new_entry(database.url, token=SECRET)
    database.faults.extend([Fault(answer=REFUSED)] * 20)
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.BLOCKED)
    client = await hass_client(hass_read_only_access_token)
    reply = await client.get(f"/api/ha_ingestor/{path}")
    text = await reply.text()
    assert reply.status in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    assert "invalid_auth" in text
    for hidden in (SECRET, "10.1.2.3", "127.0.0.1"):
        assert hidden not in text


@pytest.mark.parametrize("path", VIEWS)
async def test_the_status_alone_can_be_asked_for(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    socket_enabled: None,
    path: str,
) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.RETRYING)
    reply = await (await hass_client()).head(f"/api/ha_ingestor/{path}")
    is_ready = path != "ready"
    assert reply.status == (HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)
    assert await reply.text() == ""
    reply = await (await hass_client_no_auth()).head(f"/api/ha_ingestor/{path}")
    assert reply.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_the_http_api_refuses_every_method_but_get(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    path: str,
    method: str,
) -> None:
    await set_up(hass, entry)
    reply = await (await hass_client()).request(method, f"/api/ha_ingestor/{path}")
    assert reply.status == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"config_entry_id": "nobody"}, HTTPStatus.NOT_FOUND),
        ({"config_entry_id": "<script>"}, HTTPStatus.BAD_REQUEST),
        ({"config_entry_id": "x" * 20_000}, HTTPStatus.NOT_FOUND),
        ({"entry": "nobody"}, HTTPStatus.BAD_REQUEST),
        ([("config_entry_id", "a"), ("config_entry_id", "b")], HTTPStatus.BAD_REQUEST),
    ],
)
async def test_a_wrong_query_is_told_so_and_not_repeated(  # noqa: PLR0917  one for each fixture
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    path: str,
    query: Any,
    status: int,
) -> None:
    await set_up(hass, entry)
    reply = await (await hass_client()).get(f"/api/ha_ingestor/{path}", params=query)
    assert reply.status == status
    assert "script" not in (text := await reply.text())
    assert "xxxx" not in text[:200]


@pytest.mark.parametrize("path", VIEWS)
async def test_an_entry_of_another_integration_is_no_destination(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry, path: str
) -> None:
    await set_up(hass, entry)
    other = MockConfigEntry(domain="hue")
    other.add_to_hass(hass)
    found = await answer(
        await hass_client(), path, HTTPStatus.NOT_FOUND, config_entry_id=other.entry_id
    )
    assert found == {"message": "No destination has this config_entry_id"}


@pytest.mark.usefixtures("_bare")
async def test_without_a_destination_it_is_unhealthy_and_not_ready(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    client = await hass_client()
    found = await answer(client, "health")
    assert (found["status"], found["message"]) == ("unhealthy", "No destination is set up")
    assert found["connection"]["is_running"] is False
    assert found["subscription"]["total_events_received"] is None
    assert found["destinations"] == []
    ready = await answer(client, "ready", HTTPStatus.SERVICE_UNAVAILABLE)
    assert (ready["ready"], ready["message"]) == (False, "No destination is set up")
    dependencies = (await answer(client, "health/dependencies"))["dependencies"]
    assert list(dependencies) == ["websocket"]
    assert dependencies["websocket"]["status"] == "unhealthy"


async def test_it_is_ready_while_every_destination_accepts_points(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_client()
    assert (await answer(client, "ready"))["ready"] is True

    other = new_entry(NOWHERE)
    await set_up(hass, other)
    await until(lambda: other.runtime_data.pipeline.export_state.status is Status.RETRYING)
    found = await answer(client, "ready", HTTPStatus.SERVICE_UNAVAILABLE)
    assert {each["config_entry_id"]: each["ready"] for each in found["destinations"]} == {
        entry.entry_id: True,
        other.entry_id: False,
    }
    # The one that is named is asked alone.
    assert (await answer(client, "ready", config_entry_id=entry.entry_id))["ready"] is True


async def test_of_several_destinations_numbers_are_added_and_the_worst_state_is_shown(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    other = new_entry(NOWHERE)
    await set_up(hass, other)
    await until(lambda: other.runtime_data.pipeline.export_state.status is Status.RETRYING)
    found = await answer(await hass_client(), "health")
    assert found["status"] == "unhealthy"
    assert found["circuit_breaker"]["state"] == "open"
    assert found["connection"]["current_state"] == "disconnected"
    each = {seen["config_entry_id"]: seen for seen in found["destinations"]}
    assert each[entry.entry_id]["status"] == "healthy"
    assert each[other.entry_id]["problem"] == "unreachable"
    assert found["connection"]["connection_attempts"] == sum(
        seen["connection"]["connection_attempts"] for seen in each.values()
    )
    assert found["connection"]["failed_connections"] >= 1
    # Both are called Attic, and the message tells them apart.
    assert f"Attic ({other.entry_id}) does not accept points: unreachable" in found["message"]
    assert found["dependencies"]["influxdb"]["status"] == "unhealthy"


async def test_a_destination_that_is_not_loaded_is_unhealthy(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    client = await hass_client()
    found = await answer(client, "health", config_entry_id=entry.entry_id)
    assert (found["status"], found["message"]) == ("unhealthy", "Attic is not loaded")
    assert found["destinations"][0]["state"] == "not_loaded"
    assert found["connection"]["current_state"] == "not_loaded"
    await answer(client, "ready", HTTPStatus.SERVICE_UNAVAILABLE)


async def test_a_disabled_destination_is_left_out(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    other = new_entry(NOWHERE)
    other.add_to_hass(hass)
    await hass.config_entries.async_set_disabled_by(other.entry_id, ConfigEntryDisabler.USER)
    found = await answer(await hass_client(), "health")
    assert found["status"] == "healthy"
    assert [each["config_entry_id"] for each in found["destinations"]] == [entry.entry_id]


async def test_a_disk_that_does_not_answer_keeps_no_monitor_waiting(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_client()

    async def hang() -> None:
        await asyncio.Event().wait()

    with (
        patch.object(entry.runtime_data.coordinator, "async_snapshot", hang),
        patch("custom_components.ha_ingestor.health.readings.READ_SECONDS", 0.05),
    ):
        found = await answer(client, "health")
    assert (found["status"], found["message"]) == ("unhealthy", "Attic does not answer")
