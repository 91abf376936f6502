"""From Home Assistant's registries to the rows of a data-api, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.data_api import runner
from custom_components.ha_ingestor.data_api.runner import RegistrySync
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.registry import snapshot
from custom_components.ha_ingestor.registry.schedule import Intervals
from custom_components.ha_ingestor.registry.watch import WATCH, RegistryWatch
from scripts.rig.data_api import DataApi, Era, Fault
from tests.shell import until

pytestmark = pytest.mark.usefixtures("socket_enabled")

SOON = Intervals(quiet=0.05, longest=0.5)


@pytest.fixture(name="era", params=Era)
def _era(request: pytest.FixtureRequest) -> Era:
    era: Era = request.param
    return era


@pytest.fixture(name="server")
async def _server(era: Era) -> AsyncIterator[DataApi]:
    async with DataApi(era=era, has_services=True) as server:
        yield server


@pytest.fixture(name="hue")
def _hue(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(domain="hue", title="Hue Bridge")
    entry.add_to_hass(hass)
    return entry


@pytest.fixture(name="sync")
async def _sync(hass: HomeAssistant, server: DataApi) -> AsyncIterator[RegistrySync]:
    hass.data[WATCH] = RegistryWatch(hass, SOON)
    client = DataApiClient(async_get_clientsession(hass), server.url)
    sync = RegistrySync(hass, client, on_change=lambda: None, refresh=SOON.refresh)
    yield sync
    await sync.async_stop()


async def begun(sync: RegistrySync, seconds: float = 8) -> RegistrySync:
    sync.async_start()
    await until(lambda: sync.state.last_sync, seconds)
    return sync


def differences(hass: HomeAssistant, server: DataApi) -> list[Any]:
    """Compare every row with the entry of the registry it is of."""
    found: list[Any] = []
    devices = dr.async_get(hass)
    entries: list[dr.AnyDeviceEntry] = list(devices.devices)
    entries += devices.child_devices
    for entry in entries:
        row = server.tables.devices.get(entry.id, {})
        wanted: dict[str, Any] = {
            "name": entry.name_by_user or entry.name or entry.id,
            "area_id": dr.async_get_effective_area_id(hass, entry),
            "labels": sorted(entry.labels),
            "config_entry_id": entry.config_entry_id,
        }
        found += [(entry.id, key, row.get(key)) for key in wanted if row.get(key) != wanted[key]]
    entities = er.async_get(hass).entities
    for entity in entities.values():
        row = server.tables.entities.get(entity.entity_id, {})
        wanted = {
            "device_id": entity.device_id,
            "platform": entity.platform,
            "unique_id": entity.unique_id,
            "name": entity.name,
            "original_name": entity.original_name,
            "area_id": er.async_get_effective_area_id(hass, entity),
            "labels": sorted(entity.labels),
            "disabled": entity.disabled,
            "aliases": [alias for alias in entity.aliases if isinstance(alias, str)],
        }
        found += [(entity.id, key, row.get(key)) for key in wanted if row.get(key) != wanted[key]]
    return found


async def test_the_rows_are_those_of_the_registries(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    devices, entities = dr.async_get(hass), er.async_get(hass)
    bridge = devices.async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "bridge")}, name="Bridge"
    )
    for number in range(30):
        bulb = devices.async_get_or_create(
            config_entry_id=hue.entry_id,
            identifiers={("hue", str(number))},
            name=f"Bulb {number}",
            via_device_id=bridge.id,
        )
        entities.async_get_or_create(
            "light",
            "hue",
            str(number),
            config_entry=hue,
            device_id=bulb.id,
            suggested_object_id=f"hue_{number}",
            original_name="Light",
        )
    part = devices.async_get_or_create_child(
        config_entry_id=hue.entry_id,
        parent_device_id=bridge.id,
        identifiers={("hue", "part")},
        name="Part",
    )
    entities.async_get_or_create(
        "switch", "hue", "part", config_entry=hue, device_id=part.id, original_name="Outlet"
    )
    hass.services.async_register("lights", "blink", lambda call: None)

    await begun(sync)

    assert differences(hass, server) == []
    assert server.tables.devices[part.id]["via_device"] == bridge.id
    assert ("lights", "blink") in server.tables.services
    assert sync.state.rows_rejected == 0
    # Actions, devices, entities; and then two requests for stale rows.
    assert len(server.upserts) == 3
    await until(lambda: len(server.seen) == 5)

    area = ar.async_get(hass).async_create("Kitchen")
    label = lr.async_get(hass).async_create("Nice")
    fr.async_get(hass).async_create("Upstairs")
    devices.async_update_device(bridge.id, name_by_user="Mine", area_id=area.id)
    entities.async_update_entity("light.hue_3", new_entity_id="light.renamed")
    entities.async_update_entity("light.hue_4", labels={label.label_id}, name="Named")
    entities.async_remove("light.hue_5")
    await until(lambda: not differences(hass, server))

    await until(lambda: sync.state.rows_stale == 2)
    assert sync.state.stale == ("light.hue_3", "light.hue_5")
    assert sync.state.entities_renamed == 1
    assert {seen.path for seen in server.upserts[3:]} == {
        "/internal/devices/bulk_upsert",
        "/internal/entities/bulk_upsert",
    }


async def test_a_burst_of_events_is_one_or_two_syncs(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    entities = er.async_get(hass)
    entities.async_get_or_create("light", "hue", "1", config_entry=hue)
    await begun(sync)
    before = len(server.upserts)
    for number in range(1000):
        entities.async_update_entity("light.hue_1", name=f"Name {number}")
        if number % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: server.tables.entities["light.hue_1"]["name"] == "Name 999")
    assert 1 <= len(server.upserts) - before <= 2


async def test_an_action_that_comes_later_is_sent(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync
) -> None:
    await begun(sync)
    hass.services.async_register("lights", "blink", lambda call: None)
    await until(lambda: ("lights", "blink") in server.tables.services)


async def test_nothing_is_sent_before_home_assistant_has_started(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    hass.set_state(CoreState.starting)
    sync.async_start()
    er.async_get(hass).async_get_or_create("light", "hue", "1", config_entry=hue)
    await asyncio.sleep(0.2)
    assert server.seen == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: "light.hue_1" in server.tables.entities)


async def test_the_action_sends_everything_again(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    er.async_get(hass).async_get_or_create("light", "hue", "1", config_entry=hue)
    await begun(sync)
    server.tables.clear()
    sync.async_resync()
    await until(lambda: "light.hue_1" in server.tables.entities)


async def test_after_an_outage_everything_is_sent_again(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    entities = er.async_get(hass)
    entities.async_get_or_create("light", "hue", "1", config_entry=hue)
    await begun(sync)
    await server.__aexit__()
    server.tables.clear()
    entities.async_update_entity("light.hue_1", name="Later")
    await until(lambda: sync.state.connected is False)
    assert sync.state.problem is Problem.UNREACHABLE
    await server.__aenter__()
    await until(lambda: sync.state.connected, 20)
    assert differences(hass, server) == []


async def test_a_server_that_stops_in_the_middle_has_everything_in_the_end(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    page = Fault(status=200, body="<html>", headers={"Content-Type": "text/html"})
    server.faults.extend([Fault(kind="reset", apply=True), page, Fault(kind="truncate")])
    er.async_get(hass).async_get_or_create("light", "hue", "1", config_entry=hue)
    sync.async_start()
    await until(lambda: sync.state.last_sync, 30)
    assert differences(hass, server) == []


async def never(*_: object) -> None:
    await asyncio.Event().wait()


async def broken(*_: object) -> None:
    raise ModuleNotFoundError("No module named 'custom_components.odd'")


@pytest.mark.parametrize("describe", [broken, never])
async def test_actions_that_cannot_be_described_are_sent_by_name_and_it_is_said_once(  # noqa: PLR0917
    hass: HomeAssistant,
    server: DataApi,
    sync: RegistrySync,
    hue: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    describe: Any,
) -> None:
    """Home Assistant may wait without end for an integration that it failed to import."""
    monkeypatch.setattr(runner, "DESCRIBE_SECONDS", 0.3)
    monkeypatch.setattr(snapshot, "async_get_all_descriptions", describe)
    hass.services.async_register("light", "blink", lambda call: None)
    entities = er.async_get(hass)
    entities.async_get_or_create("light", "hue", "1", config_entry=hue)
    await begun(sync)
    assert differences(hass, server) == []
    assert server.tables.services["light", "blink"]["description"] is None
    assert server.tables.entities["light.hue_1"]["available_services"] == ["light.blink"]
    assert sync.undescribed == (
        "ModuleNotFoundError: No module named 'custom_components.odd'"
        if describe is broken
        else "Home Assistant is still reading them"
    )

    entities.async_update_entity("light.hue_1", name="New")
    await until(lambda: server.tables.entities["light.hue_1"]["name"] == "New")
    said = [record for record in caplog.records if "descriptions" in record.getMessage()]
    assert [record.levelname for record in said] == ["WARNING"]

    if describe is broken:
        right = AsyncMock(return_value={"light": {"blink": {"description": "Blinks"}}})
        monkeypatch.setattr(snapshot, "async_get_all_descriptions", right)
        sync.async_resync()
        await until(lambda: server.tables.services["light", "blink"]["description"] == "Blinks")
        assert sync.undescribed == ""


async def test_descriptions_that_come_late_are_sent_when_they_are_there(
    hass: HomeAssistant,
    server: DataApi,
    sync: RegistrySync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = asyncio.Event()

    async def slow(_hass: HomeAssistant) -> Any:
        await read.wait()
        return {"light": {"blink": {"description": "Blinks", "fields": {}}}}

    monkeypatch.setattr(runner, "DESCRIBE_SECONDS", 0.3)
    monkeypatch.setattr(snapshot, "async_get_all_descriptions", slow)
    hass.services.async_register("light", "blink", lambda call: None)
    await begun(sync)
    read.set()
    await until(lambda: server.tables.services["light", "blink"]["description"] == "Blinks")
    await until(lambda: sync.undescribed == "")


async def test_others_get_fresh_answers_after_a_first_sync_and_after_a_rename(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    """The programs of the server's home ask for a thousand devices, and hear from a cache."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "1")}, name="Old"
    )

    async def names() -> list[str]:
        session = async_get_clientsession(hass)
        async with session.get(f"{server.url}/api/devices", params={"limit": "1000"}) as reply:
            return [row["name"] for row in (await reply.json())["devices"]]

    assert server.tables.devices == {}
    await begun(sync)
    dr.async_get(hass).async_update_device(device.id, name_by_user="New")
    sync.async_resync()
    await until(lambda: server.tables.devices[device.id]["name"] == "New")
    assert await names() == ["New"]


async def test_a_refused_row_is_put_aside_and_everything_else_is_stored(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for number in range(50):
        device = devices.async_get_or_create(
            config_entry_id=hue.entry_id, identifiers={("hue", str(number))}, name=f"D{number}"
        )
        entities.async_get_or_create(
            "light", "hue", str(number), config_entry=hue, device_id=device.id
        )
    bad = next(device.id for device in devices.devices if device.name == "D7")
    server.tables.refuse = lambda row: (
        "odd" if row.get("device_id") == bad and "entity_id" not in row else None
    )
    # To find it takes more requests than may be made at once.
    await begun(sync, 60)
    assert [rejection.key for rejection in sync.state.rejections] == [bad]
    assert sync.state.rejections[0].reason == "Failed to bulk upsert devices: odd"
    assert len(server.tables.devices) == 49
    assert len(server.tables.entities) == 50


async def test_after_stopping_nothing_is_sent(
    hass: HomeAssistant, server: DataApi, sync: RegistrySync, hue: MockConfigEntry
) -> None:
    await begun(sync)
    await sync.async_stop()
    er.async_get(hass).async_get_or_create("light", "hue", "1", config_entry=hue)
    await asyncio.sleep(0.3)
    assert "light.hue_1" not in server.tables.entities
