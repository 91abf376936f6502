"""What devices and entities are goes the way of all points, whenever it changes."""

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers.entity import EntityCategory
from homeassistant.util import dt as dt_util
from line_protocol_parser import parse_line
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.enrich.selection import EVERYTHING
from custom_components.ha_ingestor.options.events import CONF_REGISTRIES, EVENTS
from custom_components.ha_ingestor.pipeline.model import Item
from custom_components.ha_ingestor.registry.history import CHUNK, RegistryHistory
from custom_components.ha_ingestor.registry.history_log import FILE, HistoryLog
from custom_components.ha_ingestor.registry.snapshot import async_snapshot
from tests.emulator import Emulator
from tests.emulator.dialects import Answer
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.running import BrokenDisk, Switch, running
from tests.pipeline.scripted_writer import ScriptedWriter
from tests.shell import deliver, new_entry, set_up, spool_path, until, unzipped

ON: Final = {EVENTS: {CONF_REGISTRIES: True}}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MEASUREMENTS: Final = {"devices": "device_id", "entities": "entity_id"}

type Told = list[dict[str, Any]]


def curious(url: str, options: dict[str, Any] | None = None, **more: Any) -> MockConfigEntry:
    """A destination that wants the registries."""
    data = new_entry(url, **more).data
    return MockConfigEntry(domain=DOMAIN, title="Attic", data=data, options=ON | (options or {}))


@pytest.fixture
def entry(database: Emulator) -> MockConfigEntry:
    """One of InfluxDB 1."""
    return curious(database.url)


@pytest.fixture(name="hue")
def _hue(hass: HomeAssistant) -> MockConfigEntry:
    found = MockConfigEntry(domain="hue", title="Bridge")
    found.add_to_hass(hass)
    return found


def furnish(hass: HomeAssistant, hue: MockConfigEntry) -> tuple[dr.DeviceEntry, er.RegistryEntry]:
    """A lamp."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=hue.entry_id,
        identifiers={("hue", "1")},
        name="Lamp",
        manufacturer="Signify",
        model="LCA001",
        sw_version="1.0",
    )
    entity = er.async_get(hass).async_get_or_create(
        "light",
        "hue",
        "1",
        suggested_object_id="lamp",
        config_entry=hue,
        device_id=device.id,
        original_name="Light",
    )
    return device, entity


def told(database: Emulator, measurement: str = "", key: str = "") -> Told:
    """The rows that the database has, in the order of time; of one device or entity."""
    found: dict[Any, dict[str, Any]] = {}
    for seen in database.writes:
        for line in filter(None, unzipped(seen).decode().split("\n")):
            row = parse_line(line)
            if row["measurement"] in MEASUREMENTS:
                # What is sent again because an answer got lost is stored once.
                found[key_of(row), row["time"]] = row
    rows = [row for (name, _), row in found.items() if measurement in {"", name[0]}]
    wanted = [row for row in rows if key in {"", key_of(row)[1]}]
    return sorted(wanted, key=lambda row: int(row["time"]))


def key_of(row: dict[str, Any]) -> tuple[str, str]:
    """What a row is of."""
    measurement = row["measurement"]
    return measurement, row["tags"][MEASUREMENTS[measurement]]


async def settle(hass: HomeAssistant) -> None:
    """Let the time pass after which the registries are read."""
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2.6))
    await hass.async_block_till_done(wait_background_tasks=False)


async def test_devices_and_entities_at_the_start_are_written_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    device, entity = furnish(hass, hue)
    before = time.time_ns()
    await set_up(hass, entry)
    await deliver(hass, entry)
    (lamp,) = told(database, "devices", device.id)
    assert lamp["tags"] == {
        "device_id": device.id,
        "manufacturer": "Signify",
        "model": "LCA001",
        "area_id": "unassigned",
    }
    assert lamp["fields"] == {
        "name": "Lamp",
        "sw_version": "1.0",
        "entity_count": 1.0,
        "removed": False,
    }
    (light,) = told(database, "entities", entity.entity_id)
    assert light["tags"] == {
        "entity_id": "light.lamp",
        "device_id": device.id,
        "domain": "light",
        "platform": "hue",
        "area_id": "unassigned",
    }
    assert light["fields"] == {
        "name": "Light",
        "unique_id": "1",
        "disabled": False,
        "removed": False,
    }
    assert before <= light["time"] <= time.time_ns()


async def test_the_history_of_the_registries_is_off_by_default(
    hass: HomeAssistant, database: Emulator, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    entry = new_entry(database.url)
    await set_up(hass, entry)
    await settle(hass)
    hass.states.async_set("light.lamp", "on")
    await deliver(hass, entry)
    assert told(database) == []
    assert len(database.points) == 1


async def test_our_own_entities_are_not_told_of(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    await set_up(hass, entry)
    await deliver(hass, entry)
    own = [each for each in er.async_get(hass).entities.values() if each.platform == DOMAIN]
    assert own
    assert {point["tags"].get("entity_id", "device") for point in told(database)} == {
        "light.lamp",
        "device",
    }
    assert len(told(database, "devices")) == 1


@pytest.mark.parametrize(
    ("lists", "is_told"),
    [
        ({"labels": ["private"]}, False),
        ({"categories": ["config"]}, False),
        ({"floors": ["ground"]}, False),
        ({"devices": ["DEVICE"]}, False),
        ({"include": {"floors": ["ground"]}}, True),
        ({"include": {"devices": ["DEVICE"]}}, True),
        ({"include": {"domains": ["sensor"]}}, False),
        ({"floors": ["ground"], "include": {"globs": ["light.*"]}}, True),
    ],
)
async def test_filtered_entities_are_not_in_the_history_of_the_registries(
    hass: HomeAssistant, database: Emulator, hue: MockConfigEntry, lists: Any, *, is_told: bool
) -> None:
    device, entity = furnish(hass, hue)
    floor = fr.async_get(hass).async_create("Ground")
    area = ar.async_get(hass).async_create("Kitchen", floor_id=floor.floor_id)
    dr.async_get(hass).async_update_device(device.id, labels={"private"}, area_id=area.id)
    er.async_get(hass).async_update_entity(entity.entity_id, entity_category=EntityCategory.CONFIG)
    stored = json.loads(json.dumps(lists).replace("DEVICE", device.id))
    entry = curious(database.url, {"filter": stored})
    await set_up(hass, entry)
    await deliver(hass, entry)
    assert bool(told(database, "entities", "light.lamp")) is is_told


async def test_a_row_for_victoriametrics_has_no_text(
    hass: HomeAssistant, socket_enabled: None, hue: MockConfigEntry
) -> None:
    device, _ = furnish(hass, hue)
    async with Emulator(dialect=Dialect.VICTORIAMETRICS) as database:
        entry = curious(database.url, dialect=Dialect.VICTORIAMETRICS.value)
        await set_up(hass, entry)
        await deliver(hass, entry)
    (lamp,) = told(database, "devices", device.id)
    assert lamp["fields"] == {"entity_count": 1.0, "removed": False}
    (light,) = told(database, "entities", "light.lamp")
    assert light["fields"] == {"disabled": False, "removed": False}


async def test_a_burst_is_one_or_two_snapshots_for_the_store_and_all_destinations(
    hass: HomeAssistant, database: Emulator, hue: MockConfigEntry
) -> None:
    entries = [curious(database.url) for _ in range(2)]
    for entry in entries:
        await set_up(hass, entry)
    await settle(hass)
    with patch(
        "custom_components.ha_ingestor.registry.watch.async_snapshot", wraps=async_snapshot
    ) as snapshot:
        for number in range(1000):
            er.async_get(hass).async_get_or_create("light", "hue", str(number), config_entry=hue)
        await settle(hass)
        for entry in entries:
            await deliver(hass, entry)
    assert 1 <= snapshot.await_count <= 2
    # The same row of both is one point.
    assert len(told(database, "entities")) == 1000


async def test_every_change_is_told_at_the_time_of_its_event(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    device, _ = furnish(hass, hue)
    devices, entities = dr.async_get(hass), er.async_get(hass)
    await set_up(hass, entry)
    await settle(hass)
    times: list[int] = []
    # Our own device and entities are changed meanwhile as well.
    subjects = {device.id, "light.lamp", "light.desk"}

    @callback
    def note(event: Event[Any]) -> None:
        if not subjects.isdisjoint(map(str, event.data.values())):
            times.append((event.time_fired - EPOCH) // timedelta(microseconds=1))

    for kind in (dr.EVENT_DEVICE_REGISTRY_UPDATED, er.EVENT_ENTITY_REGISTRY_UPDATED):
        hass.bus.async_listen(kind, note)
    area = ar.async_get(hass).async_create("Kitchen")
    devices.async_update_device(device.id, area_id=area.id)
    await settle(hass)
    entities.async_update_entity("light.lamp", new_entity_id="light.desk")
    await settle(hass)
    entities.async_remove("light.desk")
    await settle(hass)
    devices.async_remove_device(device.id)
    await deliver(hass, entry)
    moved, renamed, removed, *_ = times

    first, second, emptied, gone = told(database, "devices", device.id)
    assert [point["tags"]["area_id"] for point in (first, second)] == ["unassigned", area.id]
    assert (emptied["fields"]["entity_count"], gone["fields"]) == (0.0, {"removed": True})
    assert gone["tags"] == second["tags"]
    _, light, old = told(database, "entities", "light.lamp")
    assert light["tags"]["area_id"] == area.id
    assert (old["tags"], old["fields"]) == (light["tags"], {"removed": True})
    desk, desk_gone = told(database, "entities", "light.desk")
    assert (desk["fields"]["removed"], desk_gone["fields"]["removed"]) == (False, True)
    # Each further one of the same moment is a microsecond later.
    for point, then in ((second, moved), (light, moved), (desk, renamed), (old, renamed)):
        assert 0 <= point["time"] // 1000 - then <= 3
    assert 0 <= desk_gone["time"] // 1000 - removed <= 3


async def test_after_a_restart_only_what_changed_meanwhile_is_told(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    device, _ = furnish(hass, hue)
    await set_up(hass, entry)
    await deliver(hass, entry)
    assert len(told(database)) == 2
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    await deliver(hass, entry)
    assert len(told(database)) == 2
    dr.async_get(hass).async_update_device(device.id, sw_version="1.1")
    er.async_get(hass).async_remove("light.lamp")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    versions = [point["fields"].get("sw_version") for point in told(database, "devices")]
    assert versions == ["1.0", "1.1"]
    assert told(database, "entities")[-1]["fields"] == {"removed": True}
    assert len(told(database)) == 4


async def test_rows_are_in_the_ledger_like_all_points(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    await deliver(hass, entry)
    ledger = pipeline.ledger.as_dict()
    assert ledger["received"] == ledger["captured"] + sum(ledger["filtered"].values())
    assert ledger["captured"] == ledger["written"] == 2


async def test_what_waits_for_the_database_is_not_told_again(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    database.impostor = Answer(status=503)
    await set_up(hass, entry)
    await deliver(hass, entry)
    assert not database.points
    database.impostor = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: len(told(database)) == 2, 20)
    await deliver(hass, entry)
    assert len(told(database)) == 2


async def test_a_file_that_cannot_be_used_costs_rows_that_are_there_already(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    hue: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    furnish(hass, hue)
    file = spool_path(hass, entry) / FILE
    file.mkdir(parents=True)
    for _ in range(2):
        if not told(database):
            await set_up(hass, entry)
        else:
            assert await hass.config_entries.async_setup(entry.entry_id)
        await settle(hass)
        await settle(hass)
        await deliver(hass, entry)
    assert len(told(database)) == 4
    assert "will be written again: Is a directory" in caplog.text
    assert str(file) not in caplog.text


async def test_what_never_reached_the_disk_is_told_after_the_next_start(
    hass: HomeAssistant, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    disk, database = BrokenDisk(), Switch()
    database.up = False
    writer, place = ScriptedWriter(judge=database), Path(hass.config.path("rows"))
    async with running(MemoryFiles(fault=disk), writer) as pipeline:
        history = RegistryHistory(hass, pipeline, HistoryLog(place, "here"), EVERYTHING)
        history.async_start()
        await history.async_stop()
        await history.async_stop()
    assert writer.stored == []
    database.up = True
    for lines in (2, 2):
        async with running(MemoryFiles(), writer) as pipeline:
            history = RegistryHistory(hass, pipeline, HistoryLog(place, "here"), EVERYTHING)
            history.async_start()
            await history.async_stop()
        assert len(writer.stored) == lines


async def test_many_rows_come_in_parts_that_leave_room_for_the_events(
    hass: HomeAssistant, hue: MockConfigEntry
) -> None:
    for number in range(3 * CHUNK):
        er.async_get(hass).async_get_or_create("light", "hue", str(number), config_entry=hue)
    place = Path(hass.config.path("rows"))
    writer = ScriptedWriter()
    async with running(MemoryFiles(), writer) as pipeline:
        waiting: list[int] = []
        offer = pipeline.offer

        def offered(item: Item) -> None:
            offer(item)
            waiting.append(len(pipeline.intake))

        with patch.object(pipeline, "offer", offered):
            history = RegistryHistory(hass, pipeline, HistoryLog(place, "here"), EVERYTHING)
            history.async_start()
            await history.async_stop()
    assert max(waiting) == CHUNK
    assert len(writer.stored) == 3 * CHUNK


async def test_the_file_goes_with_its_destination(
    hass: HomeAssistant, entry: MockConfigEntry, hue: MockConfigEntry
) -> None:
    furnish(hass, hue)
    await set_up(hass, entry)
    await settle(hass)
    file = spool_path(hass, entry) / FILE
    assert file.exists()
    await hass.config_entries.async_remove(entry.entry_id)
    assert not file.exists()


def edits(hass: HomeAssistant, hue: MockConfigEntry, chance: random.Random) -> Iterator[None]:
    """Do whatever a user or an integration may do, one thing after the other, without end."""
    devices, entities, areas = dr.async_get(hass), er.async_get(hass), ar.async_get(hass)
    names = ["a", "b", "c", "d"]
    rooms = [areas.async_create(name).id for name in ("Attic", "Bath")]
    while True:
        there = [each for each in devices.devices if each.config_entry_id == hue.entry_id]
        lights = [each for each in entities.entities.values() if each.platform == "hue"]
        device = chance.choice(there) if there else None
        light = chance.choice(lights) if lights else None
        room = chance.choice([None, *rooms])
        name = chance.choice(names)
        match chance.randrange(8), device, light:
            case 0, _, _:
                devices.async_get_or_create(
                    config_entry_id=hue.entry_id, identifiers={("hue", name)}, name=name
                )
            case 1 | 2, _, _:
                entities.async_get_or_create(
                    "light",
                    "hue",
                    name,
                    config_entry=hue,
                    device_id=device.id if device else None,
                )
            case 3, dr.DeviceEntry(), _:
                devices.async_update_device(device.id, area_id=room, sw_version=name)
            case 4, dr.DeviceEntry(), _:
                devices.async_remove_device(device.id)
            case 5, _, er.RegistryEntry():
                entities.async_remove(light.entity_id)
            case 6, _, er.RegistryEntry():
                if not entities.async_get(f"light.{name}"):
                    entities.async_update_entity(light.entity_id, new_entity_id=f"light.{name}")
            case 7, _, er.RegistryEntry():
                by = er.RegistryEntryDisabler.USER
                disabled_by = None if light.disabled_by else by
                entities.async_update_entity(
                    light.entity_id, name=name, area_id=room, disabled_by=disabled_by
                )
        yield


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_the_newest_rows_are_the_registries(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    hue: MockConfigEntry,
    seed: int,
) -> None:
    chance = random.Random(seed)
    doing = edits(hass, hue, chance)
    await set_up(hass, entry)
    for _ in range(30):
        for _ in range(chance.randrange(4)):
            next(doing)
        if chance.random() < 0.2:
            await deliver(hass, entry)
            if chance.random() < 0.5:
                next(doing)
            assert await hass.config_entries.async_setup(entry.entry_id)
        else:
            await settle(hass)
    await deliver(hass, entry)

    newest = {key_of(point): point for point in told(database)}
    present = {key: point for key, point in newest.items() if not point["fields"]["removed"]}
    lights = [each for each in er.async_get(hass).entities.values() if each.platform == "hue"]
    lamps = [each for each in dr.async_get(hass).devices if each.config_entry_id == hue.entry_id]
    assert present.keys() == {
        *(("entities", each.entity_id) for each in lights),
        *(("devices", each.id) for each in lamps),
    }
    for light in lights:
        point = present["entities", light.entity_id]
        assert point["fields"]["disabled"] is light.disabled
        assert point["tags"]["device_id"] == (light.device_id or "unknown")
        area_id = er.async_get_effective_area_id(hass, light)
        assert point["tags"]["area_id"] == (area_id or "unassigned")
    for lamp in lamps:
        point = present["devices", lamp.id]
        assert point["fields"]["sw_version"] == (lamp.sw_version or "Unknown")
        assert point["fields"]["entity_count"] == sum(each.device_id == lamp.id for each in lights)
    said: dict[tuple[str, str], str] = {}
    for point in told(database):
        key = key_of(point)
        content = json.dumps([point["tags"], point["fields"]], sort_keys=True)
        assert said.get(key) != content
        said[key] = content
