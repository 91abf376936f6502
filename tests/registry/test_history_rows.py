"""Whatever is edited, the rows in a database tell the home: none missing, none twice."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from custom_components.ha_ingestor.pipeline.model import RegistryRow
from custom_components.ha_ingestor.registry.history_log import FILE, SPARE_LINES, HistoryLog
from custom_components.ha_ingestor.registry.history_rows import TABLES, Change, changes, states
from custom_components.ha_ingestor.registry.model import Device, Entity, Home

NOON: Final = 1_795_262_400.0
LAMP: Final = Device(
    device_id="d1",
    name="Lamp",
    manufacturer="Signify",
    model="LCA001",
    sw_version="1.0",
    effective_area_id="kitchen",
)
LIGHT: Final = Entity(
    entity_id="light.lamp",
    registry_id="r1",
    platform="hue",
    unique_id="00:17",
    device_id="d1",
    effective_area_id="kitchen",
    original_name="Lamp",
)
HOME: Final = Home(devices=(LAMP,), entities=(LIGHT,))


def everything(_entity: Entity) -> bool:
    return True


def rows(written: HistoryLog, home: Home, **more: Any) -> list[RegistryRow]:
    """Look at a home, remember it, and return what is to be written."""
    now = states(home, more.get("wanted", everything))
    found = list(changes(written.states, now, more.get("moments", {}), more.get("latest", NOON)))
    written.note(found)
    return [each.row for each in found if each.row]


@pytest.fixture(name="written")
def _written(tmp_path: Path) -> HistoryLog:
    return HistoryLog(tmp_path, "here")


def again(tmp_path: Path, destination: str = "here") -> HistoryLog:
    """Begin another process."""
    written = HistoryLog(tmp_path, destination)
    written.load()
    return written


def test_the_first_time_everything_is_written_in_the_words_of_homeiq(written: HistoryLog) -> None:
    device, entity = rows(written, HOME)
    assert device == RegistryRow(
        "devices",
        (
            ("device_id", "d1"),
            ("manufacturer", "Signify"),
            ("model", "LCA001"),
            ("area_id", "kitchen"),
        ),
        (("name", "Lamp"), ("sw_version", "1.0"), ("entity_count", 1.0), ("removed", False)),
        NOON,
    )
    assert entity == RegistryRow(
        "entities",
        (
            ("entity_id", "light.lamp"),
            ("device_id", "d1"),
            ("domain", "light"),
            ("platform", "hue"),
            ("area_id", "kitchen"),
        ),
        (("name", "Lamp"), ("unique_id", "00:17"), ("disabled", False), ("removed", False)),
        NOON,
    )


def test_what_is_not_known_has_the_words_of_homeiq(written: HistoryLog) -> None:
    bare = Home(
        devices=(Device(device_id="d1", name="Lamp"),),
        entities=(Entity(entity_id="sun.sun", registry_id="r1", platform="sun"),),
    )
    device, entity = ({**dict(row.tags), **dict(row.fields)} for row in rows(written, bare))
    assert (device["manufacturer"], device["model"], device["sw_version"]) == ("Unknown",) * 3
    assert device["area_id"] == entity["area_id"] == "unassigned"
    assert (entity["device_id"], entity["name"], entity["unique_id"]) == ("unknown", "", "")


def test_what_did_not_change_is_not_written_again_also_after_a_restart(
    tmp_path: Path, written: HistoryLog
) -> None:
    assert len(rows(written, HOME)) == 2
    assert rows(written, HOME) == []
    assert rows(again(tmp_path), HOME) == []


def test_a_change_of_values_that_are_not_written_writes_no_row(written: HistoryLog) -> None:
    rows(written, HOME)
    other = replace(LIGHT, icon="mdi:lamp", labels=("old",), options={"a": 1})
    assert rows(written, replace(HOME, entities=(other,))) == []


@pytest.mark.parametrize("restarts", [False, True])
def test_a_removal_is_said_in_the_series_that_ends(
    tmp_path: Path, written: HistoryLog, *, restarts: bool
) -> None:
    device, entity = rows(written, HOME)
    if restarts:
        written = again(tmp_path)
    gone = rows(written, Home())
    assert [(row.tags, row.fields) for row in gone] == [
        (device.tags, (("removed", True),)),
        (entity.tags, (("removed", True),)),
    ]
    assert rows(written, Home()) == rows(again(tmp_path), Home()) == []
    assert rows(written, HOME) == [device, entity]


def test_another_name_ends_one_series_and_begins_another(written: HistoryLog) -> None:
    rows(written, HOME)
    renamed = replace(LIGHT, entity_id="light.desk")
    moments = {"light.lamp": NOON + 1, "light.desk": NOON + 2}
    new, old = rows(written, replace(HOME, entities=(renamed,)), moments=moments)
    assert (dict(new.tags)["entity_id"], new.time) == ("light.desk", NOON + 2)
    assert (dict(old.tags)["entity_id"], old.time) == ("light.lamp", NOON + 1)


def test_the_time_is_that_of_the_event_or_of_the_one_of_the_device(written: HistoryLog) -> None:
    rows(written, HOME)
    moved = Home(
        devices=(replace(LAMP, effective_area_id="attic"),),
        entities=(replace(LIGHT, effective_area_id="attic"),),
    )
    times = [row.time for row in rows(written, moved, moments={"d1": NOON + 1}, latest=NOON + 9)]
    assert times == [NOON + 1, NOON + 1]
    assert [row.time for row in rows(written, HOME, latest=NOON + 9)] == [NOON + 9] * 2


def test_unwanted_entities_get_no_row_and_no_removal(written: HistoryLog) -> None:
    def no_lights(entity: Entity) -> bool:
        return not entity.entity_id.startswith("light.")

    assert rows(written, HOME, wanted=no_lights) == []
    button = replace(LIGHT, entity_id="button.lamp", registry_id="r2")
    home = replace(HOME, entities=(LIGHT, button))
    device, entity = rows(written, home, wanted=no_lights)
    assert dict(device.fields)["entity_count"] == 2.0
    assert dict(entity.tags)["entity_id"] == "button.lamp"
    rows(written, home)
    assert rows(written, home, wanted=no_lights) == []
    assert [dict(row.tags)["entity_id"] for row in rows(written, home)] == ["light.lamp"]


def test_the_history_of_another_destination_begins_with_every_row(
    tmp_path: Path, written: HistoryLog
) -> None:
    rows(written, HOME)
    assert len(rows(again(tmp_path, "elsewhere"), HOME)) == 2
    assert rows(again(tmp_path, "elsewhere"), HOME) == []


def test_the_file_does_not_grow_with_what_is_over(tmp_path: Path, written: HistoryLog) -> None:
    home = HOME
    for number in range(SPARE_LINES * 3):
        home = replace(HOME, entities=(replace(LIGHT, name=f"Name {number}"),))
        rows(written, home)
    assert len((tmp_path / FILE).read_bytes().splitlines()) <= SPARE_LINES + 10
    assert rows(again(tmp_path), home) == []


def test_only_the_owner_may_read_the_file(tmp_path: Path, written: HistoryLog) -> None:
    rows(written, HOME)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@given(st.data())
def test_a_damaged_file_makes_something_written_twice_at_worst(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        written = HistoryLog(path, "here")
        rows(written, HOME)
        rows(written, Home(devices=(LAMP,)))
        rows(written, HOME)
        raw = bytearray((path / FILE).read_bytes())
        if data.draw(st.booleans()):
            del raw[data.draw(st.integers(0, len(raw))) :]
        else:
            position = data.draw(st.integers(0, len(raw) - 1))
            raw[position] ^= data.draw(st.integers(1, 255))
        (path / FILE).write_bytes(raw)
        repeated = rows(again(path), HOME)
        first = rows(HistoryLog(path / "new", "here"), HOME)
        assert {row[:3] for row in repeated} <= {row[:3] for row in first}
        assert rows(again(path), HOME) == []


def test_what_the_disk_does_not_take_is_remembered_until_the_end(
    tmp_path: Path, written: HistoryLog
) -> None:
    found = list(changes(written.states, states(HOME, everything), {}, NOON))
    obstacle = (tmp_path / FILE).with_suffix(".new")
    obstacle.mkdir()
    with pytest.raises(OSError, match="directory"):
        written.note(found)
    assert list(changes(written.states, states(HOME, everything), {}, NOON)) == []
    obstacle.rmdir()
    assert len(rows(again(tmp_path), HOME)) == 2


WORDS = st.sampled_from([None, "a", 'quo"te', "back\\slash", "é", "\N{PILE OF POO}", "\ud800"])


@st.composite
def homes(draw: st.DrawFn) -> Home:
    """Few keys and words, so that most looks add, remove, rename and move at once."""
    devices = [
        Device(
            device_id=key,
            name=draw(WORDS) or key,
            sw_version=draw(WORDS),
            effective_area_id=draw(WORDS),
        )
        for key in sorted(draw(st.sets(st.sampled_from("12"))))
    ]
    names = draw(st.sets(st.sampled_from(["light.a", "light.b", "sensor.c"])))
    entities = [
        Entity(
            entity_id=name,
            registry_id=name,
            platform="hue",
            name=draw(WORDS),
            device_id=draw(st.sampled_from([None, "1", "2"])),
            disabled_by=draw(st.sampled_from([None, "user"])),
        )
        for name in sorted(names)
    ]
    return Home(devices=tuple(devices), entities=tuple(entities))


class History(RuleBasedStateMachine):
    """Looks at homes that have little to do with each other, restarts, and crashes."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.written = HistoryLog(Path(self.directory.name), "here")
        self.home = Home()
        self.time = NOON
        self.told: dict[tuple[str, str], RegistryRow] = {}
        self.known: dict[tuple[str, str], dict[str, Any]] = {}
        self.kinds: dict[tuple[str, str], type] = {}

    def look(self) -> list[Change]:
        self.time += 1
        return list(changes(self.written.states, states(self.home, everything), {}, self.time))

    def store(self, found: list[Change]) -> None:
        """Be the database, and see that every row is worth one."""
        for change in found:
            assert change.row
            measurement, tags, fields, time = change.row
            assert time == self.time
            for name, value in fields:
                assert self.kinds.setdefault((measurement, name), type(value)) is type(value)
            self.told[measurement, change.key] = change.row
            self.known[measurement, change.key] = {**dict(tags), **dict(fields)}

    @rule(home=homes())
    def edit(self, home: Home) -> None:
        self.home = home
        before = dict(self.told)
        found = self.look()
        keys = [(change.measurement, change.key) for change in found]
        assert len(keys) == len(set(keys))
        self.store(found)
        self.written.note(found)
        for key in keys:
            if key in before:
                assert (self.told[key].tags, self.told[key].fields) != before[key][1:3]

    @rule()
    def restart(self) -> None:
        self.written = HistoryLog(Path(self.directory.name), "here")
        self.written.load()

    @rule(home=homes())
    def crash(self, home: Home) -> None:
        """Before it was noted, what was written is on the disk: it will be written again."""
        self.home = home
        self.store(self.look())
        self.restart()
        again = self.look()
        self.store(again)
        self.written.note(again)

    @invariant()
    def the_newest_rows_are_the_home(self) -> None:
        present = {key for key, values in self.known.items() if not values["removed"]}
        assert present == {
            *(("devices", device.device_id) for device in self.home.devices),
            *(("entities", entity.entity_id) for entity in self.home.entities),
        }
        for table, now in states(self.home, everything).items():
            for key, state in now.items():
                assert state
                names = (*TABLES[table].tags, *TABLES[table].fields)
                values = self.known[table, key]
                assert [values[name] for name in names] == list(state)
        assert not list(changes(self.written.states, states(self.home, everything), {}, self.time))

    def teardown(self) -> None:
        self.directory.cleanup()


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
