"""A real Home Assistant tells over HTTP what its registries say, whatever a user does there."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

import pytest

from scripts.rig.api import Api, ApiError
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import any_database, until

# Two seconds of quiet, and what the rest takes on a machine that does other things too.
SOON: Final = 15.0

type Rows = dict[str, dict[str, Any]]


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    name = any_database()
    home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"), demo=True)
    with Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True) as database:
        database.start()
        home.start()
        try:
            connect(home.api, address_of(database, database.database))
            yield home
        finally:
            home.stop()


def told(home: HomeAssistant) -> tuple[Rows, Rows]:
    """What the store says."""
    devices = home.api.request("GET", "/api/ha_ingestor/devices?limit=1000")
    entities = home.api.request("GET", "/api/ha_ingestor/entities?limit=10000")
    return (
        {row["device_id"]: row for row in devices["devices"]},
        {row["entity_id"]: row for row in entities["entities"]},
    )


def registered(home: HomeAssistant) -> tuple[Rows, Rows]:
    """What Home Assistant says, in the words of the store."""
    devices = home.api.ws("config/device_registry/list")
    entities = home.api.ws("config/entity_registry/list")
    on = [entity["device_id"] for entity in entities]
    return (
        {
            device["id"]: {
                "name": device["name_by_user"] or device["name"],
                "area_id": device["area_id"],
                "manufacturer": device.get("manufacturer") or "Unknown",
                "model": device.get("model") or "Unknown",
                "sw_version": device.get("sw_version"),
                "config_entry_id": device["config_entry_id"],
                "labels": sorted(device["labels"]),
                "entity_count": on.count(device["id"]),
                "status": "active",
            }
            for device in devices
        },
        {
            entity["entity_id"]: {
                "registry_id": entity["id"],
                "device_id": entity["device_id"],
                "area_id": entity["area_id"],
                "platform": entity["platform"],
                "unique_id": entity["unique_id"],
                "name": entity["name"],
                "original_name": entity["original_name"],
                "icon": entity["icon"],
                "config_entry_id": entity["config_entry_id"],
                "disabled": entity["disabled_by"] is not None,
                "labels": sorted(entity["labels"]),
                "options": entity["options"],
                "removed_at": None,
            }
            for entity in entities
        },
    )


def differences(home: HomeAssistant) -> list[Any]:
    """Compare row by row and word by word, in both directions; empty when they are equal."""
    found: list[Any] = []
    for rows, wanted in zip(told(home), registered(home), strict=True):
        found += sorted(rows.keys() ^ wanted.keys())
        for key in rows.keys() & wanted.keys():
            found += [
                (key, word, rows[key][word], value)
                for word, value in wanted[key].items()
                if rows[key][word] != value
            ]
    return found


def seconds_until_equal(home: HomeAssistant, change: Callable[[], object]) -> float:
    """Change something, and say how long it took until it was told."""
    change()
    assert differences(home)
    began = time.monotonic()
    assert until(lambda: not differences(home), seconds=SOON), differences(home)
    return time.monotonic() - began


def test_every_row_is_there_and_right(home: HomeAssistant) -> None:
    assert until(lambda: not differences(home), seconds=SOON), differences(home)
    devices, entities = told(home)
    assert len(entities) > 50
    assert len(devices) > 10
    lights = [row for row in entities.values() if row["domain"] == "light"]
    assert lights
    assert all("light.turn_on" in row["available_services"] for row in lights)


def test_whatever_a_user_does_is_told_within_seconds(
    home: HomeAssistant, record_property: Callable[[str, object], None]
) -> None:
    ws = home.api.ws
    device_id = next(
        device["id"] for device in ws("config/device_registry/list") if device["name"] != "Backup"
    )
    area_id = ws("config/area_registry/create", name="Winter garden")["area_id"]
    update = "config/entity_registry/update"
    old, new = "input_boolean.visitors", "input_boolean.guests"
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: ws("input_boolean/create", name="Visitors"),
        "name": lambda: ws(update, entity_id=old, name="People who visit"),
        "move": lambda: ws("config/device_registry/update", device_id=device_id, area_id=area_id),
        "rename": lambda: ws(update, entity_id=old, new_entity_id=new),
        "disable": lambda: ws(update, entity_id=new, disabled_by="user"),
        "remove": lambda: ws("input_boolean/delete", input_boolean_id="visitors"),
    }
    took = {name: round(seconds_until_equal(home, change), 1) for name, change in changes.items()}
    record_property("seconds from a change to equal rows", took)
    everything = home.api.request("GET", "/api/ha_ingestor/entities?limit=10000&include_removed=1")
    (gone,) = [row for row in everything["entities"] if row["entity_id"] == new]
    assert gone["previous_entity_ids"] == [old]
    assert gone["removed_at"] > gone["first_seen"]


def test_a_restarted_home_assistant_remembers(home: HomeAssistant) -> None:
    url = "/api/ha_ingestor/entities?include_removed=true&limit=10000"
    removed = "input_boolean.guests"
    before = {row["entity_id"]: row for row in home.api.request("GET", url)["entities"]}
    home.stop()
    home.start()
    assert until(lambda: not differences(home), seconds=SOON), differences(home)
    after = {row["entity_id"]: row for row in home.api.request("GET", url)["entities"]}
    assert after[removed] == before[removed]
    assert {key: row["first_seen"] for key, row in after.items() if key in before} == {
        key: row["first_seen"] for key, row in before.items()
    }


def test_a_request_with_a_wrong_token_is_unauthorized(home: HomeAssistant) -> None:
    stranger = Api(port=home.api.port, token="made up")
    with pytest.raises(ApiError) as refused:
        stranger.request("GET", "/api/ha_ingestor/devices")
    assert refused.value.status == HTTPStatus.UNAUTHORIZED
