"""What an administrator changes for single entities over the WebSocket, and sees before."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from tests.emulator import Emulator
from tests.flows.steps import suggested
from tests.pages import fill_in, open_page, save
from tests.shell import deliver, points, set_up


async def ask(
    client: MockHAClientWebSocket, command: str, entry: MockConfigEntry, **more: Any
) -> Any:
    """Send a command and return its answer."""
    message = {"type": f"ha_ingestor/{command}", "config_entry_id": entry.entry_id, **more}
    await client.send_json_auto_id(message)
    return await client.receive_json()


async def test_a_change_is_previewed_and_then_stored(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    for entity_id in ("sensor.a", "sensor.b", "sensor.c"):
        hass.states.async_set(entity_id, "1")
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    wanted = {"entity_id": ["sensor.a", "sensor.b"], "recorded": False}
    found = (await ask(client, "preview_entities", entry, **wanted))["result"]
    assert found["is_changed"]
    assert (found["filter"]["captured"], found["filter"]["total"]) == (1, 3)
    assert found["filter"]["removed"] == ["sensor.a", "sensor.b"]
    assert entry.options == {}

    assert (await ask(client, "change_entities", entry, **wanted))["result"] == {"is_changed": True}
    await hass.async_block_till_done()
    for entity_id in ("sensor.a", "sensor.b", "sensor.c"):
        hass.states.async_set(entity_id, "2")
    await deliver(hass, entry)
    written = [point for point in points(database) if point.fields["state"] == "2"]
    assert [point.tags["entity_id"] for point in written] == ["sensor.c"]
    again = (await ask(client, "change_entities", entry, **wanted))["result"]
    assert again == {"is_changed": False}


async def test_rules_are_told_as_they_will_be_and_then_as_they_are(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    for entity_id in ("sensor.a", "sensor.b"):
        hass.states.async_set(entity_id, "1")
    entry.add_to_hass(hass)
    power = {"name": "Power", "globs": ["*.b"], "throttle": 60}
    hass.config_entries.async_update_entry(entry, options={"noise": {"rules": [power]}})
    assert await hass.config_entries.async_setup(entry.entry_id)
    client = await hass_ws_client(hass)
    wanted = {"entity_id": ["sensor.a", "sensor.b"], "rules": {"heartbeat": 10}}
    found = (await ask(client, "preview_entities", entry, **wanted))["result"]
    assert found["rules"] == [
        {"entities": 1, "heartbeat": 10},
        {"entities": 1, "heartbeat": 10, "throttle": 60},
    ]
    assert found["rules_changed"] == 2
    assert (found["filter"]["added"], found["filter"]["removed"]) == ([], [])
    await ask(client, "change_entities", entry, **wanted)
    await hass.async_block_till_done()
    told = (await ask(client, "entities", entry))["result"]["entities"]
    assert {each["entity_id"]: each["rules"] for each in told} == {
        "sensor.a": {"heartbeat": 10},
        "sensor.b": {"heartbeat": 10, "throttle": 60},
    }


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"rules": {"heartbeat": 1, "throttle": 120}}, "heartbeat_throttled"),
        ({"rules": {"deadband": -1}}, "deadband_out_of_range"),
        ({"rules": {"deadband": "much"}}, None),
        ({"rules": {"other": 1}}, None),
        ({"recorded": "perhaps"}, None),
        ({"entity_id": [], "recorded": True}, None),
        ({"entity_id": ["no entity"], "recorded": True}, None),
        ({"entity_id": [f"sensor.s{number}" for number in range(1001)]}, None),
    ],
)
async def test_what_the_options_refuse_is_refused_with_their_reason(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    wrong: dict[str, Any],
    reason: str | None,
) -> None:
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    for command in ("preview_entities", "change_entities"):
        answer = await ask(client, command, entry, **{"entity_id": "sensor.a", **wrong})
        assert answer["error"]["code"] == "invalid_format"
        assert answer["error"].get("translation_key") == reason
    assert entry.options == {}


async def test_a_disabled_entity_is_told_to_be_one(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    registry.async_get_or_create(
        "sensor", "demo", "1", suggested_object_id="off", disabled_by=er.RegistryEntryDisabler.USER
    )
    client = await hass_ws_client(hass)
    found = (await ask(client, "entities", entry))["result"]
    (row,) = (each for each in found["entities"] if each["entity_id"] == "sensor.off")
    assert (row["disabled"], row["stateless"]) == (True, True)
    assert not found["numbers_only"]


async def test_the_last_included_entity_is_left_out_in_a_form_that_the_options_accept(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    for entity_id in ("sensor.a", "sensor.b"):
        hass.states.async_set(entity_id, "1")
    entry.add_to_hass(hass)
    only = {"filter": {"include": {"entities": ["sensor.a"]}}}
    hass.config_entries.async_update_entry(entry, options=only)
    assert await hass.config_entries.async_setup(entry.entry_id)
    client = await hass_ws_client(hass)

    async def recorded() -> list[str]:
        rows = (await ask(client, "entities", entry))["result"]["entities"]
        return sorted(each["entity_id"] for each in rows if each["recorded"])

    async def save_as_shown() -> None:
        """Open the page of the options, and store it as it is."""
        form = await open_page(hass, entry, "filter")
        preview = await fill_in(hass, form, **suggested(form))
        assert preview["type"] is FlowResultType.MENU, preview["errors"]
        await save(hass, preview)
        await hass.async_block_till_done()

    await ask(client, "change_entities", entry, entity_id="sensor.a", recorded=False)
    await hass.async_block_till_done()
    assert await recorded() == []
    await save_as_shown()
    assert await recorded() == []
    await ask(client, "change_entities", entry, entity_id="sensor.b", recorded=True)
    await hass.async_block_till_done()
    assert await recorded() == ["sensor.b"]
    await save_as_shown()
    assert await recorded() == ["sensor.b"]
