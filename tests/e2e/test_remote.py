"""Two real Home Assistants: what happens in one is in the database of the other, once."""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from scripts.rig.data_api import DataApi, Era, in_background
from scripts.rig.destination import address_of
from scripts.rig.endpoint import Point
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect, connect_data_api, connect_remote
from scripts.rig.servers import Server

from .installation import Destination, any_database, until
from .relay import Relay
from .test_panel import WINDOWS, opened

# Two homes are started and stopped, several times.
pytestmark = pytest.mark.timeout(600)

DISCONNECTS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """A home, a remote one that records itself too, and the way between them."""

    here: HomeAssistant
    there: HomeAssistant
    relay: Relay
    # What the remote home recorded itself, and what this one recorded of it.
    local: Destination
    remote: Destination

    def device(self) -> dict[str, Any]:
        """Return the health of the remote home, by entity."""
        entries = self.here.api.ws("config/entity_registry/list")
        names = {
            each["unique_id"].partition("_")[2]: each["entity_id"]
            for each in entries
            if each["platform"] == DOMAIN and each["config_subentry_id"]
        }
        return {key: self.here.api.state(entity_id) for key, entity_id in names.items()}

    def is_connected(self) -> bool:
        """Whether this home follows the other one."""
        state = self.device().get("remote_connected")
        return bool(state and state["state"] == "on")

    def settle(self) -> None:
        """Wait until both have delivered everything."""
        time.sleep(2)
        self.local.settle()
        self.remote.settle()

    def fill(self) -> None:
        """Wait until the gap before the last connection is filled, which begins in ten seconds.

        One that a stop interrupts is read again, and counted twice.
        """
        time.sleep(15)
        self.settle()


@pytest.fixture(name="homes", scope="module")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    name = any_database()
    with ExitStack() as stack:
        server = Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True)
        stack.enter_context(server).start()
        server.create_database("elsewhere")
        there = HomeAssistant(directory=tmp_path_factory.mktemp("there"), demo=True)
        here = HomeAssistant(directory=tmp_path_factory.mktemp("here"))
        for home in (there, here):
            stack.callback(home.stop)
            home.start()
        relay = stack.enter_context(Relay(there.port))

        def destination(home: HomeAssistant, database: str) -> Destination:
            entry = connect(home.api, address_of(server, database))["result"]
            return Destination(
                server=server, database=database, api=home.api, entry_id=entry["entry_id"]
            )

        homes = Homes(
            here=here,
            there=there,
            relay=relay,
            local=destination(there, "elsewhere"),
            remote=destination(here, server.database),
        )
        result = connect_remote(
            here.api, homes.remote.entry_id, relay.url, there.api.token, "cabin"
        )
        assert result["type"] == "create_entry", result
        assert until(homes.is_connected)
        yield homes


def live(there: HomeAssistant) -> None:
    """Do what people do in a home: switch, move, rename, remove.

    What the registries say is read within about a second after a change of them.
    """
    api = there.api
    area = api.ws("config/area_registry/create", name='Attic, "north"')["area_id"]
    helper = api.ws("input_boolean/create", name="Lamp")["id"]
    entity_id = f"input_boolean.{helper}"
    for state in ("on", "off"):
        api.call_service("input_boolean", f"turn_{state}", entity_id=entity_id)
    time.sleep(3)
    api.ws("config/entity_registry/update", entity_id=entity_id, area_id=area)
    api.call_service("input_boolean", "turn_on", entity_id=entity_id)
    time.sleep(3)
    api.ws("config/area_registry/update", area_id=area, name="Loft")
    time.sleep(3)
    api.call_service("input_boolean", "turn_off", entity_id=entity_id)
    api.ws(
        "config/entity_registry/update", entity_id=entity_id, new_entity_id="input_boolean.renamed"
    )
    time.sleep(3)
    api.call_service("input_boolean", "turn_on", entity_id="input_boolean.renamed")
    for number in range(20):
        api.set_state("sensor.made", str(number / 7), unit_of_measurement="W", number=number)
    api.set_state("sensor.made", "unavailable")
    api.set_state("sensor.made", "1")
    api.call_service("light", "turn_on", entity_id="light.bed_light", brightness=17)
    api.call_service("light", "turn_off", entity_id="light.bed_light")


def recorded(there: HomeAssistant, entity_id: str) -> list[tuple[str, int]]:
    """Return what the recorder there has of an entity: states and microseconds."""
    database = there.directory / "home-assistant_v2.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as recorder:
        rows = recorder.execute(
            "SELECT state, last_updated_ts FROM states JOIN states_meta USING (metadata_id)"
            " WHERE states_meta.entity_id = ? ORDER BY last_updated_ts",
            (entity_id,),
        ).fetchall()
    return [(state, round(moment * 1e6)) for state, moment in rows]


def told(points: list[Point], *, without: tuple[str, ...] = ()) -> Counter[Any]:
    """Make points comparable."""
    return Counter(
        (
            point["time_ns"],
            frozenset((key, value) for key, value in point["tags"].items() if key != "instance"),
            frozenset(
                (key, str(value)) for key, value in point["fields"].items() if key not in without
            ),
        )
        for point in points
    )


def test_the_points_of_a_remote_home_are_those_that_it_records_itself(homes: Homes) -> None:
    """But for the tag, and for what the interface of Home Assistant does not tell."""
    homes.settle()
    since = time.time_ns()
    live(homes.there)
    homes.settle()
    unknown = ("context_user",)
    local = [each for each in homes.local.points() if each["time_ns"] > since]
    remote = [
        each
        for each in homes.remote.points()
        if each["time_ns"] > since and each["tags"].get("instance") == "cabin"
    ]
    assert len(local) > 30
    # The context and the time of a removal are not told either.
    removed = "entity_removed"
    lasting = [
        [each for each in points if each["tags"]["event_type"] != removed]
        for points in (local, remote)
    ]
    assert told(lasting[1], without=unknown) == told(lasting[0], without=unknown)
    assert Counter(
        each["tags"]["entity_id"] for each in remote if each["tags"]["event_type"] == removed
    ) == Counter(
        each["tags"]["entity_id"] for each in local if each["tags"]["event_type"] == removed
    )
    assert not {each["tags"]["entity_id"] for each in remote} & set(own_entities(homes.there))
    homes.remote.assert_balanced()


def own_entities(home: HomeAssistant) -> list[str]:
    """Name the entities of our own there."""
    registered = home.api.ws("config/entity_registry/list")
    return [each["entity_id"] for each in registered if each["platform"] == DOMAIN]


def test_what_changed_during_a_disconnect_comes_out_of_the_recorder_there(homes: Homes) -> None:
    """All of it, each once and behind the one before, with changes before and after."""
    api, name = homes.there.api, "sensor.missed"
    api.set_state(name, "first", unit_of_measurement="x")
    homes.settle()
    homes.relay.is_broken = True
    homes.relay.cut()
    assert until(lambda: not homes.is_connected())
    for number in range(30):
        api.set_state(name, f"missed {number // 2}", number=number)
    homes.relay.is_broken = False
    assert until(homes.is_connected)
    api.set_state(name, "last")
    assert until(lambda: len(homes.remote.points(name)) >= 32, seconds=60)
    homes.settle()
    stored = sorted(homes.remote.points(name), key=lambda each: each["time_ns"])
    expected = recorded(homes.there, name)
    states = [each["fields"]["state"] for each in stored]
    assert states == [state for state, _ in expected]
    # A moment is a float there, which is rounded here and there.
    assert [round(each["time_ns"] / 1000) for each in stored] == pytest.approx(
        [moment for _, moment in expected], abs=1, rel=0
    )
    assert len(stored) == 32
    assert [each["fields"].get("old_state") for each in stored[1:]] == states[:-1]
    homes.remote.assert_balanced()


@pytest.mark.browser
def test_a_home_that_is_away_is_connected_from_the_page_which_asks_for_it_only_then(
    homes: Homes,
) -> None:
    with opened(homes.here, **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor/sources")
        panel = window.page.locator("ha-ingestor-panel")
        panel.get_by_text("Connected", exact=True).nth(1).wait_for()
        connect_now = panel.get_by_role("button", name="Connect now")
        assert connect_now.count() == 0
        homes.relay.is_broken = True
        homes.relay.cut()
        connect_now.wait_for()
        homes.relay.is_broken = False
        connect_now.click()
        connect_now.wait_for(state="detached")
    assert homes.is_connected()


def test_every_change_is_there_once_after_many_disconnects(homes: Homes) -> None:
    """Each entity changes once, whenever that is."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    expected = {}
    for round_ in range(DISCONNECTS):
        homes.relay.is_broken = rng.random() < 0.5
        homes.relay.cut()
        for number in range(rng.randrange(1, 20)):
            name = f"sensor.r{round_}_{number}"
            expected[name] = homes.there.api.set_state(name, str(number))
            if rng.random() < 0.2:
                homes.relay.cut()
        homes.relay.is_broken = False
        if rng.random() < 0.7:
            time.sleep(rng.uniform(0, 3))
    assert until(homes.is_connected)

    def count() -> Counter[str]:
        return Counter(each["tags"]["entity_id"] for each in homes.remote.points())

    # The history is asked ten seconds after each disconnect, and live events do not wait.
    assert until(lambda: expected.keys() <= count().keys(), seconds=90), seed
    homes.settle()
    stored = count()
    assert {name: stored[name] for name in expected} == dict.fromkeys(expected, 1), seed
    homes.remote.assert_balanced()
    device = homes.device()
    assert int(device["connection_attempts"]["state"]) >= 2


@contextmanager
def changing(home: HomeAssistant, entity_id: str) -> Iterator[Callable[[int], bool]]:
    """Change a state all the time; yields what says whether that was so many times."""
    stopping = threading.Event()
    numbers: list[int] = []

    def change() -> None:
        while not stopping.is_set():
            home.api.set_state(entity_id, str(len(numbers)))
            numbers.append(len(numbers))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield lambda count: len(numbers) >= count
    finally:
        stopping.set()
        thread.join()


def test_a_restart_of_either_home_loses_and_doubles_nothing(homes: Homes) -> None:
    """States that a home restores at its start are no changes."""
    api = homes.there.api
    api.ws("input_boolean/create", name="Stays")
    api.call_service("input_boolean", "turn_on", entity_id="input_boolean.stays")
    homes.settle()
    before = Counter(each["tags"]["entity_id"] for each in homes.remote.points())
    assert before["input_boolean.stays"] == 2
    homes.there.stop()
    assert until(lambda: not homes.is_connected())
    homes.there.start()
    assert until(homes.is_connected)
    homes.fill()
    homes.here.stop()
    api.call_service("input_boolean", "turn_off", entity_id="input_boolean.stays")
    homes.here.start()
    assert until(homes.is_connected)
    assert until(lambda: len(homes.remote.points("input_boolean.stays")) >= 3, seconds=30)
    homes.settle()
    points = homes.remote.points("input_boolean.stays")
    assert [each["fields"]["state"] for each in points] == ["off", "on", "off"]
    homes.remote.assert_balanced()
    # After a kill the last minute comes twice, and is stored once.
    with changing(homes.there, "sensor.burst") as has_changed:
        assert until(lambda: has_changed(100))
        homes.here.kill()
        api.call_service("input_boolean", "turn_on", entity_id="input_boolean.stays")
        homes.here.start()
        assert until(homes.is_connected)
    assert until(lambda: len(homes.remote.points("input_boolean.stays")) >= 4, seconds=30)
    homes.settle()
    points = homes.remote.points("input_boolean.stays")
    assert [each["fields"]["state"] for each in points] == ["off", "on", "off", "on"]
    expected = recorded(homes.there, "sensor.burst")
    assert until(lambda: len(homes.remote.points("sensor.burst")) >= len(expected), seconds=30)
    homes.settle()
    points = homes.remote.points("sensor.burst")
    states = [each["fields"]["state"] for each in points]
    assert states == [state for state, _ in expected]
    assert [each["fields"].get("old_state") for each in points[1:]] == states[:-1]


def rows_of_cabin(homes: Homes) -> dict[str, Any]:
    """Return the entities of the remote home that are answered here, by their ids."""
    rows = homes.here.api.request("GET", "/api/ha_ingestor/entities?limit=10000&instance=cabin")
    return {row["entity_id"]: row for row in rows["entities"]}


def sent_of_cabin(server: DataApi) -> dict[str, Any]:
    """Return what a data-api has of the entities of the remote home, by their ids there."""
    prefix = ".cabin__"
    return {
        name.replace(prefix, "."): row
        for name, row in dict(server.tables.entities).items()
        if prefix in name
    }


def test_registries_of_the_remote_home_are_kept_apart_here_and_in_a_data_api(homes: Homes) -> None:
    """Both homes have entities of the same name."""
    here, there = homes.here.api, homes.there.api
    for api in (here, there):
        assert api.ws("input_boolean/create", name="Twin")["id"] == "twin"
    twin = "input_boolean.twin"
    there.ws("config/entity_registry/update", entity_id=twin, name="Other twin")
    with in_background(DataApi(era=Era.TODAY)) as server:
        connect_data_api(here, homes.remote.entry_id, server.url)
        told = {each["entity_id"]: each for each in there.ws("config/entity_registry/list")}

        def names() -> dict[str, Any]:
            return {name: row["name"] for name, row in rows_of_cabin(homes).items()}

        assert until(lambda: names() == {name: row["name"] for name, row in told.items()})
        assert until(lambda: sent_of_cabin(server).keys() == told.keys(), seconds=30)
        sent = sent_of_cabin(server)
        assert sent[twin]["name"] == "Other twin"
        assert server.tables.entities[twin]["name"] is None
        devices = {each["id"] for each in there.ws("config/device_registry/list")}
        assert {key for key in server.tables.devices if key.startswith("cabin__")} == {
            f"cabin__{each}" for each in devices
        }
        for name, row in told.items():
            device_id = f"cabin__{row['device_id']}" if row["device_id"] else None
            assert sent[name]["device_id"] == device_id
        homes.relay.is_broken = True
        homes.relay.cut()
        assert until(lambda: all(row["stale"] for row in rows_of_cabin(homes).values()))
        assert sent_of_cabin(server).keys() == rows_of_cabin(homes).keys() == told.keys()
        there.ws("config/entity_registry/update", entity_id=twin, new_entity_id=f"{twin}_2")
        homes.relay.is_broken = False
        assert until(lambda: f"{twin}_2" in rows_of_cabin(homes), seconds=30)
        assert rows_of_cabin(homes)[f"{twin}_2"]["previous_entity_ids"] == [twin]
        assert until(lambda: f"{twin}_2" in sent_of_cabin(server))
        own = here.request("GET", "/api/ha_ingestor/entities?limit=1000&domain=input_boolean")
        assert [row["entity_id"] for row in own["entities"]] == [twin]
