"""After a restart a restored state is told from a new one, and a duration goes on."""

import json
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.filter.last_written import RESTORE_SECONDS, digest
from custom_components.ha_ingestor.pipeline.model import Rules, StateEvent
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity

from .rig import Rig, durations


def test_a_restored_state_is_not_written_again() -> None:
    rig = Rig()
    rig.see("on", brightness=3)
    rig = rig.restarted()

    assert rig.see("on", after=60, brightness=3) == []
    assert rig.ledger.filtered == {"restart_echo": 1}
    assert rig.see("on", after=1, brightness=4) == ["on"]


def test_new_attributes_after_a_restart_are_no_echo() -> None:
    rig = Rig()
    rig.see("on", brightness=3)
    rig = rig.restarted()

    assert rig.see("on", after=60, brightness=4) == ["on"]


def test_an_entity_that_was_unavailable_before_the_restart_is_waited_for_in_silence() -> None:
    rig = Rig()
    rig.see("unavailable")
    rig = rig.restarted()

    assert rig.see("unavailable", after=60, restored=True) == []
    assert rig.noise_filter.held == 0
    assert rig.due(after=RESTORE_SECONDS) == []
    assert rig.ledger.filtered == {"restart_echo": 1}
    assert rig.see("on", after=1) == ["on"]


def test_a_duration_goes_on_right_across_two_restarts() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("on", after=60)
    rig = rig.restarted()
    rig.see("on", after=30)
    off = rig.noise_filter.filter([rig.state_event("off", after=10)])

    assert durations(off) == [100]


def test_a_duration_goes_on_right_across_a_restart() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("on", after=60)
    bright = rig.noise_filter.filter([rig.state_event("on", after=5, brightness=9)])
    off = rig.noise_filter.filter([rig.state_event("off", after=35)])
    on = rig.noise_filter.filter([rig.state_event("on", after=7)])

    assert [durations(bright), durations(off), durations(on)] == [[0], [100], [7]]


def test_a_change_during_a_restart_names_the_state_before_it_and_its_duration() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    (state_event,) = rig.noise_filter.filter([rig.state_event("off", after=60)])

    assert isinstance(state_event, StateEvent)
    assert state_event.old is not None
    assert state_event.old.state == "on"
    assert durations([state_event]) == [60]


def test_a_placeholder_of_the_start_is_forgotten_as_soon_as_the_entity_is_there() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()

    assert rig.see("unavailable", after=60, restored=True) == []
    assert rig.noise_filter.held == 1
    assert rig.see("on", after=10) == []
    assert rig.noise_filter.held == 0
    assert rig.ledger.filtered == {"restart_echo": 2}
    assert rig.due(after=RESTORE_SECONDS) == []


def test_a_placeholder_that_nothing_comes_after_is_written_in_the_end() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("unavailable", after=60, restored=True)

    assert rig.noise_filter.next_due == rig.now + RESTORE_SECONDS
    rig.now += RESTORE_SECONDS
    (state_event,) = rig.noise_filter.due()
    assert state_event.new == rig.before
    assert durations([state_event]) == [60]
    assert rig.see("on", after=1) == ["on"]


def test_a_second_restart_still_knows_what_the_first_waited_for() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("unavailable", after=60, restored=True)
    rig = rig.restarted()
    assert rig.see("unavailable", after=60, restored=True) == []

    assert rig.see("on", after=1) == []


def test_after_a_crash_everything_is_new() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted(seq=7, found=8)

    assert rig.see("on", after=60) == ["on"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"seq": 7}', b'{"seq": 7, "states": {"a": 1}}', b"\xff\x00"]
)
def test_damaged_last_written_states_are_ignored(content: bytes) -> None:
    files = MemoryFiles()
    fd = files.create("recollection.json")
    files.write(fd, content, 0)
    rig = Rig()
    rig.last_written.load(files, 7)

    assert rig.see("on") == ["on"]


def test_a_state_without_a_last_written_one_is_written() -> None:
    rig = Rig().restarted()

    assert rig.see("on") == ["on"]


def test_a_reload_of_this_integration_drops_no_report_of_the_same_state() -> None:
    rig = Rig()
    rig.see("on")
    before, rig = rig.before, rig.restarted()
    rig.before = before

    assert rig.see("on", after=5) == ["on"]


def test_heartbeats_continue_after_a_restored_state() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig = rig.restarted()
    assert rig.see("21", after=10) == []

    assert rig.due(after=60) == ["21"]


def test_a_reload_waits_on_for_what_comes_after_a_placeholder() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    assert rig.see("unavailable", after=60, restored=True) == []
    rig = rig.reloaded()

    assert rig.noise_filter.held == 1
    assert rig.see("on", after=10) == []
    assert rig.ledger.filtered == {"restart_echo": 2}


def test_an_outage_after_a_reload_is_no_restored_state() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.reloaded()

    assert rig.see("unavailable", after=60, restored=True) == ["unavailable"]
    assert rig.see("on", after=10) == ["on"]
    assert rig.ledger.filtered.total() == 0


def test_last_written_states_on_disk_are_ignored_after_a_reload() -> None:
    rig = Rig()
    rig.see("on")
    files = MemoryFiles()
    rig.last_written.save(files, 7)
    rig = rig.reloaded()
    rig.last_written.load(files, 7)

    assert rig.see("unavailable", after=60, restored=True) == ["unavailable"]


def test_a_restored_state_is_dropped_when_its_point_would_be_the_same() -> None:
    def rig_of(*, what: str) -> Rig:
        rig = Rig()
        rig.entity = entity("camera.door", area=what)
        rig.contexts["camera.door"] = rig.entity
        rig.last_written.profile = HomeIQ(dumps=json.dumps)
        rig.last_written.contexts = rig.contexts
        return rig

    def again(area: str, **attributes: Any) -> list[str | None]:
        rig = rig_of(what="Hall")
        rig.see("idle", access_token="old", brand="A")
        files = MemoryFiles()
        rig.noise_filter.release()
        rig.last_written.save(files, 7)
        later = rig_of(what=area)
        later.last_written.load(files, 7)
        return later.see("idle", after=60, **attributes)

    assert again("Hall", access_token="new", brand="A", entity_picture="/api?new") == []
    assert again("Hall", access_token="old", brand="B") == ["idle"]
    assert again("Attic", access_token="old", brand="A") == ["idle"]


def test_entities_that_never_come_back_are_forgotten_in_the_end() -> None:
    rig = Rig()
    for number in range(50):
        gone = FakeState(state=str(number))
        rig.noise_filter.filter(
            [StateEvent(entity(f"sensor.old{number}"), gone, None, NOON, FakeContext())]
        )
    rig.see("on")
    sizes = []
    for _ in range(40):
        files = MemoryFiles()
        rig.noise_filter.release()
        rig.last_written.save(files, 7)
        sizes.append(len(files.read("recollection.json", 0, 1 << 20)))
        rig = Rig()
        rig.last_written.load(files, 7)
        assert rig.see("on", after=60) == []
    assert sizes[-1] < 200 < sizes[0]


def test_last_written_states_of_an_older_version_are_loaded() -> None:
    files = MemoryFiles()
    told = digest({"brightness": 3}, json.dumps)
    content = {"seq": 7, "states": {"sensor.kitchen": ["on", NOON, told]}}
    files.write(files.create("recollection.json"), json.dumps(content).encode(), 0)
    rig = Rig()
    rig.last_written.load(files, 7)

    assert rig.see("on", after=60, brightness=3) == []
