"""The states of remote homes as an HTTP client reads them."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, set_up, until

from .conftest import entry_with, remote
from .following import captured, connected, link_of
from .test_remote import NOON

PATH = "/api/ha_ingestor/states"


async def test_states_are_served_from_memory_and_stale_without_a_connection(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    home.changing("sensor.a", "1", NOON, unit_of_measurement="W")
    home.changing("camera.door", "idle", NOON + 1, access_token="0123456789abcdef")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    client = await hass_client()
    answer = await (await client.get(PATH)).json()
    assert answer["total"] == answer["count"] == 2
    [about] = answer["instances"]
    assert (about["instance"], about["connected"], about["stale"]) == ("cabin", True, False)
    found = {state["entity_id"]: state for state in answer["states"]}
    assert found["sensor.a"] == {
        "instance": "cabin",
        "entity_id": "sensor.a",
        "state": "1",
        "attributes": {"unit_of_measurement": "W"},
        "last_changed": "2026-11-21T12:00:00+00:00",
        "last_updated": "2026-11-21T12:00:00+00:00",
        "context": {"id": "c", "parent_id": None, "user_id": None},
        "stale": False,
    }
    assert "0123456789abcdef" not in str(answer)

    await home.stop()
    await until(lambda: not link_of(entry).health.state.connected)
    answer = await (await client.get(PATH, params={"domain": "sensor"})).json()
    assert [state["stale"] for state in answer["states"]] == [True]
    assert answer["instances"][0]["stale"]
    await deliver(hass, entry)
    answer = await (await client.get(PATH)).json()
    assert answer["states"] == []


async def test_what_is_typed_as_a_password_is_not_served(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    home.changing("text.slot_1", "hunter2", NOON, mode="password")
    home.changing("input_text.wifi", "hunter2", NOON, mode="password")
    home.changing("input_text.note", "kept", NOON, mode="text")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: len(link_of(entry).home.states.states) == 3)
    answer = await (await (await hass_client()).get(PATH)).json()
    assert {state["entity_id"]: state["state"] for state in answer["states"]} == {
        "text.slot_1": "**REDACTED**",
        "input_text.wifi": "**REDACTED**",
        "input_text.note": "kept",
    }
    await deliver(hass, entry)


@pytest.mark.parametrize(
    "case",
    [
        ({"instance": "cabin"}, ["light.a", "light.b"]),
        ({"instance": "boat"}, []),
        ({"entity_id": "light.b"}, ["light.b"]),
        ({"domain": "switch"}, []),
        ({"limit": "1"}, ["light.a"]),
        ({"limit": "1", "offset": "1"}, ["light.b"]),
    ],
)
async def test_states_are_chosen_by_what_is_asked_for(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    hass_client: ClientSessionGenerator,
    case: tuple[dict[str, str], list[str]],
) -> None:
    query, names = case
    home.changing("light.a", "on", NOON)
    home.changing("light.b", "on", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    answer = await (await (await hass_client()).get(PATH, params=query)).json()
    assert [state["entity_id"] for state in answer["states"]] == names
    await deliver(hass, entry)


@pytest.mark.parametrize(
    "query", [{"limit": "x"}, {"limit": "0"}, {"limit": "10001"}, {"offset": "-1"}, {"typo": "1"}]
)
async def test_a_query_that_is_not_understood_is_refused(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, query: dict[str, str]
) -> None:
    assert await async_setup_component(hass, "ha_ingestor", {})
    response = await (await hass_client()).get(PATH, params=query)
    assert response.status == 400


async def test_only_administrators_read_states_of_another_home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    assert await async_setup_component(hass, "ha_ingestor", {})
    assert (await (await hass_client_no_auth()).get(PATH)).status == 401
    reader = await hass_client(hass_read_only_access_token)
    assert (await reader.get(PATH)).status == 401


async def test_a_state_with_a_time_that_is_none_hides_no_other_state(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    home.changing("sensor.a", "1", NOON)
    home.changing("sensor.b", "1", 1e20)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    answer = await (await (await hass_client()).get(PATH)).json()
    times = {state["entity_id"]: state["last_changed"] for state in answer["states"]}
    assert times == {"sensor.a": "2026-11-21T12:00:00+00:00", "sensor.b": None}
    await deliver(hass, entry)
