"""A real database has what a real Home Assistant's registries say, whatever a user does there."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.destination import address_of
from scripts.rig.endpoint import Point
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.servers import Server

from . import summary
from .installation import until

DATABASE: Final = "influxdb2"
SPOOL: Final = {
    "gather": 0,
    "durability": "balanced",
    "max_size": 64,
    "min_free": 0,
    "compress": True,
}
KEYS: Final = {"devices": "device_id", "entities": "entity_id"}

type Rows = dict[str, dict[str, Any]]


class Home:
    """A Home Assistant that tells one database what its registries say."""

    def __init__(self, home: HomeAssistant, server: Server) -> None:
        """Connect them."""
        self.home, self.server = home, server
        self.ws = home.api.ws
        entry = connect(home.api, address_of(server, server.database))
        self.entry_id = entry["result"]["entry_id"]
        answer = {"types": [], "reported": False, "registries": True}
        home.api.set_options(self.entry_id, "events", **answer)
        # Sent at once: the tests wait for the rows of one change after the other.
        home.api.set_options(self.entry_id, "spool", **SPOOL)

    def points(self, measurement: str) -> list[Point]:
        """All rows that there ever were, in the order of time."""
        found = self.server.query_points(measurement)
        return sorted(found, key=lambda point: point["time_ns"])

    def told(self) -> Rows:
        """What the newest rows say of what is there."""
        newest = {
            (measurement, point["tags"][key]): point
            for measurement, key in KEYS.items()
            for point in self.points(measurement)
        }
        return {
            key: {**point["tags"], **point["fields"]}
            for (_, key), point in newest.items()
            if not point["fields"]["removed"]
        }

    def registered(self) -> Rows:
        """What Home Assistant says, in the words of the rows."""
        devices = self.ws("config/device_registry/list")
        entities = self.ws("config/entity_registry/list")
        places = {device["id"]: device["area_id"] for device in devices}
        on = [entity["device_id"] for entity in entities]
        own = {entity["device_id"] for entity in entities if entity["platform"] == DOMAIN}
        found: Rows = {
            device["id"]: {
                "device_id": device["id"],
                "manufacturer": device.get("manufacturer") or "Unknown",
                "model": device.get("model") or "Unknown",
                "area_id": device["area_id"] or "unassigned",
                "name": device["name_by_user"] or device["name"],
                "sw_version": device.get("sw_version") or "Unknown",
                "entity_count": float(on.count(device["id"])),
                "removed": False,
            }
            for device in devices
            if device["id"] not in own
        }
        found |= {
            entity["entity_id"]: {
                "entity_id": entity["entity_id"],
                "device_id": entity["device_id"] or "unknown",
                "domain": entity["entity_id"].partition(".")[0],
                "platform": entity["platform"],
                "area_id": entity["area_id"] or places.get(entity["device_id"]) or "unassigned",
                "name": entity["name"] or entity["original_name"] or "",
                "unique_id": str(entity["unique_id"]),
                "disabled": entity["disabled_by"] is not None,
                "removed": False,
            }
            for entity in entities
            if entity["platform"] != DOMAIN
        }
        return found

    def differences(self) -> list[Any]:
        """Compare row by row and word by word; empty when they are equal."""
        told, wanted = self.told(), self.registered()
        return [
            (key, told.get(key), wanted.get(key))
            for key in told.keys() | wanted.keys()
            if told.get(key) != wanted.get(key)
        ]

    def assert_equal(self) -> None:
        """Wait until the database is up to date."""
        assert until(lambda: not self.differences(), seconds=30), self.differences()


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home | Unavailable]:
    if isinstance(missing := binary(DATABASE), Unavailable):
        yield missing
        return
    home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"), demo=True)
    with Server(name=DATABASE, directory=tmp_path_factory.mktemp(DATABASE), auth=True) as server:
        server.start()
        home.start()
        try:
            yield Home(home, server)
        finally:
            home.stop()


@pytest.fixture(autouse=True)
def _is_there(home: Home | Unavailable, request: pytest.FixtureRequest) -> None:
    """Name the database at the end of the run, or why there is none."""
    noted = request.node.user_properties
    if isinstance(home, Unavailable):
        noted.append((summary.MISSING, (DATABASE, home.reason)))
        pytest.skip(f"{DATABASE}: {home.reason}")
    version = home.server.version or DATABASES[DATABASE].version
    noted.append((summary.EXERCISED, (DATABASE, version)))


def test_every_device_and_entity_is_there_and_right(home: Home) -> None:
    home.assert_equal()
    told = home.told()
    assert sum("." in key for key in told) > 50
    assert sum("." not in key for key in told) > 10


def test_each_change_by_a_user_writes_another_row(home: Home) -> None:
    ws = home.ws
    home.assert_equal()
    device_id = next(
        each["id"]
        for each in ws("config/device_registry/list")
        if home.told().get(each["id"], {}).get("entity_count")
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
    for change in changes.values():
        change()
        assert home.differences()
        home.assert_equal()
    by_name = {
        name: [
            each["fields"] for each in home.points("entities") if each["tags"]["entity_id"] == name
        ]
        for name in (old, new)
    }
    assert [row.get("name") for row in by_name[old]] == ["Visitors", "People who visit", None]
    assert [row.get("disabled") for row in by_name[new]] == [False, True, None]
    assert by_name[old][-1] == by_name[new][-1] == {"removed": True}
    moved = [each for each in home.points("devices") if each["tags"]["device_id"] == device_id]
    assert moved[-1]["tags"]["area_id"] == area_id
    assert moved[-2]["tags"]["area_id"] != area_id


def test_after_a_restart_nothing_is_told_again(home: Home) -> None:
    home.assert_equal()
    before = {name: home.points(name) for name in KEYS}
    home.home.stop()
    home.home.start()
    home.home.api.call_service(DOMAIN, "flush")
    home.ws("input_boolean/create", name="Afterwards")
    assert until(lambda: "input_boolean.afterwards" in home.told(), seconds=30)
    home.assert_equal()
    after = {name: home.points(name) for name in KEYS}
    new = [
        each["tags"].get("entity_id") for name in KEYS for each in after[name][len(before[name]) :]
    ]
    assert new == ["input_boolean.afterwards"]


def test_the_ledger_adds_up(home: Home) -> None:
    told = home.home.api.diagnostics(home.entry_id)["data"]["ledger"]
    assert told["balanced"]
    assert told["quarantined"] == 0
