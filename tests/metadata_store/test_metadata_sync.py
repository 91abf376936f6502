"""Devices and entities are kept from the registries, and told to those who may know."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import label_registry as lr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN, SPOOL_DIRECTORY
from custom_components.ha_ingestor.metadata_store.metadata_sync import METADATA_SYNC
from custom_components.ha_ingestor.metadata_store.store import FILE
from custom_components.ha_ingestor.registry.schedule import Intervals
from custom_components.ha_ingestor.registry.snapshot import async_snapshot
from tests.metadata_store.homes import look
from tests.shell import NOWHERE, new_entry, set_up

DEVICES: Final = "/api/ha_ingestor/devices"
ENTITIES: Final = "/api/ha_ingestor/entities"
SNAPSHOT: Final = "custom_components.ha_ingestor.registry.watch.async_snapshot"
INTERVALS: Final = Intervals()


PAGE: Final = (
    "https://github.com/ha-ingestor/ha_ingestor/blob/main/docs/data-api.md#the-metadata-store"
)


@pytest.fixture
def entry(socket_enabled: None) -> MockConfigEntry:
    """A destination that needs no database."""
    return new_entry(NOWHERE)


@pytest.fixture
def other(hass: HomeAssistant) -> MockConfigEntry:
    """Another integration's entry."""
    found = MockConfigEntry(domain="hue", title="Bridge")
    found.add_to_hass(hass)
    return found


def furnish(hass: HomeAssistant, other: MockConfigEntry) -> tuple[dr.DeviceEntry, er.RegistryEntry]:
    """A lamp."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("hue", "1")}, name="Lamp"
    )
    entity = er.async_get(hass).async_get_or_create(
        "light",
        "hue",
        "1",
        suggested_object_id="lamp",
        config_entry=other,
        device_id=device.id,
    )
    return device, entity


async def settle(hass: HomeAssistant, seconds: float = INTERVALS.quiet) -> None:
    """Let the time pass after which changes are stored."""
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds + 0.6))
    await hass.async_block_till_done(wait_background_tasks=True)


async def set_up_and_sync(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Start the entry, and have the registries stored."""
    await set_up(hass, entry)
    await settle(hass)


async def get(client: Any, url: str, **parameters: str) -> list[dict[str, Any]]:
    """Ask, and expect an answer."""
    reply = await client.get(url, params=parameters)
    assert reply.status == HTTPStatus.OK, await reply.text()
    assert reply.content_type == "application/json"
    body = await reply.json()
    rows: list[dict[str, Any]] = body[url.rpartition("/")[2]]
    assert body["count"] == len(rows)
    return rows


def store_file(hass: HomeAssistant) -> Path:
    return Path(hass.config.path(SPOOL_DIRECTORY, FILE))


async def test_devices_and_entities_are_answered(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    device, entity = furnish(hass, other)
    hass.services.async_register("light", "turn_on", lambda call: None)
    await set_up_and_sync(hass, entry)
    client = await hass_client()
    (lamp,) = await get(client, ENTITIES, domain="light")
    assert (lamp["entity_id"], lamp["device_id"]) == ("light.lamp", device.id)
    assert lamp["registry_id"] == entity.id
    assert lamp["available_services"] == ["light.turn_on"]
    (found,) = await get(client, DEVICES, platform="hue")
    assert (found["device_id"], found["entity_count"]) == (device.id, 1)
    assert (found["integration"], found["status"]) == ("hue", "active")


async def test_every_kind_of_change_is_stored_soon(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    device, _ = furnish(hass, other)
    await set_up_and_sync(hass, entry)
    client = await hass_client()
    area = ar.async_get(hass).async_create("Kitchen")
    label = lr.async_get(hass).async_create("Old")
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    entities = er.async_get(hass)
    entities.async_update_entity(
        "light.lamp", new_entity_id="light.desk", labels={label.label_id}, aliases=["Desk"]
    )
    await settle(hass)
    (lamp,) = await get(client, ENTITIES, label=label.label_id, area_id=area.id, alias="desk")
    assert (lamp["entity_id"], lamp["previous_entity_ids"]) == ("light.desk", ["light.lamp"])
    entities.async_remove("light.desk")
    await settle(hass)
    assert await get(client, ENTITIES, domain="light") == []
    (gone,) = await get(client, ENTITIES, domain="light", include_removed="true")
    assert gone["removed_at"]


@pytest.mark.parametrize("table", ["areas", "floors", "labels", "devices", "entities"])
async def test_each_registry_is_followed(
    hass: HomeAssistant, entry: MockConfigEntry, other: MockConfigEntry, table: str
) -> None:
    device, _ = furnish(hass, other)
    await set_up_and_sync(hass, entry)
    match table:
        case "areas":
            ar.async_get(hass).async_create("New")
        case "floors":
            fr.async_get(hass).async_create("New")
        case "labels":
            lr.async_get(hass).async_create("New")
        case "devices":
            dr.async_get(hass).async_update_device(device.id, name_by_user="New")
        case "entities":
            er.async_get(hass).async_update_entity("light.lamp", name="New")
    await settle(hass)
    names = look(store_file(hass).parent, f"SELECT data ->> 'name' FROM {table}")  # noqa: S608
    assert ("New",) in names


async def test_a_burst_of_changes_is_one_sync(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up_and_sync(hass, entry)
    syncs = []

    async def counted(hass: HomeAssistant) -> Any:
        syncs.append(1)
        return await async_snapshot(hass)

    monkeypatch.setattr(SNAPSHOT, counted)
    entities = er.async_get(hass)
    for number in range(1000):
        entities.async_get_or_create("sensor", "hue", str(number), config_entry=other)
    await settle(hass)
    assert len(syncs) == 1
    assert hass.data[METADATA_SYNC].state.changes.added >= 1000


async def test_a_change_during_a_sync_is_not_forgotten(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up_and_sync(hass, entry)

    async def late(hass: HomeAssistant) -> Any:
        home = await async_snapshot(hass)
        furnish(hass, other)
        return home

    monkeypatch.setattr(SNAPSHOT, late)
    ar.async_get(hass).async_create("Kitchen")
    await settle(hass)
    monkeypatch.setattr(SNAPSHOT, async_snapshot)
    await settle(hass)
    assert len(await get(await hass_client(), ENTITIES, domain="light")) == 1


async def test_changes_without_an_event_are_seen_at_the_refresh(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    furnish(hass, other)
    await set_up_and_sync(hass, entry)
    client = await hass_client()
    (before,) = await get(client, ENTITIES, domain="light")
    hass.services.async_register("light", "blink", lambda call: None)
    await settle(hass, INTERVALS.refresh)
    await settle(hass, INTERVALS.refresh + 5)
    (after,) = await get(client, ENTITIES, domain="light")
    assert (before["available_services"], after["available_services"]) == (None, ["light.blink"])
    assert after["last_seen"] > before["last_seen"]


async def test_the_registries_are_read_again_once_home_assistant_has_started(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.set_state(CoreState.starting)
    await set_up_and_sync(hass, entry)
    first = hass.data[METADATA_SYNC].state.synced_at
    assert first
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass, 10)
    second = hass.data[METADATA_SYNC].state.synced_at
    assert second
    assert second > first


@pytest.mark.parametrize("url", [DEVICES, ENTITIES])
async def test_a_request_without_a_valid_token_is_unauthorized(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    url: str,
) -> None:
    await set_up(hass, entry)
    client = await hass_client_no_auth()
    reply = await client.get(url)
    assert reply.status == HTTPStatus.UNAUTHORIZED
    reply = await client.get(url, headers={"Authorization": "Bearer made-up"})
    assert reply.status == HTTPStatus.UNAUTHORIZED


async def test_everything_is_read_page_by_page(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await set_up_and_sync(hass, entry)
    client = await hass_client()

    async def page(query: str) -> list[str]:
        told = await (await client.get(f"{ENTITIES}?{query}")).json()
        return [row["entity_id"] for row in told["entities"]]

    everything = await page("limit=10000")
    assert len(everything) > 7
    pages = [await page(f"limit=5&offset={n}") for n in range(0, len(everything) + 5, 5)]
    assert [entity_id for found in pages for entity_id in found] == everything


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("offset=-1", "offset: not one number from 0 to 999999999"),
        ("limit=0", "limit: not one number from 1 to 10000"),
        ("limit=x", "limit: not one number from 1 to 10000"),
        ("has_aliases=maybe", "has_aliases: neither true nor false"),
        ("domain=light&domain=switch", "domain: given more than once"),
        ("colour=red", "colour: not one of limit, domain, platform"),
    ],
)
async def test_an_invalid_query_is_answered_with_the_invalid_part(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    query: str,
    message: str,
) -> None:
    await set_up(hass, entry)
    client = await hass_client()
    reply = await client.get(f"{ENTITIES}?{query}")
    assert reply.status == HTTPStatus.BAD_REQUEST
    assert (await reply.json())["message"].startswith(message)


@pytest.mark.parametrize("query", ["domain=%00", "domain=%FF", "alias=%ED%A0%80", "label='--"])
async def test_unusual_characters_in_a_query_match_nothing_and_raise_nothing(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry, query: str
) -> None:
    await set_up(hass, entry)
    client = await hass_client()
    reply = await client.get(f"{ENTITIES}?{query}")
    assert (reply.status, (await reply.json())["count"]) == (HTTPStatus.OK, 0)


async def test_two_destinations_share_one_store_until_the_last_is_unloaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    second = new_entry(NOWHERE)
    await set_up(hass, entry)
    await set_up(hass, second)
    client = await hass_client()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await client.get(DEVICES)).status == HTTPStatus.OK
    assert await hass.config_entries.async_unload(second.entry_id)
    assert (await client.get(DEVICES)).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert await hass.config_entries.async_setup(second.entry_id)
    assert (await client.get(DEVICES)).status == HTTPStatus.OK


async def test_the_store_is_closed_when_home_assistant_stops(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """SQLite takes its -wal along when it is closed."""
    await set_up_and_sync(hass, entry)
    file = store_file(hass)
    assert file.with_name(f"{FILE}-wal").exists()
    await hass.async_stop(force=True)
    assert file.exists()
    assert not file.with_name(f"{FILE}-wal").exists()


async def test_the_store_goes_with_the_last_destination(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    second = new_entry(NOWHERE)
    await set_up(hass, entry)
    await set_up(hass, second)
    await settle(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert store_file(hass).exists()
    await hass.config_entries.async_remove(second.entry_id)
    assert not store_file(hass).parent.exists()


async def test_a_damaged_file_is_rebuilt_and_a_repair_says_so_until_it_was_read(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    furnish(hass, other)
    store_file(hass).parent.mkdir()
    store_file(hass).write_bytes(b"nonsense" * 1000)
    assert await async_setup_component(hass, "repairs", {})
    await set_up(hass, entry)
    client = await hass_client()
    assert await get(client, ENTITIES, domain="light") == []
    await settle(hass)
    assert len(await get(client, ENTITIES, domain="light")) == 1
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "metadata_damaged")
    assert issue
    assert issue.translation_placeholders == {"file": f"damaged-{FILE}"}
    assert issue.learn_more_url == PAGE

    wanted = {"handler": DOMAIN, "issue_id": "metadata_damaged"}
    form = await (await client.post("/api/repairs/issues/fix", json=wanted)).json()
    await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    er.async_get(hass).async_update_entity("light.lamp", name="Desk")
    await settle(hass, 10)
    assert (await get(client, ENTITIES, domain="light"))[0]["friendly_name"] == "Desk"
    assert ir.async_get(hass).async_get_issue(DOMAIN, "metadata_damaged") is None


async def test_a_disk_that_refuses_is_a_repair_until_it_takes_the_file(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    furnish(hass, other)
    store_file(hass).mkdir(parents=True)  # nobody can open a folder as a database
    await set_up_and_sync(hass, entry)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "metadata_error")
    assert issue
    assert issue.translation_placeholders == {"detail": "unable to open database file"}
    assert issue.learn_more_url == PAGE
    client = await hass_client()
    assert len(await get(client, ENTITIES, domain="light")) == 1

    store_file(hass).rmdir()
    er.async_get(hass).async_update_entity("light.lamp", name="Desk")
    await settle(hass, 10)
    assert ir.async_get(hass).async_get_issue(DOMAIN, "metadata_error") is None
    assert (await get(client, ENTITIES, domain="light"))[0]["friendly_name"] == "Desk"


async def test_diagnostics_tell_how_the_store_is(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    other: MockConfigEntry,
) -> None:
    furnish(hass, other)
    assert await async_setup_component(hass, "diagnostics", {})
    await set_up_and_sync(hass, entry)
    client = await hass_client()
    reply = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    found = (await reply.json())["data"]["metadata"]
    assert found["synced_at"]
    assert found["changes"]["added"] > 1
    assert (found["error"], found["aside"]) == ("", None)
