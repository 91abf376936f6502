"""A real Home Assistant keeps a data-api like its registries, whatever a user does there."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from scripts.rig.data_api import DataApi, Era, in_background
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect, connect_data_api
from scripts.rig.servers import Server

from .installation import any_database, until

KEY: Final = "the-key-of-the-data-api"
# Two seconds of quiet, and what the rest takes on a machine that does other things too.
SOON: Final = 15.0


@pytest.fixture(name="server", scope="module", params=Era)
def _server(request: pytest.FixtureRequest) -> Iterator[DataApi]:
    with in_background(DataApi(api_key=KEY, era=request.param)) as server:
        yield server


@pytest.fixture(name="home", scope="module")
def _home(server: DataApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    name = any_database()
    home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"), demo=True)
    with Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True) as database:
        database.start()
        home.start()
        try:
            entry = connect(home.api, address_of(database, database.database))["result"]
            connect_data_api(home.api, entry["entry_id"], server.url, KEY)
            assert until(lambda: server.tables.entities, seconds=SOON)
            yield home
        finally:
            home.stop()


def unlike(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Any]:
    """Tell what is in a row, and what should be."""
    return [(key, row.get(key), value) for key, value in wanted.items() if row.get(key) != value]


def differences(home: HomeAssistant, server: DataApi) -> list[Any]:
    """Compare every row with what Home Assistant says of it; an empty list when they are equal."""
    found: list[Any] = []
    areas: dict[str, str | None] = {}
    for device in home.api.ws("config/device_registry/list"):
        row = server.tables.devices.get(device["id"], {})
        areas[device["id"]] = device["area_id"]
        wanted = {
            "name": device["name_by_user"] or device["name"],
            "area_id": device["area_id"],
            "manufacturer": device.get("manufacturer"),
            "sw_version": device.get("sw_version"),
            "entry_type": device.get("entry_type"),
            "config_entry_id": device["config_entry_id"],
            "labels": sorted(device["labels"]),
        }
        found += [
            (device["id"], key, row.get(key)) for key in wanted if row.get(key) != wanted[key]
        ]
    for entity in home.api.ws("config/entity_registry/list"):
        row = server.tables.entities.get(entity["entity_id"], {})
        wanted = {
            "device_id": entity["device_id"],
            "area_id": entity["area_id"] or areas.get(entity["device_id"]),
            "platform": entity["platform"],
            "unique_id": entity["unique_id"],
            "name": entity["name"],
            "original_name": entity["original_name"],
            "icon": entity["icon"],
            "config_entry_id": entity["config_entry_id"],
            "disabled": entity["disabled_by"] is not None,
            "labels": sorted(entity["labels"]),
        }
        found += unlike(row, wanted)
    return found


def seconds_until_equal(
    home: HomeAssistant, server: DataApi, change: Callable[[], object]
) -> float:
    """Change something, and say how long it took to arrive."""
    change()
    began = time.monotonic()
    assert until(lambda: not differences(home, server), seconds=SOON), differences(home, server)
    return time.monotonic() - began


def test_every_row_is_there_and_right(home: HomeAssistant, server: DataApi) -> None:
    assert until(lambda: not differences(home, server), seconds=SOON), differences(home, server)
    assert len(server.tables.entities) > 50
    assert len(server.tables.devices) > 10
    assert (("light", "turn_on") in server.tables.services) is server.has_services
    assert set(server.statuses) == ({200} if server.has_services else {200, 404})
    if server.has_services:
        lights = [row for row in server.tables.entities.values() if row["domain"] == "light"]
        assert lights
        assert all("light.turn_on" in row["available_services"] for row in lights)


def test_whatever_a_user_does_arrives_within_seconds(
    home: HomeAssistant, server: DataApi, record_property: Callable[[str, object], None]
) -> None:
    ws = home.api.ws
    device_id = next(
        device["id"] for device in ws("config/device_registry/list") if device["name"] != "Backup"
    )
    area_id = ws("config/area_registry/create", name="Orangery")["area_id"]
    label_id = ws("config/label_registry/create", name="Seasonal")["label_id"]
    entity_id = "input_boolean." + ws("input_boolean/create", name="Guest mode")["id"]
    update = "config/entity_registry/update"
    renamed = "input_boolean.renamed"
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: ws("input_boolean/create", name="Holiday"),
        "name": lambda: ws(update, entity_id=entity_id, name="Guests", labels=[label_id]),
        "move": lambda: ws(
            "config/device_registry/update",
            device_id=device_id,
            area_id=area_id,
            name_by_user="Renamed device",
        ),
        "rename": lambda: ws(update, entity_id=entity_id, new_entity_id=renamed),
        "disable": lambda: ws(update, entity_id=renamed, disabled_by="user"),
    }
    took = {
        name: round(seconds_until_equal(home, server, change), 1)
        for name, change in changes.items()
    }
    record_property("seconds from a change to equal rows", took)
    # A row that is too many is no difference: nobody can delete it there.
    ws("input_boolean/delete", input_boolean_id="holiday")
    told = home.api.diagnostics(home.api.entries(DOMAIN)[0]["entry_id"])["data"]["registries"]
    assert until(lambda: _stale(home) >= {entity_id, "input_boolean.holiday"}, seconds=SOON)
    assert told["connected"] is True
    assert told["rows_rejected"] == 0


def test_many_changes_are_few_requests(home: HomeAssistant, server: DataApi) -> None:
    entities = [entity["entity_id"] for entity in home.api.ws("config/entity_registry/list")][:40]
    before = len(server.upserts)
    for entity_id in entities:
        home.api.ws("config/entity_registry/update", entity_id=entity_id, name="Same")
    assert until(lambda: not differences(home, server), seconds=SOON), differences(home, server)
    assert len(server.upserts) - before <= 4


def test_after_a_restart_every_row_is_right(home: HomeAssistant, server: DataApi) -> None:
    home.stop()
    server.tables.clear()
    home.start()
    assert until(lambda: server.tables.entities, seconds=60)
    assert until(lambda: not differences(home, server), seconds=SOON), differences(home, server)


def _stale(home: HomeAssistant) -> set[str]:
    entry_id = home.api.entries(DOMAIN)[0]["entry_id"]
    return set(home.api.diagnostics(entry_id)["data"]["registries"]["stale"])
