"""Messages of the broker of Home Assistant's MQTT integration, from the broker to the database."""

import asyncio
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from homeassistant.components.mqtt.models import DATA_MQTT, ReceiveMessage
from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_mqtt_message,
)
from pytest_homeassistant_custom_component.typing import MqttMockHAClient, WebSocketGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.sources.mqtt import link
from tests import shell
from tests.emulator import Emulator
from tests.shell import deliver, new_entry, points, until
from tests.sources import rates

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Allow the timer of Home Assistant's MQTT client, which is never disconnected here."""
    return True


@pytest.fixture(name="own_client")
def _own_client(hass: HomeAssistant, mqtt_client_mock: Any) -> None:
    """Let the MQTT integration have its client, which reads the configuration when it reloads."""
    Path(hass.config.path("configuration.yaml")).touch()


def row(topic: str, **more: Any) -> dict[str, Any]:
    known = {"measurement": "mqtt", "field": "value", "fields": [], "texts": []}
    return {"topic": topic, **known, **more}


def topics(*rows: dict[str, Any]) -> ConfigSubentry:
    return ConfigSubentry(
        data=MappingProxyType({"topics": list(rows)}),
        subentry_type="mqtt",
        title="MQTT",
        unique_id="mqtt",
    )


def entry_with(database: Emulator, *rows: dict[str, Any]) -> MockConfigEntry:
    known = new_entry(database.url)
    return MockConfigEntry(
        domain=DOMAIN,
        title=known.title,
        data=dict(known.data),
        # Of this home nothing, so that every count is one of messages.
        options={"filter": {"exclude": {"globs": ["*"]}}},
        subentries_data=[topics(*rows).as_dict()],
    )


@pytest.fixture(name="entry")
def _entry(database: Emulator) -> MockConfigEntry:
    return entry_with(database, row("zigbee2mqtt/{device}"))


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Start the entry, and wait until the broker was asked for its topics.

    Home Assistant's client fails when a topic is not wanted any more while it asks for others.
    """
    await shell.set_up(hass, entry)
    if DATA_MQTT not in hass.data:
        return
    client: Any = hass.data[DATA_MQTT].client

    def is_asked() -> bool:
        wanted: dict[str, Any] = entry.runtime_data.mqtt.mqtt.link._subscriptions
        # One topic with a wildcard, or several without.
        calls = [call.args[0] for call in client._mqttc.subscribe.call_args_list]
        asked = [[each] if isinstance(each, str) else dict(each) for each in calls]
        return wanted.keys() <= set(chain.from_iterable(asked))

    if client.connected:
        await until(is_asked)


def publish(hass: HomeAssistant, topic: str, payload: str | bytes, **more: Any) -> None:
    async_fire_mqtt_message(hass, topic, payload, **more)


async def ledger_of(entry: MockConfigEntry) -> dict[str, Any]:
    pipeline = entry.runtime_data.pipeline
    snapshot = await pipeline.snapshot()
    assert not snapshot.unbalanced
    ledger = dict(snapshot.ledger)
    # What is of this home: every change of it is filtered.
    filtered = dict(ledger["filtered"])
    here = sum(filtered.pop(reason, 0) for reason in ("own_entity", "excluded"))
    return {**ledger, "received": ledger["received"] - here, "filtered": filtered}


@pytest.mark.parametrize(
    ("options", "measurement"),
    [
        ({"points": {"profile": "core"}}, "W"),
        ({"points": {"profile": "core"}, "core": {"override_measurement": "all"}}, "all"),
        ({"points": {"profile": "tidy"}}, "sensor"),
    ],
)
async def test_states_are_in_another_measurement_than_messages(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    database: Emulator,
    options: dict[str, Any],
    measurement: str,
) -> None:
    known = new_entry(database.url)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=known.title,
        data=dict(known.data),
        # As it is where the profile was chosen after the topics.
        options=options,
        subentries_data=[topics(row("meters/{meter}", measurement=measurement)).as_dict()],
    )
    await set_up(hass, entry)
    publish(hass, "meters/a", '{"state": 5, "value": 3, "domain": 1, "unit": 2}')
    await entry.runtime_data.pipeline.snapshot()
    hass.states.async_set("sensor.meter", "low", {"unit_of_measurement": "W"})
    await deliver(hass, entry)
    measurements = {
        series[0]: dict(series[1]).get("entity_id") for (series, _time) in database.points
    }
    assert measurements[measurement] is None
    assert "meter" in str(measurements[f"{measurement}_"])


async def test_a_message_is_a_point(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    publish(hass, "zigbee2mqtt/lamp", '{"temperature": 21.5, "state": "ON"}')
    publish(hass, "elsewhere/lamp", "1")
    assert (await ledger_of(entry))["received"] == 1
    await deliver(hass, entry)
    (found,) = points(database)
    assert found.tags == {"device": "lamp"}
    assert found.fields == {"temperature": 21.5, "state": 1.0, "state_str": "ON"}


async def test_each_message_is_counted_once_with_a_reason_where_it_gives_no_point(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    publish(hass, "zigbee2mqtt/a", "1", retain=True)
    publish(hass, "zigbee2mqtt/a", "2")
    publish(hass, "zigbee2mqtt/a", b"\xff\xfe\x00")
    publish(hass, "zigbee2mqtt/a", "x" * 1_000_000)
    publish(hass, "zigbee2mqtt/a", "")
    publish(hass, "zigbee2mqtt/a", "{" * 9_000)
    publish(hass, "zigbee2mqtt/a", '{"a": NaN}')
    publish(hass, "zigbee2mqtt/a", "3")
    ledger = await ledger_of(entry)
    assert (ledger["received"], ledger["captured"]) == (8, 2)
    assert ledger["filtered"] == {
        "retained": 1,
        "message_malformed": 2,
        "message_too_large": 1,
        "message_empty": 1,
        "message_without_value": 1,
    }
    state = entry.runtime_data.mqtt.mqtt.link.health.state
    assert (state.points, state.filtered) == (2, ledger["filtered"])
    await deliver(hass, entry)
    assert [each.fields for each in points(database)] == [{"value": 2.0}, {"value": 3.0}]


async def test_the_rate_of_this_home_is_without_the_messages(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates.tell_soon(monkeypatch)
    await set_up(hass, entry)
    hass.states.async_set("sensor.here", "1")
    publish(hass, "zigbee2mqtt/a", "1", retain=True)
    publish(hass, "zigbee2mqtt/a", "2")
    await rates.come_from_elsewhere(entry, 2)


async def test_a_message_that_fits_several_topics_is_recorded_once_by_the_first(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator
) -> None:
    entry = entry_with(
        database, row("a/{x}/c", measurement="first"), row("a/#", measurement="second")
    )
    await set_up(hass, entry)
    publish(hass, "a/b/c", "1")
    publish(hass, "a/b", "2")
    assert (await ledger_of(entry))["received"] == 2
    await deliver(hass, entry)
    assert [(each.tags, each.fields) for each in points(database)] == [
        ({"x": "b"}, {"value": 1.0}),
        ({"topic": "a/b"}, {"value": 2.0}),
    ]


async def test_messages_of_a_reload_are_recorded_with_the_time_at_which_they_came(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    sent = 0
    for _ in range(3):
        publish(hass, "zigbee2mqtt/a", str(sent := sent + 1))
        reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
        while not reload.done():
            publish(hass, "zigbee2mqtt/a", str(sent := sent + 1))
            await asyncio.sleep(0.001)
        assert await reload
    publish(hass, "zigbee2mqtt/a", str(sent := sent + 1))
    assert sent > 6
    assert (await ledger_of(entry))["received"] == sent
    await deliver(hass, entry)
    found = points(database)
    assert [each.fields["value"] for each in found] == [float(each + 1) for each in range(sent)]
    assert len({each.time for each in found}) == sent


async def test_of_too_many_messages_in_a_reload_the_oldest_are_lost_and_counted(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "MEMORY_POINTS", 1_000)
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(1_005):
        publish(hass, "zigbee2mqtt/a", str(number))
    assert await hass.config_entries.async_setup(entry.entry_id)
    ledger = await ledger_of(entry)
    assert (ledger["received"], ledger["lost"]) == (1_005, {"reload_gap": 5})
    await deliver(hass, entry)
    assert [each.fields["value"] for each in points(database)] == [*range(5, 1_005)]


async def test_what_is_not_asked_for_any_more_is_not_recorded_nor_subscribed(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    (subentry,) = entry.get_subentries_of_type("mqtt")
    data = MappingProxyType({"topics": [row("tele/{device}/SENSOR")]})
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    publish(hass, "zigbee2mqtt/a", "1")
    publish(hass, "tele/plug/SENSOR", "2")
    assert (await ledger_of(entry))["received"] == 1
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    publish(hass, "tele/plug/SENSOR", "3")
    await deliver(hass, entry)
    found = [each.fields for each in points(database) if "device" in each.tags]
    assert found == [{"value": 2.0}]


async def test_what_comes_while_other_topics_are_taken_over_is_recorded(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    attached = entry.runtime_data.mqtt.mqtt.link
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(201):
        publish(hass, "zigbee2mqtt/a", str(number))
    (subentry,) = entry.get_subentries_of_type("mqtt")
    data = MappingProxyType({"topics": [row("zigbee2mqtt/#")]})
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    capture_waiting = attached.async_capture_waiting

    async def capture_waiting_slowly(*args: Any) -> None:
        hass.loop.call_soon(publish, hass, "zigbee2mqtt/a", "201")
        await capture_waiting(*args)

    attached.async_capture_waiting = capture_waiting_slowly
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await ledger_of(entry))["received"] == 202
    await deliver(hass, entry)
    assert [each.fields["value"] for each in points(database)] == [*range(202)]


async def test_when_home_assistant_stops_during_a_reload_its_messages_are_on_the_disk(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    publish(hass, "zigbee2mqtt/a", "7")
    hass.set_state(CoreState.final_write)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert [each.fields for each in points(database)] == [{"value": 7.0}]


async def test_a_disabled_destination_receives_nothing(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    publish(hass, "zigbee2mqtt/a", "1")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    publish(hass, "zigbee2mqtt/a", "2")
    assert (await ledger_of(entry))["received"] == 1
    await deliver(hass, entry)


@pytest.mark.parametrize("expected_lingering_tasks", [True])  # of its client
async def test_a_reload_of_the_mqtt_integration_doubles_nothing(
    hass: HomeAssistant, own_client: None, database: Emulator, entry: MockConfigEntry
) -> None:
    # Its own client, not a mock of it, as that forgets what was subscribed.
    broker = MockConfigEntry(
        domain="mqtt",
        data={"broker": "broker", "protocol": "5"},
        options={"birth_message": {}},
        version=1,
        minor_version=2,
    )
    broker.add_to_hass(hass)
    assert await hass.config_entries.async_setup(broker.entry_id)
    await set_up(hass, entry)
    # Away from the first filter and back: what was subscribed before a reload is still called.
    for pattern in ("zigbee2mqtt/#", "zigbee2mqtt/+"):
        assert await hass.config_entries.async_reload(broker.entry_id)
        await hass.async_block_till_done()
        (subentry,) = entry.get_subentries_of_type("mqtt")
        data = MappingProxyType({"topics": [row(pattern)]})
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        await hass.async_block_till_done()
        publish(hass, "zigbee2mqtt/a", "1")
    assert (await ledger_of(entry))["received"] == 2
    await deliver(hass, entry)


async def test_without_mqtt_there_is_a_repair_until_it_is_there(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    issue_id = f"mqtt_not_set_up_{entry.entry_id}"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    hass.config.components.add("mqtt")
    other = MockConfigEntry(domain="mqtt", title="Broker")
    other.add_to_hass(hass)
    hass.config_entries.async_update_entry(other, title="Broker of the home")
    await hass.async_block_till_done()
    assert not ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    await deliver(hass, entry)


async def test_the_repair_goes_with_its_destination(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not ir.async_get(hass).async_get_issue(DOMAIN, f"mqtt_not_set_up_{entry.entry_id}")


async def test_a_removed_destination_is_subscribed_to_nothing(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert mqtt_mock.is_active_subscription("zigbee2mqtt/+")
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not mqtt_mock.is_active_subscription("zigbee2mqtt/+")


async def test_the_device_of_mqtt_shows_the_counts_of_messages(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    (subentry,) = entry.get_subentries_of_type("mqtt")
    registry = er.async_get(hass)

    def shown(platform: str, key: str) -> Any:
        entity_id = registry.async_get_entity_id(platform, DOMAIN, f"{subentry.subentry_id}_{key}")
        assert entity_id
        return hass.states.get(entity_id)

    assert shown("binary_sensor", "broker_connected").state == "on"
    assert shown("sensor", "last_message").state == "unknown"
    publish(hass, "zigbee2mqtt/a", "1")
    await hass.async_block_till_done()
    # The first one is shown at once.
    assert shown("sensor", "last_message").state != "unknown"
    publish(hass, "zigbee2mqtt/a", "{")
    await ledger_of(entry)
    await entry.runtime_data.mqtt.mqtt.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert shown("sensor", "message_points").state == "1"
    filtered = shown("sensor", "messages_filtered")
    assert filtered.state == "1"
    assert filtered.attributes["reasons"] == {"message_malformed": 1}
    mqtt_mock.connected = False
    async_dispatcher_send(hass, "mqtt_connection_state", False)
    await hass.async_block_till_done()
    assert shown("binary_sensor", "broker_connected").state == "off"
    await deliver(hass, entry)


async def test_the_health_for_the_panel_tells_how_the_messages_are(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
) -> None:
    await set_up(hass, entry)
    publish(hass, "zigbee2mqtt/a", "1")
    publish(hass, "zigbee2mqtt/a", "1", retain=True)
    await ledger_of(entry)
    socket = await hass_ws_client(hass)
    await socket.send_json_auto_id({"type": "ha_ingestor/health"})
    (told,) = (await socket.receive_json())["result"]["destinations"][0]["mqtt"]
    assert told.pop("last_message").startswith("20")
    assert told == {
        "title": "MQTT",
        "is_set_up": True,
        "connected": True,
        "messages_per_minute": 0,
        "points": 1,
        "filtered": {"retained": 1},
    }
    await deliver(hass, entry)


def test_the_fields_of_a_message_that_are_used_are_there() -> None:
    assert {"topic", "payload", "retain"} <= ReceiveMessage.__annotations__.keys()
