"""What an administrator reads over the WebSocket: health, and points as they are captured."""

import asyncio
import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.health.websocket.live import EVERY
from custom_components.ha_ingestor.metadata_store.metadata_sync import METADATA_SYNC
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from scripts.rig.data_api import DataApi
from tests.data_api.test_data_api import with_data_api
from tests.emulator import Answer, Emulator, Fault
from tests.health.seen import deliver_one
from tests.shell import NOWHERE, new_entry, points, set_up, set_up_to_send_later, until

COMMANDS: Final = ("health", "subscribe", "subscribe_points", "last_hour")
EVERY_COMMAND: Final = (
    *(*COMMANDS, "preview_filter", "entities", "preview_entities", "change_entities"),
)
MARKUP: Final = "<img src=x> [x](http://evil) token=t0p-s3cr3t"


async def ask(client: MockHAClientWebSocket, command: str, **parameters: Any) -> Any:
    """Send a command and return its answer."""
    await client.send_json_auto_id({"type": f"ha_ingestor/{command}", **parameters})
    return await client.receive_json()


async def begin(client: MockHAClientWebSocket, command: str, **parameters: Any) -> Any:
    """Subscribe, and return what is there at once."""
    assert (await ask(client, command, **parameters))["success"]
    return await heard(client)


async def heard(client: MockHAClientWebSocket) -> Any:
    """Return the next event."""
    async with asyncio.timeout(8):
        message = await client.receive_json()
    assert message["type"] == "event"
    return message["event"]


async def is_silent(client: MockHAClientWebSocket) -> bool:
    """Whether nothing comes, although there would be time for it."""
    try:
        async with asyncio.timeout(0.2):
            await client.receive_json()
    except TimeoutError:
        return True
    return False


async def a_second_passes(hass: HomeAssistant, seconds: float = 1) -> None:
    """Let everything happen that is due each second."""
    async_fire_time_changed(hass, dt_util.utcnow() + seconds * EVERY)
    await hass.async_block_till_done(wait_background_tasks=True)


async def stays_silent(hass: HomeAssistant, client: MockHAClientWebSocket) -> bool:
    """Whether nothing comes for some seconds.

    That our own entities were updated is news, which may come later on a busy machine.
    """
    for _ in range(3):
        await a_second_passes(hass)
    return await is_silent(client)


def change(hass: HomeAssistant, count: int, entity_id: str = "sensor.attic") -> None:
    """Let an entity change so often."""
    for _ in range(count):
        change.number += 1  # type: ignore[attr-defined]
        hass.states.async_set(entity_id, str(change.number))  # type: ignore[attr-defined]


change.number = 0  # type: ignore[attr-defined]


def watchers(entry: MockConfigEntry) -> Sequence[object]:
    """Who looks at the points of a destination."""
    found: Sequence[object] = entry.runtime_data.pipeline._committer.watchers
    return found


async def test_the_health_is_told_with_everything_in_it(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    (found,) = (await ask(client, "health"))["result"]["destinations"]
    assert (found["config_entry_id"], found["state"]) == (entry.entry_id, "loaded")
    health = found["health"]
    assert (health["status"], health["problem"], health["breaker"]) == ("ok", "none", "closed")
    ledger = health["ledger"]
    gone = sum(ledger["filtered"].values()) + ledger["deduplicated"]
    assert ledger["received"] == gone + ledger["captured"] + ledger["waiting"]
    performance = health["performance"]
    assert performance["requests"]["accepted"] >= 2
    stages = performance["stages"]
    assert set(stages) == {
        *("captured_to_committed", "commit", "request", "captured_to_acknowledged"),
    }
    for stage in stages.values():
        assert len(stage["counts"]) == len(performance["bounds"]) + 1
    assert found["data_api"] is None


async def test_health_tells_the_rows_of_data_api_and_metadata_store(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, database: Emulator
) -> None:
    async with DataApi() as server:
        entry = with_data_api(database, server.url)
        await set_up(hass, entry)
        registries = entry.runtime_data.registries
        await until(lambda: registries.sync.state.last_sync and METADATA_SYNC in hass.data)
        await until(lambda: hass.data[METADATA_SYNC].state.synced_at)
        told = (await ask(await hass_ws_client(hass), "health"))["result"]
        data_api, store = told["destinations"][0]["data_api"], told["metadata_store"]
        assert data_api["rows_stored"]["devices"] == len(server.tables.devices) > 0
        assert data_api["rows_stored"]["entities"] == len(server.tables.entities) > 0
        assert (data_api["rejections"], data_api["stale"]) == ([], [])
        assert store["rows"]["devices"] == len(dr.async_get(hass).devices)
        assert store["rows"]["entities"] == len(er.async_get(hass).entities)
        assert (store["error"], store["changes"]["removed"]) == ("", 0)


@pytest.mark.parametrize("command", EVERY_COMMAND)
async def test_a_read_only_user_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    entry: MockConfigEntry,
    command: str,
) -> None:
    await set_up(hass, entry)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    one = {"config_entry_id": entry.entry_id}
    change = {**one, "entity_id": "sensor.a", "recorded": False}
    more = {
        "preview_filter": {**one, "filter": {}},
        "entities": one,
        "preview_entities": change,
        "change_entities": change,
    }
    answer = await ask(client, command, **more.get(command, {}))
    assert (answer["success"], answer["error"]["code"]) == (False, "unauthorized")


@pytest.mark.parametrize("command", COMMANDS)
async def test_an_unknown_destination_is_not_found(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry, command: str
) -> None:
    await set_up(hass, entry)
    other = MockConfigEntry(domain="hue")
    other.add_to_hass(hass)
    client = await hass_ws_client(hass)
    for wrong in ("nobody", other.entry_id, "<script>", "x" * 100_000):
        answer = await ask(client, command, config_entry_id=wrong)
        assert answer["error"]["code"] == "not_found"
        assert answer["error"]["message"] == "No destination has this config_entry_id"


@pytest.mark.parametrize(
    "wrong",
    [
        {"config_entry_id": None},
        {"entity_id": "no entity"},
        {"entity_id": ["sensor.a"] * 101},
        {"text": "x" * 256},
        {"text": ["x"]},
        {"more": 1},
    ],
)
async def test_a_wrong_parameter_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    wrong: dict[str, Any],
) -> None:
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    answer = await ask(client, "subscribe_points", **wrong)
    assert answer["error"]["code"] == "invalid_format"
    assert watchers(entry) == ()


@pytest.mark.parametrize("command", COMMANDS[:2])
async def test_without_a_destination_there_are_none(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, command: str
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    client = await hass_ws_client(hass)
    answer = await ask(client, command)
    found = answer["result"] if command == "health" else await heard(client)
    assert found == {"destinations": [], "metadata_store": None}


async def test_the_words_of_a_server_are_no_markup_and_tell_no_secret(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, database: Emulator
) -> None:
    body = json.dumps({"error": MARKUP})
    database.faults.extend([Fault(answer=Answer(status=403, body=body))] * 20)
    entry = new_entry(database.url)
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.BLOCKED)
    client = await hass_ws_client(hass)
    answer = await ask(client, "health")
    health = answer["result"]["destinations"][0]["health"]
    assert "img src" in health["detail"]
    told = json.dumps(answer)
    assert "t0p-s3cr3t" not in told
    assert "<img" not in told


async def test_the_refused_point_is_told_with_the_reason(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    body = json.dumps({"error": f"partial write: field type conflict {MARKUP} dropped=1"})
    database.faults.extend([Fault(answer=Answer(status=400, body=body))] * 9)
    hass.states.async_set("sensor.refused", "1")
    await hass.async_block_till_done()
    pipeline = entry.runtime_data.pipeline
    await pipeline.flush()
    await until(lambda: pipeline.ledger.quarantined)
    answer = await ask(await hass_ws_client(hass), "health")
    rejection = answer["result"]["destinations"][0]["health"]["rejection"]
    assert rejection["entity_id"] == "sensor.refused"
    assert "field type conflict" in rejection["reason"]
    assert rejection["line"].startswith("home_assistant_events,")
    assert "t0p-s3cr3t" not in json.dumps(answer)


async def test_a_change_of_health_is_told_once_in_a_second(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    before = (await begin(client, "subscribe"))["destinations"][0]["health"]
    change(hass, 30)
    await hass.async_block_till_done()
    assert await is_silent(client)
    await a_second_passes(hass)
    after = (await heard(client))["destinations"][0]["health"]
    assert after["ledger"]["received"] >= before["ledger"]["received"] + 30


async def test_while_somebody_looks_points_that_are_gathered_are_sent_each_second(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await set_up_to_send_later(hass, entry, database)
    client = await hass_ws_client(hass)
    change(hass, 1)
    await a_second_passes(hass)
    assert not points(database, "sensor.attic")

    await begin(client, "subscribe", config_entry_id=entry.entry_id)
    await a_second_passes(hass)
    await until(lambda: points(database, "sensor.attic"))


async def test_looking_does_not_try_again_what_failed(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await set_up_to_send_later(hass, entry, database)
    busy = Answer(status=503, headers={"Retry-After": "600"})
    database.impostor = busy
    change(hass, 1)
    entry.runtime_data.pipeline.send_waiting()
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.RETRYING)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe", config_entry_id=entry.entry_id)
    tried = len(database.seen)
    for _ in range(3):
        await a_second_passes(hass)
    assert len(database.seen) == tried


async def test_unchanged_health_is_not_sent_to_subscribers(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Its rates are known, and nothing has happened for a minute.
    monkeypatch.setattr("custom_components.ha_ingestor.pipeline.rate.SLOT_SECONDS", 0.005)
    await deliver_one(hass, entry)
    await asyncio.sleep(0.2)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe")
    await until(partial(stays_silent, hass, client))


async def test_a_reading_of_the_health_sends_no_update_to_subscribers(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await deliver_one(hass, entry)
    # Its rates are not those of a home at rest, and stay as they are: so each look reads again.
    rate = "custom_components.ha_ingestor.pipeline.rate.Rate.per_minute"
    monkeypatch.setattr(rate, lambda *_: 6.0)
    client = await hass_ws_client(hass)
    before = (await begin(client, "subscribe"))["destinations"][0]["health"]["performance"]
    await until(partial(stays_silent, hass, client))
    (found,) = (await ask(client, "health"))["result"]["destinations"]
    assert found["health"]["performance"]["thread_seconds"] > before["thread_seconds"]


async def test_a_subscription_to_health_outlives_a_reload(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe", config_entry_id=entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)
    (gone,) = (await heard(client))["destinations"]
    assert gone["state"] in {"unload_in_progress", "not_loaded"}
    assert gone["health"] is None
    await a_second_passes(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await a_second_passes(hass)
    states = []
    while "loaded" not in states:
        states.append((await heard(client))["destinations"][0]["state"])


async def test_a_removed_destination_is_gone_from_the_subscription(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe", config_entry_id=entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    await a_second_passes(hass)
    told = await heard(client)
    while told["destinations"]:
        await a_second_passes(hass)
        told = await heard(client)


async def test_a_filter_is_previewed_and_not_changed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    for entity_id in ("light.a", "light.b", "sensor.a"):
        hass.states.async_set(entity_id, "1")
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    named = {"config_entry_id": entry.entry_id}
    wanted = {"exclude": {"domains": ["light", "lihgt"]}}
    found = (await ask(client, "preview_filter", **named, filter=wanted))["result"]
    assert (found["captured"], found["total"]) == (1, 3)
    assert found["removed"] == ["light.a", "light.b"]
    assert found["unfit"] == [{"criterion": "domains", "value": "lihgt"}]
    assert entry.options == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"exclude": {"globs": ["*"]}},
        {"exclude": {"domains": [1]}},
        {"include": {"entities": ["x" * 10_000]}},
        {"include": 3},
        {"other": {}},
        [],
        7,
    ],
)
async def test_a_filter_that_is_not_possible_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    wrong: Any,
) -> None:
    await set_up(hass, entry)
    client = await hass_ws_client(hass)
    answer = await ask(client, "preview_filter", config_entry_id=entry.entry_id, filter=wrong)
    assert answer["error"]["code"] == "invalid_format"
    answer = await ask(client, "preview_filter", config_entry_id="nobody", filter={})
    assert answer["error"]["code"] == "not_found"


async def test_points_are_told_as_they_are_captured(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    there = await begin(client, "subscribe_points")
    assert there["destinations"] == [{"config_entry_id": entry.entry_id, "state": "loaded"}]
    # What was stored before is told at once.
    assert [point["fields"]["value"] for point in there["points"]] == [21.5]
    hass.states.async_set("sensor.attic", "22.25", {"unit_of_measurement": "°C"})
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.commit()
    await a_second_passes(hass)
    told = await heard(client)
    (point,) = told["points"]
    assert told["left_out"] == 0
    assert point["config_entry_id"] == entry.entry_id
    assert point["entity_id"] == point["tags"]["entity_id"] == "sensor.attic"
    assert point["measurement"] == "home_assistant_events"
    assert (point["fields"]["value"], point["fields"]["state"]) == (22.25, "22.25")
    assert point["line"].startswith("home_assistant_events,")
    state = hass.states.get("sensor.attic")
    assert state
    assert point["time"] == pytest.approx(state.last_updated_timestamp, abs=1e-5)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"entity_id": "sensor.cellar"}, {"sensor.cellar"}),
        ({"entity_id": ["sensor.cellar", "sensor.cellar_2"]}, {"sensor.cellar", "sensor.cellar_2"}),
        ({"text": "CELLAR"}, {"sensor.cellar", "sensor.cellar_2"}),
        ({"text": "cellar", "entity_id": "sensor.cellar_2"}, {"sensor.cellar_2"}),
        ({"entity_id": []}, {"sensor.attic", "sensor.cellar", "sensor.cellar_2"}),
    ],
)
async def test_points_can_be_chosen_by_entity_and_by_text(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    wanted: dict[str, Any],
    expected: set[str],
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe_points", **wanted)
    for entity_id in ("sensor.attic", "sensor.cellar", "sensor.cellar_2"):
        change(hass, 1, entity_id)
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.commit()
    await a_second_passes(hass)
    told = await heard(client)
    assert {point["entity_id"] for point in told["points"]} == expected
    assert told["left_out"] == 0


async def test_of_many_points_some_are_told_and_the_others_counted(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe_points")
    change(hass, 480)
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.commit()
    await a_second_passes(hass)
    told = await heard(client)
    assert (len(told["points"]), told["left_out"]) == (20, 460)
    await a_second_passes(hass)
    assert await is_silent(client)


async def test_the_end_of_a_connection_ends_its_subscription_to_points(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    assert watchers(entry) == ()
    client, other = await hass_ws_client(hass), await hass_ws_client(hass)
    await begin(client, "subscribe_points")
    assert (await ask(other, "subscribe_points"))["success"]
    assert len(watchers(entry)) == 2
    await client.close()
    await until(lambda: len(watchers(entry)) == 1)
    await heard(other)
    await other.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    assert (await other.receive_json())["success"]
    assert watchers(entry) == ()


async def test_a_subscription_to_points_outlives_a_reload(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)
    await begin(client, "subscribe_points", config_entry_id=entry.entry_id)
    before = entry.runtime_data.pipeline
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.runtime_data.pipeline is not before
    assert before._committer.watchers == ()
    change(hass, 1)
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.commit()
    await a_second_passes(hass)
    states, points = [], 0
    while not points:
        told = await heard(client)
        states.append(told["destinations"][0]["state"])
        points = len(told["points"])
    assert states[0] == "unload_in_progress"
    assert states[-1] == "loaded"


async def test_a_destination_that_cannot_be_set_up_is_told_with_its_state(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, socket_enabled: None
) -> None:
    entry = new_entry(NOWHERE, ca_certificate="no certificate")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is not ConfigEntryState.LOADED
    client = await hass_ws_client(hass)
    (found,) = (await ask(client, "health"))["result"]["destinations"]
    assert (found["state"], found["health"]) == (entry.state.value, None)
    told = await begin(client, "subscribe_points")
    assert told["destinations"][0]["state"] == entry.state.value


async def test_a_watcher_that_fails_costs_no_point(
    hass: HomeAssistant, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    await deliver_one(hass, entry)
    pipeline = entry.runtime_data.pipeline

    def fail(_lines: Sequence[str]) -> None:
        raise RuntimeError("no eyes")

    stop = pipeline.watch_lines(fail)
    before = pipeline.ledger.captured
    change(hass, 3)
    await hass.async_block_till_done()
    await pipeline.commit()
    stop()
    assert pipeline.ledger.captured == before + 3
    assert not pipeline.ledger.lost
    ours = (each for each in caplog.records if each.name.endswith(".committer"))
    errors = [each for each in ours if each.levelno == logging.ERROR]
    assert {each.getMessage() for each in errors} == {"Points could not be shown"}
    caplog.clear()


async def test_the_product_is_told_with_the_version_that_the_server_has_said(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await deliver_one(hass, entry)
    client = await hass_ws_client(hass)

    async def product() -> Any:
        (found,) = (await ask(client, "health"))["result"]["destinations"]
        return found["product"]

    async def is_known() -> bool:
        return bool(await product() == f"InfluxDB {database.profile.version}")

    await until(is_known)
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await product()
