"""From a state in Home Assistant to a point in the database."""

import asyncio
import enum
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.enrich.catalog import Catalog
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.sources import local
from custom_components.ha_ingestor.sources.local import LocalSource
from custom_components.ha_ingestor.sources.reload_handover import RELOAD_HANDOVERS
from tests.emulator import Emulator
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.scripted_writer import ScriptedWriter
from tests.shell import deliver, new_entry, points, set_up, until


def nanoseconds(moment: datetime) -> int:
    """Count from 1970, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@pytest.fixture(autouse=True)
def _nothing_is_raised(caplog: pytest.LogCaptureFixture) -> Any:
    """Whatever is captured, no exception comes out of a callback or of the spool's thread."""
    yield
    records = caplog.get_records("call") + caplog.records
    ours = ("custom_components", "homeassistant")
    assert not [it.getMessage() for it in records if it.exc_info and it.name.startswith(ours)]


async def test_a_state_change_becomes_a_point(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, freezer: FrozenDateTimeFactory
) -> None:
    hass.config.location_name = "Cabin"
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "on")
    freezer.tick(2.5)
    attributes = {"unit_of_measurement": "°C", "device_class": "temperature"}
    hass.states.async_set("sensor.a", "21.5", attributes, context=Context(user_id="me", id="1"))
    now = hass.states.get("sensor.a")
    await deliver(hass, entry)

    point = points(database, "sensor.a")[1]
    assert now
    assert point.time == nanoseconds(now.last_updated)
    assert point.tags == {
        "entity_id": "sensor.a",
        "domain": "sensor",
        "event_type": "state_changed",
        "event_category": "climate",
        "device_class": "temperature",
        "location": "Cabin",
    }
    assert json.loads(point.fields.pop("attributes")) == attributes
    assert point.fields == {
        "state": "21.5",
        "state_value": "21.5",
        "value": 21.5,
        "old_state": "on",
        "previous_state": "on",
        "duration_in_state_seconds": 2.5,
        "unit_of_measurement": "°C",
        "context_id": "1",
        "context_user_id": "me",
    }


async def test_a_change_of_attributes_alone_is_a_point(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("light.a", "on", {"brightness": 1})
    hass.states.async_set("light.a", "on", {"brightness": 2})
    await deliver(hass, entry)
    stored = [point.fields["attributes"] for point in points(database, "light.a")]
    assert [json.loads(text) for text in stored] == [{"brightness": 1}, {"brightness": 2}]


async def test_no_time_is_spent_in_a_state_that_stays(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """Home Assistant's first timestamp of a state is finer than the ones that follow."""
    await set_up(hass, entry)
    for number in range(30):
        hass.states.async_set(f"light.l{number}", "on", {"brightness": 1})
        hass.states.async_set(f"light.l{number}", "on", {"brightness": 2})
    await deliver(hass, entry)
    spent = [point.fields.get("duration_in_state_seconds") for point in points(database)]
    assert spent == [None, 0.0] * 30


async def test_a_removed_entity_leaves_a_point(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "7", {"device_class": "power"})
    hass.states.async_remove("sensor.a")
    await deliver(hass, entry)
    last = points(database, "sensor.a")[-1]
    assert (last.tags["event_type"], last.tags["device_class"]) == ("entity_removed", "power")
    assert last.fields["old_state"] == "7"
    assert "state" not in last.fields


async def test_changes_at_the_same_instant_are_points_of_their_own(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, freezer: FrozenDateTimeFactory
) -> None:
    """A database keeps one point for each series and time."""
    await set_up(hass, entry)
    freezer.tick()
    for state in "abc":
        hass.states.async_set("sensor.a", state)
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database, "sensor.a")] == ["a", "b", "c"]


async def test_thousands_of_changes_all_arrive(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for number in range(3_000):
        hass.states.async_set(f"sensor.s{number % 7}", str(number))
    await deliver(hass, entry)
    assert sorted(point.fields["value"] for point in points(database)) == list(range(3_000))


async def test_states_from_before_the_start_are_captured_once_and_at_their_own_time(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.a", "1")
    set_at = datetime.now(UTC)
    freezer.tick(timedelta(hours=1))
    await set_up(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await deliver(hass, entry)
    (only,) = points(database)
    assert len(database.stored) == 1
    assert only.time == nanoseconds(set_at)
    assert only.fields["value"] == 1
    assert "old_state" not in only.fields


def _set_once(hass: HomeAssistant) -> list[str]:
    hass.states.async_set("sensor.a", "during")
    return ["before", "during", "after"]


def _set_twice(hass: HomeAssistant) -> list[str]:
    hass.states.async_set("sensor.a", "one")
    hass.states.async_set("sensor.a", "two")
    return ["before", "one", "two", "after"]


def _remove(hass: HomeAssistant) -> list[str]:
    hass.states.async_remove("sensor.a")
    return ["before", "removed", "after"]


@pytest.mark.parametrize("change", [_set_once, _set_twice, _remove])
async def test_nothing_is_missed_during_a_reload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    change: Callable[[HomeAssistant], list[str]],
) -> None:
    """Other integrations do not wait for us; with the database away an unload takes seconds."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "before")
    assert await hass.config_entries.async_unload(entry.entry_id)
    expected = change(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.states.async_set("sensor.a", "after")
    await deliver(hass, entry)
    stored = points(database, "sensor.a")
    assert [point.fields.get("state", "removed") for point in stored] == expected


class WallClock:
    """The clock on the wall, which somebody sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set_by = 0.0
        self._now = time.time
        monkeypatch.setattr(time, "time", lambda: self._now() + self.set_by)

    def set_to_1970(self) -> None:
        """Begin anew, as a machine does that has no battery."""
        self.set_by = 100 - self._now()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    return WallClock(monkeypatch)


def durations(database: Emulator, entity_id: str = "light.a") -> list[float | None]:
    return [point.fields.get("duration_in_state_seconds") for point in points(database, entity_id)]


@pytest.mark.parametrize("seconds", [3600, -3600, 30 * 86_400, -30 * 86_400, 5], ids=str)
async def test_a_clock_that_is_set_makes_no_duration(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    wall: WallClock,
    seconds: float,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("light.a", "on")
    wall.set_by += seconds
    hass.states.async_set("light.a", "off")
    wall.set_by -= seconds
    hass.states.async_set("light.a", "on")
    wall.set_by += seconds
    hass.states.async_set("light.a", "on", {"brightness": 1})
    hass.states.async_set("light.a", "off")
    await deliver(hass, entry)
    stored = durations(database)
    assert stored[0] is None
    assert all(spent is not None and 0 <= spent < 2 for spent in stored[1:])


async def test_a_clock_that_is_set_during_a_reload_makes_no_duration(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, wall: WallClock
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("light.a", "on")
    assert await hass.config_entries.async_unload(entry.entry_id)
    wall.set_by += 7200
    hass.states.async_set("light.a", "off")
    wall.set_by -= 3600
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.states.async_set("light.a", "on")
    await deliver(hass, entry)
    assert all(spent < 2 for spent in durations(database)[1:] if spent is not None)
    assert len(durations(database)) == 3


@pytest.mark.parametrize("profile", ["homeiq", "tidy", "core"])
async def test_what_was_dated_before_the_clock_was_set_is_marked_and_counted(
    hass: HomeAssistant, database: Emulator, wall: WallClock, profile: str
) -> None:
    data = new_entry(database.url).data
    entry = MockConfigEntry(domain=DOMAIN, data=data, options={"points": {"profile": profile}})
    wall.set_to_1970()
    await set_up(hass, entry)
    hass.states.async_set("light.a", "on")
    hass.states.async_set("light.a", "off")
    wall.set_by = 0
    hass.states.async_set("light.a", "on")
    hass.states.async_set("light.a", "off")
    await entry.runtime_data.pipeline.flush()
    counts = (await entry.runtime_data.pipeline.snapshot()).ledger
    await deliver(hass, entry)
    assert counts["misdated"] == 2
    stored = [point.fields for point in points(database)]
    assert len(stored) == 4
    if profile == "core":  # as the built-in integration writes them
        assert not any("clock_unset" in fields for fields in stored)
        return
    marks = sorted(fields.get("clock_unset", False) for fields in stored)
    assert marks == [False, False, True, True]
    spent = [fields.get("duration_in_state_seconds", 0) for fields in stored]
    assert all(0 <= seconds < 5 for seconds in spent)


async def test_a_camera_is_not_written_again_after_a_restart_because_its_token_changed(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """What counts is what would be stored: pictures and tokens never are."""
    picture = {"entity_picture": "/api/camera?token=a", "access_token": "a", "brand": "A"}
    await set_up(hass, entry)
    hass.states.async_set("camera.a", "idle", picture)
    await deliver(hass, entry)
    restart(hass, entry)
    hass.states.async_set(
        "camera.a",
        "idle",
        {"entity_picture": "/api/camera?token=b", "access_token": "b", "brand": "A"},
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    assert len(points(database, "camera.a")) == 1

    restart(hass, entry)
    hass.states.async_set("camera.a", "idle", {**picture, "brand": "B"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    assert len(points(database, "camera.a")) == 2


def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let this integration forget what a new process would not know."""
    hass.data[RELOAD_HANDOVERS].pop(entry.entry_id).async_drop()


async def test_a_new_name_of_the_home_is_on_the_points_that_follow(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    hass.config.location_name = "Cabin"
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    running = entry.runtime_data
    await hass.config.async_update(elevation=5)
    await hass.async_block_till_done()
    assert entry.runtime_data is running
    await hass.config.async_update(location_name="Villa")
    await hass.async_block_till_done()
    hass.states.async_set("sensor.a", "2")
    await deliver(hass, entry)
    assert [point.tags["location"] for point in points(database)] == ["Cabin", "Villa"]


async def test_no_destination_captures_the_sensors_of_any(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    entity_registry: er.EntityRegistry,
) -> None:
    """Every write changes them, so that capturing them would never end."""
    other = new_entry(database.url)
    await set_up(hass, entry)
    await set_up(hass, other)
    hass.states.async_set("sensor.a", "1")
    await entry.runtime_data.coordinator.async_refresh()
    await deliver(hass, other)
    await deliver(hass, entry)
    own = {key for key, item in entity_registry.entities.items() if item.platform == DOMAIN}
    assert own & set(hass.states.async_entity_ids())
    stored = {point.tags["entity_id"] for point in points(database)}
    assert "sensor.a" in stored
    assert not own & stored


async def test_victoriametrics_gets_numbers_and_the_rest_is_counted(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with Emulator(dialect=Dialect.VICTORIAMETRICS) as database:
        entry = new_entry(database.url, dialect="victoriametrics", database="")
        await set_up(hass, entry)
        hass.states.async_set("sensor.text", "sunny")
        hass.states.async_set("sensor.number", "7")
        hass.states.async_set("lock.door", "locked")
        await entry.runtime_data.pipeline.flush()
        snapshot = await entry.runtime_data.pipeline.snapshot()
        await deliver(hass, entry)
        stored = {
            dict(tags)["entity_id"]: fields for ((_, tags), _), fields in database.points.items()
        }
    assert stored == {
        "sensor.number": {"value": 7.0},
        "lock.door": {"value": 1.0},
    }
    assert snapshot.ledger["filtered"]["no_number"] == 1


STATES: dict[str, tuple[str, float | None]] = {
    # state → what is stored, and as which number
    "21.5": ("21.5", 21.5),
    "-1e3": ("-1e3", -1000.0),
    "on": ("on", 1.0),
    "unavailable": ("unavailable", None),
    "nan": ("nan", None),
    "inf": ("inf", None),
    "-Infinity": ("-Infinity", None),
    "1e999": ("1e999", None),
    "1_000": ("1_000", None),
    "١٢٣": ("١٢٣", None),
    "1,5": ("1,5", None),
    " 7": (" 7", None),
    "": ("", None),
    'say "hi"': ('say "hi"', None),
    "#comment": ("#comment", None),
    "a=b,c d": ("a=b,c d", None),
    "C:\\": ("C:\\", None),
    '\\"': ('\\"', None),
    "two\nlines\r\n": ("two lines  ", None),
    "null\x00byte": ("null byte", None),
    "🔥" * 60: ("🔥" * 60, None),
    "half \ud83d": ("half ?", None),
    "x" * 255: ("x" * 255, None),
}


async def test_any_state_is_stored_and_harms_no_other(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for number, state in enumerate(STATES):
        hass.states.async_set(f"sensor.s{number}", state)
    await deliver(hass, entry)
    stored = {point.tags["entity_id"]: point.fields for point in points(database)}
    assert [
        (stored[f"sensor.s{number}"]["state"], stored[f"sensor.s{number}"].get("value"))
        for number in range(len(STATES))
    ] == list(STATES.values())


class _Colour(enum.Enum):
    RED = "red"


class _Level(enum.IntEnum):
    HIGH = 3


class _Evil:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


class _Unreadable(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("not now")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("not now")

    def __len__(self) -> int:
        raise RuntimeError("not now")


_RECURSIVE: dict[str, Any] = {"name": "me"}
_RECURSIVE["self"] = _RECURSIVE
_DEEP: Any = "bottom"
for _ in range(2_000):
    _DEEP = [_DEEP]

_ANY = object()
ATTRIBUTES: dict[str, tuple[Any, Any]] = {
    # attribute → what a reader of the JSON gets
    "text": ('"\\,= \n\t#', '"\\,= \n\t#'),
    "none": (None, None),
    "bool": (True, True),
    "nan": (float("nan"), None),
    "infinite": ([float("inf")], [None]),
    "huge": (10**400, 10**400),
    "moment": (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"),
    "duration": (timedelta(minutes=1), _ANY),
    "set": ({1}, [1]),
    "frozenset": (frozenset({"a"}), ["a"]),
    "tuple": ((1, "a"), [1, "a"]),
    "enum": (_Colour.RED, "red"),
    "int_enum": (_Level.HIGH, 3),
    "bytes": (b"\xff\x00", _ANY),
    "nested": ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 1}]}}),
    "numbered": ({1: "one", None: "none"}, {"1": "one", "null": "none"}),
    "proxy": (MappingProxyType({"a": 1}), {"a": 1}),
    "recursive": (_RECURSIVE, _ANY),
    "deep": (_DEEP, _ANY),
    "surrogate": ("\ud800", "?"),
    "null": ("a\x00b", "a\x00b"),
    "emoji": ("🔥", "🔥"),
    "evil": (_Evil(), "_Evil"),
    "type": (_Evil, _ANY),
    "function": (len, _ANY),
    "time": ("noon", "noon"),
    "value": ("text", "text"),
    "state": ({"value": 1}, {"value": 1}),
    "": ("nameless", "nameless"),
    "_field": (1, 1),
    "#": (1, 1),
    'a "quoted" name\\': (1, 1),
}


async def test_any_attribute_is_stored_and_harms_no_other(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for number, (name, (value, _)) in enumerate(ATTRIBUTES.items()):
        hass.states.async_set(f"sensor.s{number}", "1", {name: value, "friendly_name": "A"})
    await deliver(hass, entry)
    stored = {
        point.tags["entity_id"]: json.loads(point.fields["attributes"])
        for point in points(database)
    }
    assert len(stored) == len(ATTRIBUTES)
    for number, (name, (_, expected)) in enumerate(ATTRIBUTES.items()):
        attributes = stored[f"sensor.s{number}"]
        assert attributes.pop("friendly_name") == "A"
        assert attributes == {name: attributes[name] if expected is _ANY else expected}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 65_536, id="64 KiB"),
        pytest.param(['"\\' * 100] * 200, id="escapes"),
        pytest.param("🔥" * 20_000, id="emoji"),
    ],
)
async def test_an_attribute_that_is_too_long_is_left_out_alone(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, value: object
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1", {"long": value, "unit_of_measurement": "W"})
    await deliver(hass, entry)
    (point,) = points(database, "sensor.a")
    assert json.loads(point.fields["attributes"]) == {"unit_of_measurement": "W"}
    assert (point.fields["value"], point.fields["unit_of_measurement"]) == (1.0, "W")


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"unit_of_measurement": _Evil()}, id="unit"),
        pytest.param({"device_class": _Evil()}, id="device class"),
        pytest.param({"number": 10**5_000}, id="endless number"),
        pytest.param({"mapping": {"inner": _Unreadable()}}, id="mapping"),
    ],
)
async def test_a_value_that_nobody_can_read_costs_not_even_its_own_point(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, attributes: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1", attributes)
    hass.states.async_set("sensor.b", "2")
    await deliver(hass, entry)
    assert points(database, "sensor.b")
    (point,) = points(database, "sensor.a")
    assert point.fields["value"] == 1.0


async def test_secrets_in_attributes_stay_at_home(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    attributes = {"access_token": "s3cret", "entity_picture": "/api?token=s3cret", "brand": "A"}
    hass.states.async_set("camera.a", "idle", attributes)
    await deliver(hass, entry)
    (point,) = points(database, "camera.a")
    assert json.loads(point.fields["attributes"]) == {"brand": "A"}


async def test_a_device_class_cannot_break_out_of_its_tag(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for number, device_class in enumerate(("a,b=c d", "end\\", "two\nlines", 5, "", None)):
        hass.states.async_set(f"sensor.s{number}", "1", {"device_class": device_class})
    await deliver(hass, entry)
    stored = [point.tags.get("device_class") for point in points(database)]
    assert stored == ["a,b=c d", "end/", "two lines", "5", None, None]


async def test_a_home_without_any_state_is_listened_to_all_the_same(
    hass: HomeAssistant,
) -> None:
    writer = ScriptedWriter()
    pipeline = build_pipeline(
        profile=HomeIQ(dumps=json.dumps),
        files=MemoryFiles(),
        writer=writer,
        settings=SpoolSettings(),
    )
    source = LocalSource(hass, Catalog(hass), pipeline)
    assert hass.states.async_all() == []
    pipeline.start()
    await source.async_start()
    hass.states.async_set("sensor.a", "1")
    assert pipeline.intake.received == 1
    await source.async_stop()
    await pipeline.stop()
    assert [line for line in writer.stored if "entity_id=sensor.a" in line]


async def test_a_stop_while_the_states_are_captured_lets_the_event_loop_run_in_between(
    hass: HomeAssistant,
) -> None:
    pipeline = build_pipeline(
        profile=HomeIQ(dumps=json.dumps),
        files=MemoryFiles(),
        writer=ScriptedWriter(),
        settings=SpoolSettings(),
    )
    for number in range(3000):
        hass.states.async_set(f"sensor.s{number}", "1")
    source = LocalSource(hass, Catalog(hass), pipeline)
    start = hass.async_create_task(source.async_start())
    await asyncio.sleep(0)
    captured = [pipeline.intake.received]

    async def look() -> None:
        while not stop.done():
            captured.append(pipeline.intake.received)
            await asyncio.sleep(0)

    stop = hass.async_create_task(source.async_stop())
    await asyncio.gather(look(), stop, start)

    assert captured[0] < 3000
    assert max(after - before for before, after in itertools.pairwise(captured)) <= 600
    assert pipeline.intake.received == 3000


async def test_an_entity_that_is_removed_while_the_source_starts_has_no_heartbeat(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def with_a_removal(states: list[State]) -> AsyncIterator[State]:
        for state in states:
            yield state
        hass.states.async_remove("sensor.gone")

    entities = ["sensor.stays", "sensor.gone"]
    rule = {"name": "A", "entities": entities, "heartbeat": 0.01}
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"noise": {"rules": [rule], "window": 0}})
    hass.states.async_set("sensor.stays", "1")
    hass.states.async_set("sensor.gone", "1")
    monkeypatch.setattr(local, "async_slices", with_a_removal)
    assert await hass.config_entries.async_setup(entry.entry_id)

    async def beats() -> bool:
        await entry.runtime_data.pipeline.flush()
        return len(points(database, "sensor.stays")) > 3

    await until(beats)
    assert len(points(database, "sensor.gone")) <= 2  # its state, and that it was removed
