"""Two homes with the same entity ids stay apart, in the filter, in every profile and in time."""

import json
from typing import Any

import pytest
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import CoreSettings
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter, NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.last_written import LastWritten
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import (
    HERE,
    Instance,
    OtherEvent,
    Rules,
    StateEvent,
)
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

CABIN = Instance(name="cabin", location="Cabin in the woods")
DEDUPLICATION = NoiseFilterSettings(window=60.0)


def encoded(profile: Profile, *events: Any) -> list[Any]:
    return [parse_line(line) for line in Encoder(profile=profile).encode(events).lines]


@pytest.mark.parametrize(
    ("profile", "location"),
    [
        (HomeIQ(dumps=json.dumps, location="Home"), {"location": "Cabin in the woods"}),
        (Tidy(dumps=json.dumps, location="Home"), {"location": "Cabin in the woods"}),
        (Core(has_instances=True), {}),
    ],
)
def test_a_point_of_another_home_differs_by_its_tags_only(
    profile: Profile, location: dict[str, str]
) -> None:
    state = FakeState(state="21.5", attributes={"unit_of_measurement": "W"})
    here, there = encoded(
        profile, change(state), change(state, of=entity(instance=CABIN, integration=""))
    )
    assert there["tags"] == here["tags"] | {"instance": "cabin"} | location
    assert "instance" not in here["tags"]
    assert (there["fields"], there["time"]) == (here["fields"], here["time"])
    assert there["measurement"] == here["measurement"]


@pytest.mark.parametrize(
    "profile", [HomeIQ(dumps=json.dumps, location="Home"), Tidy(dumps=json.dumps, location="Home")]
)
def test_other_events_say_whose_they_are(profile: Profile) -> None:
    named = OtherEvent("call_service", {}, NOON, FakeContext(), entity(instance=CABIN), CABIN)
    unnamed = OtherEvent("call_service", {}, NOON, FakeContext(), None, CABIN)
    for point in encoded(profile, named, unnamed):
        assert point["tags"]["instance"] == "cabin"
        assert point["tags"]["location"] == "Cabin in the woods"


def test_in_the_core_profile_no_number_of_tags_hides_whose_a_point_is() -> None:
    many = {f"tag{number}": "x" for number in range(30)}
    settings = CoreSettings(tags=many, tags_attributes=frozenset({"room", "floor"}))
    state = FakeState(state="1", attributes={"room": "Hall", "floor": "1"})
    (there,) = encoded(
        Core(settings=settings, has_instances=True), change(state, of=entity(instance=CABIN))
    )
    assert there["tags"]["instance"] == "cabin"


def test_in_the_core_profile_no_attribute_takes_the_name_of_the_tag() -> None:
    attributes = {"instance": 7, "other": 1.0}
    state = FakeState(state="1", attributes=attributes)
    here, there = encoded(
        Core(settings=CoreSettings(tags={"instance": "mine"}), has_instances=True),
        change(state),
        change(state, of=entity(instance=CABIN)),
    )
    assert (here["tags"]["instance"], there["tags"]["instance"]) == ("mine", "cabin")
    [alone] = encoded(Core(), change(state))
    assert alone["fields"]["instance"] == 7
    for point in (here, there):
        assert set(point["fields"]) == {"value", "other"}


def test_points_of_two_homes_at_one_moment_are_not_moved_apart() -> None:
    state = FakeState(state="1")
    here, there = encoded(
        HomeIQ(dumps=json.dumps), change(state), change(state, of=entity(instance=CABIN))
    )
    assert here["time"] == there["time"]


class Rig:
    """A noise filter and its files."""

    def __init__(self, settings: NoiseFilterSettings, files: MemoryFiles | None = None) -> None:
        self.ledger = Ledger()
        self.clock_offset = 0.0
        last_written = LastWritten(ledger=self.ledger, dumps=json.dumps)
        self.noise_filter = NoiseFilter(
            ledger=self.ledger,
            settings=settings,
            last_written=last_written,
            clock=lambda: 100.0,
            wall_clock=lambda: NOON,
        )
        if files:
            self.noise_filter.load(files, 1)

    def write(self, *events: StateEvent) -> list[Any]:
        offered = [event._replace(clock_offset=self.clock_offset) for event in events]
        return self.noise_filter.filter(offered)


def test_the_same_state_in_another_home_is_no_repetition() -> None:
    rig = Rig(DEDUPLICATION)
    state = FakeState(state="on")
    written = rig.write(
        change(state), change(state), change(state, of=entity(instance=CABIN)), change(state)
    )
    assert [event.entity.instance for event in written] == [HERE, CABIN]
    assert rig.ledger.deduplicated == 2
    same = {"entity_id": "light.a"}
    events: list[Any] = [
        OtherEvent("pressed", same, NOON, FakeContext(), None, instance)
        for instance in (HERE, CABIN, HERE, CABIN)
    ]
    found: list[Any] = rig.noise_filter.filter(events)
    assert [event.instance for event in found] == [HERE, CABIN]


def test_a_throttle_counts_each_home_by_itself() -> None:
    rig = Rig(NoiseFilterSettings())
    rules = Rules(throttle=60.0)
    here, there = entity(rules=rules), entity(rules=rules, instance=CABIN)
    states = [FakeState(state=str(number)) for number in range(4)]
    written = rig.write(
        change(states[0], of=here),
        change(states[1], of=there),
        change(states[2], of=here),
        change(states[3], of=there),
    )
    assert [event.new.state for event in written] == ["0", "1"]
    held = {
        (event.entity.instance, event.new.state)
        for event in rig.noise_filter.release()
        if event.new
    }
    assert held == {(HERE, "2"), (CABIN, "3")}


def test_after_a_restart_each_home_is_compared_with_what_was_written_of_it() -> None:
    files = MemoryFiles()
    rig = Rig(NoiseFilterSettings())
    on, off = FakeState(state="on"), FakeState(state="off")
    rig.write(change(on), change(off, of=entity(instance=CABIN)))
    rig.noise_filter.save(files, 1)

    rig = Rig(NoiseFilterSettings(), files)
    later = FakeState(state="on", last_changed_timestamp=NOON + 60)
    there = entity(instance=CABIN)
    written = rig.write(
        change(on, time=0.0), change(off, of=there, time=0.0), change(later, off, of=there)
    )
    assert [(event.entity.instance, event.new.state) for event in written] == [(CABIN, "on")]
    assert rig.ledger.filtered == {"restart_echo": 2}


def test_a_clock_that_is_set_here_changes_no_time_of_another_home() -> None:
    rig = Rig(NoiseFilterSettings())
    before = FakeState(state="on", last_changed_timestamp=NOON)
    after = FakeState(state="off", last_changed_timestamp=NOON + 10)
    there = entity(instance=CABIN)
    rig.write(change(before, of=there))
    rig.clock_offset = 3600.0
    [event] = rig.write(change(after, before, of=there))
    assert event.old.last_changed_timestamp == NOON
    [event] = rig.write(change(after, before))
    assert event.old.last_changed_timestamp != NOON
    files = MemoryFiles()
    rig.noise_filter.save(files, 1)
    stored = json.loads(files.read("recollection.json", 0, 1 << 20))["states"]
    assert stored["cabin/sensor.kitchen"][1] == NOON + 10


def test_a_state_of_another_home_that_says_when_it_was_set_is_no_echo() -> None:
    files = MemoryFiles()
    rig = Rig(NoiseFilterSettings())
    there, on = entity(instance=CABIN), FakeState(state="on")
    rig.write(change(on, of=there))
    rig.noise_filter.save(files, 1)
    rig = Rig(NoiseFilterSettings(), files)
    later = FakeState(state="on", last_changed_timestamp=NOON + 60)
    [event] = rig.write(change(later, of=there, time=NOON + 60))
    assert event.old.state == "on"
    assert event.old.last_changed_timestamp == NOON


def test_an_entity_that_was_added_does_not_follow_what_was_written_before_a_restart() -> None:
    """It was removed meanwhile, which its own home knows."""
    files = MemoryFiles()
    rig = Rig(NoiseFilterSettings())
    there = entity(instance=CABIN)
    rig.write(change(FakeState(state="1"), of=there))
    rig.noise_filter.save(files, 1)
    rig = Rig(NoiseFilterSettings(), files)
    new = change(FakeState(state="2", last_changed_timestamp=NOON + 60), of=there, time=NOON + 60)
    [event] = rig.write(new._replace(is_added=True))
    assert event.old is None
