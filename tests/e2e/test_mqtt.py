"""A real broker, Home Assistant's MQTT integration, and what is in the databases in the end."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pytest

from scripts.rig.broker import Broker, Message, broker_in
from scripts.rig.configuration import HOST
from scripts.rig.databases import BROKER, Unavailable
from scripts.rig.integration import DOMAIN, connect_mqtt

from . import summary
from .installation import INDEXED, Destination, Installation, until

# Home Assistant waits ten seconds before it connects again, and is restarted once.
pytestmark = pytest.mark.timeout(300)

type Ledgers = Mapping[str, Counter[str]]
type Stored = tuple[str, dict[str, str], dict[str, Any]]

TOPICS: Final[list[dict[str, Any]]] = [
    {"topic": "house/{domain}/{object}/{field}", "measurement": "of_statestream"},
    {"topic": "homeassistant/{component}/{object}/state", "measurement": "of_discovery"},
    {"topic": "zigbee2mqtt/{device}", "measurement": "of_zigbee", "texts": ["version"]},
    {"topic": "meters/{kind}/total", "measurement": "of_totals"},
    {"topic": "meters/#", "measurement": "of_meters"},
    {"topic": "$SYS/broker/version", "measurement": "of_broker"},
]
MEASUREMENTS: Final = [row["measurement"] for row in TOPICS]
# There is one for each topic; the broker has its own.
RETAINED: Final = [
    Message("house/sensor/cellar/state", "1", retain=True),
    Message("homeassistant/switch/old/state", "ON", retain=True),
    Message("zigbee2mqtt/old", '{"temperature": 1}', retain=True),
    Message("meters/old/total", "1", retain=True),
    Message("meters/old", "1", retain=True),
]
LAMP: Final = {
    "temperature": 21.5,
    "state": "ON",
    "battery": {"level": 80},
    "version": "1.10",
    "scenes": [1, 2],
    "pin_code": "1234",
    "link": None,
}
# What is published, and what is stored of it: measurement, tags, numbers, texts.
STORED: Final[list[tuple[Message, str, dict[str, str], dict[str, float], dict[str, str]]]] = [
    (
        Message("zigbee2mqtt/lamp", json.dumps(LAMP)),
        "of_zigbee",
        {"device": "lamp"},
        {"temperature": 21.5, "state": 1.0, "battery_level": 80.0, "left_out": 2.0},
        {"state_str": "ON", "version_str": "1.10"},
    ),
    (
        # As MQTT Statestream does it: to be retained, and yet new.
        Message("house/sensor/attic/state", "21.5", retain=True),
        "of_statestream",
        {"domain": "sensor", "object": "attic"},
        {"state": 21.5},
        {},
    ),
    (
        Message("house/sensor/attic/unit_of_measurement", '"°C"', retain=True),
        "of_statestream",
        {"domain": "sensor", "object": "attic"},
        {},
        {"unit_of_measurement_str": "°C"},
    ),
    (
        Message("homeassistant/switch/pump/state", "OFF"),
        "of_discovery",
        {"component": "switch", "object": "pump"},
        {"value": 0.0},
        {"value_str": "OFF"},
    ),
    (
        Message("meters/gas/total", "00420"),
        "of_totals",
        {"kind": "gas"},
        {"value": 420.0},
        {"value_str": "00420"},
    ),
    (Message("meters/gas", "12.5"), "of_meters", {"topic": "meters/gas"}, {"value": 12.5}, {}),
    (
        Message("meters/a b,c=d/é\\", '{"a b": 1, "__proto__": {"x,y": 2}}'),
        "of_meters",
        {"topic": "meters/a b,c=d/é/"},
        {"a b": 1.0, "x__proto___x,y~41ef4133": 2.0},
        {},
    ),
]
REFUSED: Final = [
    (Message("zigbee2mqtt/lamp", b"\xff\xd8\xff\xe0"), "message_malformed"),
    (Message("zigbee2mqtt/lamp", '{"temperature": '), "message_malformed"),
    (Message("zigbee2mqtt/lamp", "[" * 16_000), "message_malformed"),
    (Message("zigbee2mqtt/lamp", ""), "message_empty"),
    (Message("zigbee2mqtt/lamp", "x" * 16_000_000), "message_too_large"),
    (Message("zigbee2mqtt/lamp", '{"temperature": NaN}'), "message_without_value"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home whose broker's messages go into two databases; `mqtt` is its MQTT integration."""

    installation: Installation
    broker: Broker
    mqtt: str
    destinations: tuple[Destination, ...]

    def is_connected(self, state: str = "on") -> bool:
        """Whether each destination shows the broker so."""
        api = self.installation.api
        shown = [
            api.state(each["entity_id"])
            for each in api.ws("config/entity_registry/list")
            if each["platform"] == DOMAIN and each["unique_id"].endswith("_broker_connected")
        ]
        return len(shown) == len(self.destinations) and all(
            each and each["state"] == state for each in shown
        )

    def settle(self) -> None:
        """Wait until everything that came is in the databases."""
        for each in self.destinations:
            each.settle()


def ledger_of(destination: Destination) -> Counter[str]:
    """Return the counts, those of the home itself apart, which are all filtered."""
    ledger = destination.diagnostics()["ledger"]
    assert ledger["balanced"], ledger
    filtered = Counter(ledger["filtered"])
    here = sum(filtered.pop(reason, 0) for reason in ("own_entity", "excluded", "not_included"))
    lost = sum(ledger["lost"].values())
    counts = {name: ledger[name] for name in ("captured", "written", "quarantined", "evicted")}
    return Counter({"received": ledger["received"] - here, "lost": lost, **counts, **filtered})


def stored_in(destination: Destination) -> list[Stored]:
    """Return every point of messages."""
    return [
        (measurement, point["tags"], dict(point["fields"]))
        for measurement in MEASUREMENTS
        for point in destination.server.query_points(measurement, destination.database)
    ]


@pytest.fixture(scope="module", name="home")
def _home(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    broker = broker_in(tmp_path_factory.mktemp("broker"))
    if isinstance(broker, Unavailable):
        pytest.skip(f"{BROKER.name}: {broker.reason}")
    api = installation.api
    with ExitStack() as stack:
        stack.enter_context(broker)
        broker.publish(RETAINED)
        where = {"broker": HOST, "port": broker.port, "protocol": "5"}
        other = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
        result = api.flow("mqtt", broker={**where, "other_settings": other})
        stack.callback(api.delete, result["result"]["entry_id"])
        destinations = [
            stack.enter_context(installation.spare(name))
            for name in ("influxdb2", "victoriametrics")
            if name in installation.destinations
        ]
        for each in destinations:
            api.set_options(each.entry_id, "filter", include={"entities": ["sensor.none"]})
            connect_mqtt(api, each.entry_id, TOPICS)
        yield Home(
            installation=installation,
            broker=broker,
            mqtt=result["result"]["entry_id"],
            destinations=tuple(destinations),
        )


@pytest.fixture(autouse=True)
def _noted(request: pytest.FixtureRequest, home: Home) -> None:
    noted = request.node.user_properties
    noted.append((summary.EXERCISED, (BROKER.name, BROKER.version)))
    assert home.destinations


def has_more(home: Home, before: Ledgers, **more: int) -> bool:
    """Whether each destination has counted so many more since then."""
    return all(
        ledger_of(each)[name] >= before[each.database][name] + more[name]
        for each in home.destinations
        for name in more
    )


def test_each_message_is_in_the_databases_once_or_counted_with_its_reason(home: Home) -> None:
    # A retained message at each topic shows that it is subscribed to; none of them is recorded.
    nothing: Ledgers = defaultdict(Counter)
    assert until(lambda: has_more(home, nothing, retained=len(TOPICS)))
    assert until(home.is_connected)
    home.settle()
    before = {each.database: ledger_of(each) for each in home.destinations}
    home.broker.publish(
        [*(row[0] for row in STORED), *(row[0] for row in REFUSED), Message("elsewhere", "1")]
    )
    received = len(STORED) + len(REFUSED)
    assert until(lambda: has_more(home, before, received=received))
    for each in home.destinations:
        each.settle()
        wanted = points_for(each, STORED)
        assert ledger_of(each) - before[each.database] == Counter(
            received=received,
            captured=len(wanted),
            written=len(wanted),
            **Counter(reason for _, reason in REFUSED),
            **({"no_number": len(STORED) - len(wanted)} if each.numbers_only else {}),
        )
        assert until(partial(is_stored, each, wanted), seconds=INDEXED), stored_in(each)


def test_after_a_reload_an_outage_and_a_restart_only_what_is_new_is_recorded(
    home: Home,
) -> None:
    assert until(home.is_connected)
    kept_rows = [row for row in STORED if row[0].retain]
    kept = [row[0] for row in kept_rows]
    stored = {
        each.database: [*stored_in(each), *points_for(each, kept_rows)]
        for each in home.destinations
    }
    home.broker.publish(kept)
    home.settle()
    for each in home.destinations:
        assert until(partial(is_stored, each, stored[each.database]), seconds=INDEXED)
    before = {each.database: ledger_of(each) for each in home.destinations}
    # What is retained comes again after each connection. When all of it is there, everything is
    # subscribed to again.
    each_time = len(TOPICS) + len(kept)
    home.installation.api.reload(home.mqtt)
    assert until(lambda: has_more(home, before, retained=each_time))
    home.broker.publish([Message("meters/reload", "0")])
    assert until(lambda: has_more(home, before, captured=1))
    home.broker.stop()
    assert until(lambda: home.is_connected("off"))
    home.broker.start()
    assert until(lambda: has_more(home, before, retained=2 * each_time))
    assert until(home.is_connected)
    home.broker.publish([Message("meters/outage", "1")])
    assert until(lambda: has_more(home, before, captured=2))
    home.installation.home.stop()
    home.broker.publish([Message("meters/away", "2"), Message("meters/kept", "3", retain=True)])
    home.installation.home.start()
    assert until(home.is_connected)
    assert until(lambda: has_more(home, before, retained=3 * each_time + 1))
    home.broker.publish([Message("meters/restart", "4")])
    wanted = [
        ("of_meters", {"topic": "meters/reload"}, {"value": 0.0}),
        ("of_meters", {"topic": "meters/outage"}, {"value": 1.0}),
        ("of_meters", {"topic": "meters/restart"}, {"value": 4.0}),
    ]
    for each in home.destinations:
        known = stored[each.database]
        assert until(partial(is_stored, each, [*known, *wanted]), seconds=INDEXED), stored_in(each)
        each.settle()
        more = ledger_of(each) - before[each.database]
        more.pop("retained")
        more.pop("received")
        assert more == Counter(captured=3, written=3)


def test_after_a_kill_in_a_burst_what_was_on_the_disk_is_stored_once(home: Home) -> None:
    """Events are on the disk after a quarter of a second; the broker keeps nothing for us."""
    assert until(home.is_connected)
    home.settle()
    before = {each.database: ledger_of(each) for each in home.destinations}
    sent = 0
    stopping = threading.Event()

    def burst() -> None:
        nonlocal sent
        while not stopping.is_set():
            names = range(sent, sent + 20)
            home.broker.publish([Message(f"meters/burst/{name}", "1") for name in names])
            sent += len(names)

    thread = threading.Thread(target=burst)
    thread.start()
    try:
        # What is captured is on the disk.
        assert until(lambda: has_more(home, before, captured=500))
        home.installation.home.kill()
    finally:
        stopping.set()
        thread.join()
    home.installation.home.start()
    assert until(home.is_connected)
    for each in home.destinations:
        each.settle()
        more = ledger_of(each) - before[each.database]
        assert more["captured"] == more["written"]
        # In their order, and none is missing in between.
        wanted = list(range(more["captured"]))
        assert until(lambda: stored_of_burst(each) == wanted, seconds=INDEXED)  # noqa: B023
        assert 500 <= len(wanted) <= sent


def stored_of_burst(destination: Destination) -> list[int]:
    """Return the numbers of the messages that are stored; a database may have one twice."""
    topics = [tags.get("topic", "") for _, tags, _ in stored_in(destination)]
    numbers = [int(each.rpartition("/")[2]) for each in topics if each.startswith("meters/burst/")]
    return sorted(set(numbers) if destination.numbers_only else numbers)


def points_for(destination: Destination, rows: Iterable[Any]) -> list[Stored]:
    """Return what a database has of such messages."""
    return [
        (measurement, tags, numbers if destination.numbers_only else {**numbers, **texts})
        for _, measurement, tags, numbers, texts in rows
        if numbers or not destination.numbers_only
    ]


def is_stored(destination: Destination, wanted: list[Stored]) -> bool:
    """Whether exactly this is in the database, in any order: several points are of one moment."""
    return sorted(map(_comparable, stored_in(destination))) == sorted(map(_comparable, wanted))


def _comparable(point: Stored) -> tuple[Any, ...]:
    measurement, tags, fields = point
    return measurement, sorted(tags.items()), sorted(map(str, fields.items()))
