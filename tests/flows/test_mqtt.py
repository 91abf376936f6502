"""Adding MQTT topics in the dialogue, with a preview of what comes there."""

import asyncio
import re
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_mqtt_message,
)
from pytest_homeassistant_custom_component.typing import MqttMockHAClient

from custom_components.ha_ingestor.flows import mqtt_preview
from tests.emulator import Emulator
from tests.shell import deliver, points, set_up

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Allow the timer of Home Assistant's MQTT client, which is never disconnected here."""
    return True


@pytest.fixture(autouse=True)
def _short_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_preview, "LISTEN_SECONDS", 0.1)


async def begin(hass: HomeAssistant, entry: MockConfigEntry, **more: Any) -> Any:
    context: Any = {"source": "user", **more}
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "mqtt"), context=context
    )


async def submit(hass: HomeAssistant, result: Any, **entered: Any) -> Any:
    return await hass.config_entries.subentries.async_configure(result["flow_id"], entered)


def subentry_of(entry: MockConfigEntry) -> ConfigSubentry:
    found: list[ConfigSubentry] = list(entry.get_subentries_of_type("mqtt"))
    assert len(found) == 1
    return found[0]


async def added(hass: HomeAssistant, entry: MockConfigEntry, topic: str) -> None:
    result = await submit(hass, await begin(hass, entry), presets=[])
    result = await submit(hass, result, topics=[{"topic": topic}])
    result = await submit(hass, result, next_step_id="save")
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()


async def test_topics_are_added_from_a_preset_and_recorded_at_once(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    result = await submit(hass, await begin(hass, entry), presets=["zigbee2mqtt", "statestream"])
    assert result["step_id"] == "topics"
    (marker,) = result["data_schema"].schema
    rows = marker.description["suggested_value"]
    assert [row["topic"] for row in rows] == [
        "homeassistant/{domain}/{object}/{field}",
        "zigbee2mqtt/{device}",
    ]
    result = await submit(hass, result, topics=rows)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "preview_empty")
    result = await submit(hass, result, next_step_id="save")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert subentry_of(entry).data["topics"][1] == {
        "topic": "zigbee2mqtt/{device}",
        "measurement": "zigbee2mqtt",
        "field": "value",
        "fields": [],
        "texts": [],
    }
    async_fire_mqtt_message(hass, "homeassistant/sensor/attic/state", "21.5")
    await deliver(hass, entry)
    found = [each for each in points(database) if "object" in each.tags]
    assert [(each.tags, each.fields) for each in found] == [
        ({"domain": "sensor", "object": "attic"}, {"state": 21.5})
    ]


async def test_the_preview_shows_what_comes_as_text(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    result = await submit(hass, await begin(hass, entry), presets=[])
    topics = [{"topic": "a/#", "fields": ["battery.level", " mode "]}]
    monkeypatch.setattr(mqtt_preview, "LISTEN_SECONDS", 1.0)
    step = hass.async_create_task(submit(hass, result, topics=topics))
    await asyncio.sleep(0.2)
    async_fire_mqtt_message(hass, "a/b", '{"battery": {"level": 5}, "noise": 1}', retain=True)
    async_fire_mqtt_message(hass, "a/c", '{"mode": "[x](http://evil) <b>``"}')
    async_fire_mqtt_message(hass, "a/d", b"\xff")
    async_fire_mqtt_message(hass, "a/e", "x" * 20_000)
    result = await step
    assert result["step_id"] == "preview"
    shown = result["description_placeholders"]["messages"].split("\n")
    assert shown == [
        "- **` a/b `** (retained)  ",
        "  ` mqtt,topic=a/b battery_level=5.0 `",
        "",
        "- **` a/c `**  ",
        '  ``` mqtt,topic=a/c mode_str="[x](http://evil) <b>``" ```',
        "",
        "- **` a/d `**  ",
        "  Not recorded: the payload cannot be read",
        "",
        "- **` a/e `**  ",
        "  Not recorded: more than 16 KiB, or a topic of more than 1 KiB",
        "",
        (
            "Messages marked as retained are what the broker has kept. They are shown here, but not"
            " recorded, because nobody knows from when they are."
        ),
    ]
    # Back to the topics, with what was entered.
    result = await submit(hass, result, next_step_id="topics")
    (marker,) = result["data_schema"].schema
    stored = marker.description["suggested_value"][0]
    assert (stored["topic"], stored["fields"]) == ("a/#", ["battery_level", "mode"])
    await deliver(hass, entry)


async def test_the_preview_shows_names_that_topics_of_one_measurement_use_differently(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    await added(hass, entry, "old/{room}")
    monkeypatch.setattr(mqtt_preview, "LISTEN_SECONDS", 1.0)
    result = await begin(
        hass, entry, source="reconfigure", subentry_id=subentry_of(entry).subentry_id
    )
    topics = [{"topic": "old/{room}"}, {"topic": "new/{device}/{field}"}]
    step = hass.async_create_task(submit(hass, result, topics=topics))
    await asyncio.sleep(0.2)
    async_fire_mqtt_message(hass, "old/attic", '{"device": 7, "level": "high", "both": "1.10"}')
    async_fire_mqtt_message(hass, "old/hall", '{"device": 8}')
    async_fire_mqtt_message(hass, "new/lamp/level", "3")
    async_fire_mqtt_message(hass, "new/lamp/both", "2")
    result = await step
    assert result["step_id"] == "preview"
    shown = result["description_placeholders"]["messages"].split("\n\n")
    clashes = [each for each in shown if each.startswith("\u26a0")]
    assert len(shown) == len(clashes) + 4
    tag, kind, tags = clashes
    stored = re.search(r"stored as ` (device~\w{8}) `", tag)
    assert stored
    assert f"{stored[1]}=7.0" in shown[2]
    assert tag.startswith("\u26a0\ufe0f In ` mqtt `, ` device ` is a tag.")
    assert kind == (
        "\u26a0\ufe0f In ` mqtt `, ` level ` is a number of ` new/lamp/level ` and a text of"
        " ` old/attic `. They are stored as two fields, ` level ` and ` level_str `."
    )
    assert "have the tags ` room ` so far, and get the tags ` device, room `." in tags
    await deliver(hass, entry)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "no_topics"),
        ([{"topic": "a"}] * 51, "too_many_topics"),
        ([{"topic": " "}], "topic_not_possible"),
        ([{"topic": "a/{x"}], "topic_not_possible"),
        ([{"topic": "a/\x00"}], "topic_not_possible"),
        ([{"topic": "a" * 2000}], "topic_not_possible"),
        ([{"topic": "$share/us/a"}], "topic_not_possible"),
        ([{"topic": "a/{x}"}, {"topic": "a/{y}"}], "topic_twice"),
        ([{"topic": "a/{x}"}, {"topic": "b/{x}"}], "same_series"),
        ([{"topic": "a/{x}"}, {"topic": "b/{x}/{field}"}], "same_series"),
        ([{"topic": "a/{topic}"}], "tag_not_possible"),
        ([{"topic": "a/{x_str}"}], "tag_not_possible"),
        ([{"topic": "a/{time}"}], "tag_not_possible"),
        ([{"topic": "/".join(f"{{t{each}}}" for each in range(17))}], "tag_not_possible"),
        ([{"topic": "a", "measurement": "home_assistant_events"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "devices"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "home_assistant_statistics"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "ha_ingestor_self_test"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "light"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "odd_domain"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "of all"}], "measurement_reserved"),
        ([{"topic": "a", "measurement": "_internal"}], "name_not_possible"),
        ([{"topic": "a", "field": 'a"b'}], "name_not_possible"),
        ([{"topic": "a", "fields": [f"f{each}" for each in range(65)]}], "too_many_fields"),
        ([{"topic": "a", "texts": ["f" * 300]}], "too_many_fields"),
    ],
)
async def test_what_cannot_be_stored_is_refused(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    entry: MockConfigEntry,
    rows: list[dict[str, Any]],
    error: str,
) -> None:
    hass.states.async_set("odd_domain.attic", "on")
    await set_up(hass, entry)
    options = {"core": {"override_measurement": "of all"}}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    result = await submit(hass, await begin(hass, entry), presets=[])
    result = await submit(hass, result, topics=rows)
    assert result["errors"] == {"topics": error}
    apart = [{"topic": "a"}, {"topic": "b"}, {"topic": "c/#"}, {"topic": "a/{x}"}]
    result = await submit(hass, result, topics=apart)
    assert result["step_id"] == "preview_empty"
    await deliver(hass, entry)


async def test_there_is_one_list_for_a_destination_and_it_can_be_changed(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await added(hass, entry, "a/{x}")
    result = await begin(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    subentry_id = subentry_of(entry).subentry_id
    result = await begin(hass, entry, source="reconfigure", subentry_id=subentry_id)
    assert result["step_id"] == "topics"
    result = await submit(hass, result, topics=[{"topic": "b/{x}", "field": "level"}])
    result = await submit(hass, result, next_step_id="save")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert subentry_of(entry).data["topics"][0]["topic"] == "b/{x}"
    async_fire_mqtt_message(hass, "b/c", "5")
    async_fire_mqtt_message(hass, "a/c", "6")
    await deliver(hass, entry)
    found = [each.fields for each in points(database) if "x" in each.tags]
    assert found == [{"level": 5.0}]


async def test_without_the_mqtt_integration_it_says_so(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    result = await begin(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_not_set_up")
    await deliver(hass, entry)


async def test_topics_are_not_changed_while_the_mqtt_integration_is_away(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await added(hass, entry, "a/{x}")
    before = subentry_of(entry)
    (mqtt,) = hass.config_entries.async_entries("mqtt")
    await hass.config_entries.async_set_disabled_by(mqtt.entry_id, ConfigEntryDisabler.USER)
    result = await begin(hass, entry, source="reconfigure", subentry_id=before.subentry_id)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_not_set_up")
    assert subentry_of(entry) == before
    await deliver(hass, entry)


async def test_the_preview_ends_as_soon_as_it_has_as_many_topics_as_it_shows(
    hass: HomeAssistant,
    mqtt_mock: MqttMockHAClient,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt_preview, "LISTEN_SECONDS", 60.0)
    await set_up(hass, entry)
    result = await submit(hass, await begin(hass, entry), presets=[])
    step = hass.async_create_task(submit(hass, result, topics=[{"topic": "a/#"}]))
    await asyncio.sleep(0.2)
    for number in range(mqtt_preview.TOPICS_MAX + 1):
        async_fire_mqtt_message(hass, f"a/{number}", "1")
    result = await asyncio.wait_for(step, 30)
    assert result["description_placeholders"]["messages"].count("**") == 2 * 20
    await deliver(hass, entry)


async def test_what_no_topic_of_the_list_fits_is_not_in_the_preview(hass: HomeAssistant) -> None:
    messages = {"a/b": (b"1", False)}
    assert await mqtt_preview.async_described(hass, messages, [], numbers_only=False) == ""
