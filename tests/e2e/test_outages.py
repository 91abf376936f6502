"""Databases come and go, Home Assistant dies: what was captured arrives, once."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from scripts.rig.endpoint import Point

from .installation import INDEXED, Destination, Installation, until
from .oracle import Expected, State, change, microseconds, stored_fields

# What is a quarter of a second old is on disk; the rest is for a busy machine.
COMMITTED_SECONDS: Final = 1.0


class Scenario:
    """Changes of state of one entity, and the points they have to become."""

    def __init__(self, installation: Installation, name: str) -> None:
        """Begin with an entity of its own."""
        self._house = installation
        self._entity_id = f"sensor.story_{name}"
        self._state: State | None = None
        self.points: list[Expected] = []

    def go_on(self, changes: int = 100) -> None:
        """Change the state some more times, in numbers and in text."""
        for count in range(len(self.points), len(self.points) + changes):
            text = f"part {count}" if count % 2 else str(count)
            new = self._house.set_state(self._entity_id, text, unit_of_measurement="%")
            value = None if count % 2 else float(count)
            self.points.append(change(new, self._state, value=value))
            self._state = new

    def begin_again(self) -> None:
        """Follow Home Assistant, which forgets in a restart what was set from outside."""
        self._state = None


class Lamp:
    """A helper, which Home Assistant restores, and the points that it has to become."""

    def __init__(self, installation: Installation, entity_id: str) -> None:
        """Begin with one that was just created, and is off."""
        self._api = installation.api
        self._entity_id = entity_id
        self.points: list[Expected] = []
        self._see(None)

    def turn(self, state: str) -> None:
        """Turn it on or off."""
        self._api.call_service("input_boolean", f"turn_{state}", entity_id=self._entity_id)
        self._see(self._state)

    def _see(self, old: State | None) -> None:
        self._state = until(lambda: self._api.state(self._entity_id))
        assert self._state
        point = change(
            self._state,
            old,
            value={"on": 1.0, "off": 0.0}[self._state["state"]],
            tags={"integration": "input_boolean", "event_category": "general"},
            unrecorded={"editable"},
        )
        self.points.append(point)


@pytest.fixture(scope="module")
def outage(installation: Installation) -> list[Expected]:
    """Take the databases away and bring them back."""
    scenario = Scenario(installation, "outage")
    scenario.go_on()
    installation.stop_servers()
    scenario.go_on()
    for each in installation.destinations.values():
        assert not each.can_be_stopped or until(each.is_waiting), each.diagnostics()
    scenario.go_on()
    installation.start_servers()
    scenario.go_on()
    return scenario.points


def test_what_happens_during_an_outage_arrives_once(
    outage: list[Expected], destination: Destination
) -> None:
    """In the database is exactly what happened before, during and after."""
    destination.assert_stored(outage)


@pytest.mark.usefixtures("outage")
def test_the_ledger_adds_up_after_an_outage(destination: Destination) -> None:
    """Nothing is pending, nothing was lost, and the database has what was written."""
    destination.assert_balanced()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What a story has to become, and what there is in Home Assistant when it is up again.

    After a restart in order `states` are only those that are restored.
    """

    scenario: list[Expected]
    since_us: int
    states: dict[str, State]
    lamp: list[Expected] = field(default_factory=list)


@pytest.fixture(scope="module")
def crash(installation: Installation) -> Restart:
    """Kill Home Assistant while no database is there."""
    # Each remembers what it wrote until then, which is no longer true at the end.
    for each in installation.destinations.values():
        installation.api.reload(each.entry_id)
    scenario = Scenario(installation, "crash")
    installation.stop_servers()
    for _ in range(3):
        scenario.go_on()
        time.sleep(COMMITTED_SECONDS)
    installation.home.kill()
    since_us = time.time_ns() // 1000
    installation.start_servers()
    installation.home.start()
    states = installation.foreign_states()
    scenario.begin_again()
    scenario.go_on()
    return Restart(scenario=scenario.points, since_us=since_us, states=states)


def test_what_was_committed_survives_a_kill(crash: Restart, destination: Destination) -> None:
    """Home Assistant is killed with everything of the last second on disk only."""
    destination.assert_stored(crash.scenario)


def test_after_a_kill_every_state_is_new(crash: Restart, destination: Destination) -> None:
    """Nobody knows what was written last, and a state twice is better than none."""
    destination.settle()
    if destination.numbers_only:
        assert until(lambda: "zone.home" in destination.heard_of(crash.since_us), seconds=INDEXED)
        return
    for entity_id, state in crash.states.items():
        times = [each["time_ns"] // 1000 for each in destination.points(entity_id)]
        assert times.count(microseconds(state["last_updated"])) == 1, entity_id


@pytest.mark.usefixtures("crash")
def test_the_ledger_adds_up_after_a_kill(destination: Destination) -> None:
    """The counts of a process that had no time to store them are found again."""
    destination.assert_balanced()


@pytest.fixture(scope="module")
def restart(installation: Installation) -> Restart:
    """Restart Home Assistant while no database is there, right after changes of state."""
    created = installation.api.ws("input_boolean/create", name="Restarted")["id"]
    lamp = Lamp(installation, f"input_boolean.{created}")
    lamp.turn("on")
    scenario = Scenario(installation, "restart")
    installation.stop_servers()
    scenario.go_on()
    before = installation.foreign_states()
    installation.home.stop()
    since_us = time.time_ns() // 1000
    installation.home.start()
    after = installation.foreign_states()
    scenario.go_on()
    lamp.turn("off")
    installation.start_servers()
    states = {
        entity_id: state
        for entity_id, state in after.items()
        # Whatever other tests made of an entity from outside is not restored.
        if entity_id in before and before[entity_id]["attributes"] == state["attributes"]
    }
    return Restart(scenario=scenario.points, since_us=since_us, states=states, lamp=lamp.points)


def test_nothing_is_lost_by_a_restart_without_a_database(
    restart: Restart, destination: Destination
) -> None:
    """Neither what happened in the last moment before the stop, nor after the start.

    Home Assistant forgot the entity in between, and still it is known how long its state lasted.
    """
    destination.assert_stored(restart.scenario)


def test_a_state_that_is_restored_is_no_point(restart: Restart, destination: Destination) -> None:
    """Its duration goes on across the restart, until it really changes."""
    destination.assert_stored(restart.lamp)


def test_a_restart_writes_no_restored_states(restart: Restart, destination: Destination) -> None:
    """After a restart in order no entity begins with what was its last point before."""
    destination.settle()
    assert destination.diagnostics()["ledger"]["filtered"]["restart_echo"]
    assert "zone.home" in restart.states.keys() - destination.heard_of(restart.since_us)
    if destination.numbers_only:
        return
    for entity_id in restart.states:
        points = [each for each in destination.points(entity_id) if "state" in each["fields"]]
        before = [each for each in points if each["time_ns"] // 1000 < restart.since_us]
        if after := points[len(before) :]:
            assert _content(after[0]) != _content(before[-1]), entity_id


@pytest.mark.usefixtures("restart")
def test_the_ledger_adds_up_after_a_restart(destination: Destination) -> None:
    """The counts go on where they were."""
    destination.assert_balanced()


def _content(point: Point) -> tuple[Any, Any]:
    fields = stored_fields(point["fields"])
    return fields["state"], fields["attributes"]
