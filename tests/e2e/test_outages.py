"""Databases come and go, Home Assistant dies: what was captured arrives, once."""

import time
from typing import Final

import pytest

from .house import Destination, House, until
from .oracle import Expected, State, change

# What is a second old is on disk; the rest is for a busy machine.
COMMITTED_SECONDS: Final = 1.5


class Story:
    """Changes of state of one entity, and the points they have to become."""

    def __init__(self, house: House, name: str) -> None:
        """Begin with an entity of its own."""
        self._house = house
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


@pytest.fixture(scope="module")
def outage(house: House) -> list[Expected]:
    """Take the databases away and bring them back."""
    story = Story(house, "outage")
    story.go_on()
    house.stop_servers()
    story.go_on()
    for each in house.destinations.values():
        assert not each.can_be_stopped or until(each.is_waiting), each.diagnostics()
    story.go_on()
    house.start_servers()
    story.go_on()
    return story.points


def test_what_happens_during_an_outage_arrives_once(
    outage: list[Expected], destination: Destination
) -> None:
    """In the database is exactly what happened before, during and after."""
    destination.assert_stored(outage)


@pytest.mark.usefixtures("outage")
def test_the_ledger_adds_up_after_an_outage(destination: Destination) -> None:
    """Nothing is pending, nothing was lost, and the database has what was written."""
    destination.assert_balanced()


@pytest.fixture(scope="module")
def crash(house: House) -> list[Expected]:
    """Kill Home Assistant while no database is there."""
    story = Story(house, "crash")
    house.stop_servers()
    for _ in range(3):
        story.go_on()
        time.sleep(COMMITTED_SECONDS)
    house.home.kill()
    house.start_servers()
    house.home.start()
    story.begin_again()
    story.go_on()
    return [*story.points, zone_since_the_start(house)]


def zone_since_the_start(house: House) -> Expected:
    """Return what Home Assistant sets up during its own start."""
    zone = house.api.state("zone.home")
    assert zone
    return change(zone, tags={"event_category": "general"})


def times_of(destination: Destination, point: Expected) -> list[int]:
    """Return when there are points of the same entity, in microseconds."""
    return [each["time_ns"] // 1000 for each in destination.points(point.tags["entity_id"])]


def test_what_was_committed_survives_a_kill(
    crash: list[Expected], destination: Destination
) -> None:
    """Home Assistant is killed with everything of the last second on disk only."""
    *story, zone = crash
    destination.assert_stored(story)
    # What is there after it is news, also what came while it started.
    if not destination.numbers_only:
        assert times_of(destination, zone).count(zone.time_us) == 1


@pytest.mark.usefixtures("crash")
def test_the_ledger_adds_up_after_a_kill(destination: Destination) -> None:
    """The counts of a process that had no time to store them are found again."""
    destination.assert_balanced()


@pytest.fixture(scope="module")
def restart(house: House) -> list[Expected]:
    """Restart Home Assistant while no database is there, right after changes of state."""
    story = Story(house, "restart")
    house.stop_servers()
    story.go_on()
    house.home.stop()
    house.home.start()
    # Home Assistant forgot what was set from outside, but it ended in order: we remember.
    story.go_on()
    zone = zone_since_the_start(house)
    house.start_servers()
    return [*story.points, zone]


def test_nothing_is_lost_by_a_restart_without_a_database(
    restart: list[Expected], destination: Destination
) -> None:
    """Neither what happened in the last moment before the stop, nor while it started."""
    *story, zone = restart
    destination.assert_stored(story)
    # What is as it was before an orderly end is no news.
    assert zone.time_us not in times_of(destination, zone)


@pytest.mark.usefixtures("restart")
def test_the_ledger_adds_up_after_a_restart(destination: Destination) -> None:
    """The counts go on where they were."""
    destination.assert_balanced()
