"""What happened in another home during an interruption comes out of its recorder, each once."""

import asyncio
import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.homeassistant import handshake
from custom_components.ha_ingestor.sources.remote import gap, recovery
from custom_components.ha_ingestor.sources.remote.capture import RemoteCapture
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home, Refusal
from tests.shell import deliver, points, set_up, until

from .conftest import entry_with, remote
from .following import balanced, connected, link_of
from .history import (
    HISTORY,
    Recorder,
    filled,
    filled_and_delivered,
    interrupted,
    lost_at_zero,
    told,
)


async def test_every_state_of_an_interruption_is_there_once_and_follows_the_one_before(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    entry, recorder, start = await lost_at_zero(hass, home, database, "sensor.a", "sensor.quiet")
    recorder.wrote("sensor.a", "0", start)
    for number in range(1, 5):
        recorder.wrote("sensor.a", str(number), start + 100 * number, unit="W")
    home.changing("sensor.a", "4", start + 400, unit="W")
    home.changing("sensor.alone", "7", start + 410)
    recorder.wrote("sensor.alone", "7", start + 410)
    await filled(entry, home)
    ledger = await balanced(entry)
    # A connection without changes asks for nothing.
    asked = len(recorder.asked)
    await home.drop()
    await connected(entry, 3)
    await asyncio.sleep(0.3)
    link = link_of(entry)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [
        ("0", None), ("1", "0"), ("2", "1"), ("3", "2"), ("4", "3")
    ]  # fmt: skip
    assert [each.time for each in points(database, "sensor.a")][-1] == pytest.approx(
        (start + 400) * 1e9, abs=1000
    )
    assert points(database, "sensor.a")[2].fields["duration_in_state_seconds"] == pytest.approx(100)
    assert told(database, "sensor.alone") == [("7", None)]
    assert ledger["received"] == ledger["captured"] == 7
    # Both that end the interruption are captured, and three and one follow history.
    assert ledger["recovered"] == 4
    assert len(recorder.asked) == asked == 1
    assert set(recorder.asked[0]["entity_ids"]) == {"sensor.a", "sensor.alone"}
    wanted = {
        "significant_changes_only": False,
        "minimal_response": False,
        "include_start_time_state": False,
        "no_attributes": False,
    }
    assert wanted.items() <= recorder.asked[0].items()
    assert link.health.state.unfillable == 0


async def test_live_events_do_not_wait_for_the_history(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "LAG_SECONDS", 0.4)
    entry, recorder, start = await lost_at_zero(hass, home, database)
    for number in (1, 2, 3):
        recorder.wrote("sensor.a", str(number), start + 100 * number)
    home.changing("sensor.a", "2", start + 200)
    await home.start()
    await connected(entry, 2)
    await home.set_state("sensor.a", "3", start + 300)
    await until(lambda: link_of(entry).health.events == 2)
    assert not recorder.asked
    await until(lambda: not link_of(entry).home.gaps)
    await balanced(entry)
    await deliver(hass, entry)
    found = sorted(points(database, "sensor.a"), key=lambda each: each.time)
    assert [each.fields["state"] for each in found] == ["0", "1", "2", "3"]
    assert found[2].fields["old_state"] == "1"


async def test_a_home_that_refuses_its_history_is_told_once_and_the_last_states_are_there(
    hass: HomeAssistant, home: Home, database: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_asked: Any) -> Any:
        raise Refusal(code="unauthorized")

    home.answers[HISTORY] = refuse
    start = time.time() - 1000
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 1)
    home.changing("sensor.a", "2", start + 200)
    await filled(entry, home)
    await home.stop()
    home.changing("sensor.a", "3", start + 300)
    await filled(entry, home, 3)
    await balanced(entry)
    link = link_of(entry)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("0", None), ("2", "0"), ("3", "2")]
    assert link.health.state.unfillable == 1
    assert caplog.text.count("The history of another home cannot be read: unauthorized") == 1


async def test_a_stop_in_the_middle_goes_on_at_the_next_connection(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap, "SLICE_SECONDS", 100.0)
    entry, recorder, start = await lost_at_zero(hass, home, database)
    for number in range(1, 9):
        recorder.wrote("sensor.a", str(number), start + 50 * number)
    home.changing("sensor.a", "8", start + 400)
    answered = 0

    def two_answers(asked: Any) -> Any:
        nonlocal answered
        answered += 1
        if answered > 2:
            home.silent.add(HISTORY)
        return recorder.answer(asked)

    home.answers[HISTORY] = two_answers
    await home.start()
    await until(lambda: HISTORY in home.silent)
    await asyncio.sleep(0.1)
    [open_] = link_of(entry).home.gaps
    assert link_of(entry).home.captured_until == open_.after == start
    home.answers[HISTORY] = recorder.answer
    home.silent.clear()
    await home.drop()
    await connected(entry, 3)
    await until(lambda: not link_of(entry).home.gaps)
    ledger = await balanced(entry)
    link = link_of(entry)
    await deliver(hass, entry)
    assert [state for state, _ in told(database, "sensor.a")] == [str(n) for n in range(9)]
    assert ledger["received"] == ledger["captured"] == 9
    starts = [each["start_time"] for each in recorder.asked]
    assert starts == sorted(set(starts))
    assert link.home.captured_until == start + 400


async def test_what_a_restart_of_the_other_home_in_the_interruption_set_again_is_no_change(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.a", "on", start)
    home.changing("sensor.b", "on", start + 1)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 2)
    recorder.wrote("sensor.a", "off", start + 50)
    recorder.wrote("sensor.a", "off", start + 101)
    recorder.wrote("sensor.b", "on", start + 100)
    home.states.clear()
    home.changing("sensor.b", "on", start + 100)
    home.changing("sensor.a", "off", start + 101)
    ledger = await filled_and_delivered(hass, home, entry)
    assert told(database, "sensor.a") == [("on", None), ("off", "on")]
    assert told(database, "sensor.b") == [("on", None)]
    assert ledger["filtered"] == {"restart_echo": 2}


async def test_a_restart_of_this_home_fills_its_gap_behind_the_last_written_state(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.a", "0", start)
    home.changing("sensor.old", "0", start + 1)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 2)
    link_of(entry).home.states.states.clear()
    for number in (1, 2, 3):
        recorder.wrote("sensor.a", str(number), start + 100 * number)
    home.changing("sensor.a", "3", start + 300)
    await home.drop()
    await connected(entry, 2)
    await until(lambda: link_of(entry).health.events >= 5)
    await deliver(hass, entry)
    assert [state for state, _ in told(database, "sensor.a")] == ["0", "1", "2", "3"]
    assert [old for _, old in told(database, "sensor.a")][2:] == ["1", "2"]
    assert len(told(database, "sensor.old")) == 1


async def test_nothing_is_asked_where_gaps_are_not_to_be_filled(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home), history={"gap_days": 0})
    await interrupted(hass, home, entry, 1)
    home.changing("sensor.a", "2", start + 200)
    await home.start()
    await until(lambda: link_of(entry).health.events == 2)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("0", None), ("2", "0")]
    assert not recorder.asked


@pytest.mark.parametrize("fault", ["unknown_error", "silence", "nonsense"])
async def test_what_is_not_answered_is_asked_in_smaller_parts(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr(recovery, "ANSWER_SECONDS", 0.2)
    entry, recorder, start = await lost_at_zero(hass, home, database)
    recorder.wrote("sensor.a", "1", start + 1)
    recorder.wrote("sensor.b", "1", start + 2)
    recorder.wrote("sensor.b", "2", start + 3)
    home.changing("sensor.a", "1", start + 1)
    home.changing("sensor.b", "2", start + 3)

    async def answer(asked: Any) -> Any:
        if "sensor.a" in asked["entity_ids"]:
            if fault == "silence":
                await asyncio.sleep(0.3)
            elif fault == "unknown_error":
                raise Refusal(code=fault)
            return {"sensor.a": [{"s": "1"}]}
        return recorder.answer(asked)

    home.answers[HISTORY] = answer
    link = link_of(entry)
    await filled_and_delivered(hass, home, entry)
    assert told(database, "sensor.b") == [("1", None), ("2", "1")]
    assert told(database, "sensor.a") == [("0", None), ("1", "0")]
    assert link.health.state.unfillable == 1


async def test_the_last_state_is_there_when_the_history_cannot_be_used(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, recorder, start = await lost_at_zero(hass, home, database)
    recorder.wrote("sensor.a", "1", start + 100)
    home.changing("sensor.a", "2", start + 200)

    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(gap.RemoteGap, "rows", broken)
    await filled_and_delivered(hass, home, entry)
    assert told(database, "sensor.a") == [("0", None), ("2", "0")]


async def test_a_full_spool_and_a_full_disk_only_delay_the_history(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, recorder, start = await lost_at_zero(hass, home, database)
    recorder.wrote("sensor.a", "1", start + 100)
    home.changing("sensor.a", "2", start + 200)
    [here] = entry.runtime_data.remotes.all
    past_events = type(entry.runtime_data.pipeline.past_events)
    fill, store, failures = 0.6, past_events.store, 0

    async def failing(*content: Any) -> int:
        nonlocal failures
        failures += 1
        if failures < 3:
            raise OSError
        points: int = await store(*content)
        return points

    monkeypatch.setattr(past_events, "spool_fill", property(lambda _: fill))
    monkeypatch.setattr(past_events, "store", failing)
    await home.start()
    await connected(entry, 2)
    await asyncio.sleep(0.3)
    assert not recorder.asked
    assert here.link.home.gaps
    fill = 0.1
    await until(lambda: not here.link.home.gaps)
    ledger = await balanced(entry)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("0", None), ("1", "0"), ("2", "1")]
    assert ledger["received"] == 3


async def test_another_home_at_the_same_place_is_not_asked_for_the_gap(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "LAG_SECONDS", 0.5)
    recorder, start = Recorder(home), time.time() - 1000
    home.entries = [{"entry_id": "1", "domain": "demo"}]
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 1)
    home.changing("sensor.a", "2", start + 200)
    await home.start()
    await connected(entry, 2)
    await until(lambda: bool(link_of(entry).home.gaps))
    home.entries = [{"entry_id": "2", "domain": "demo"}]
    home.states.clear()
    await home.drop()
    await connected(entry, 3)
    await until(lambda: not link_of(entry).home.gaps)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("0", None), ("2", "0")]
    assert not recorder.asked


async def test_after_a_kill_the_history_says_what_was_before_the_gap(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """Since when it was so is not told, and so that has no duration."""
    recorder, start = Recorder(home), time.time() - 1000
    for number, at in enumerate((-50.0, 50.0, 100.0)):
        recorder.wrote("sensor.a", str(number), start + at)
    home.changing("sensor.a", "2", start + 100)
    home.changing("sensor.b", "new", start + 80)
    recorder.wrote("sensor.b", "new", start + 80)
    home.changing("sensor.old", "as before", start - 10)
    entry = entry_with(database, remote(home))
    [subentry_id] = entry.subentries
    hass_storage["ha_ingestor.remotes"] = {"version": 1, "data": {subentry_id: start}}
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= 3)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("1", "0"), ("2", "1")]
    assert told(database, "sensor.b") == [("new", None)]
    assert told(database, "sensor.old") == []
    durations = [
        point.fields.get("duration_in_state_seconds") for point in points(database, "sensor.a")
    ]
    assert durations == [None, 50.0]


async def test_when_both_homes_were_killed_the_gap_is_filled_and_a_state_as_before_is_captured(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    """The recorder there may lack what was captured here before the kill."""
    recorder, start = Recorder(home), time.time() - 1000
    recorder.wrote("sensor.stays", "on", start - 50)
    recorder.wrote("sensor.stays", "on", start + 500)
    home.changing("sensor.stays", "on", start + 500)
    both_killed(recorder, home, start)
    recorder.wrote("sensor.a", "0", start - 50)
    recorder.wrote("sensor.a", "1", start + 50)
    recorder.wrote("sensor.a", "1", start + 501)
    recorder.wrote("sensor.a", "2", start + 600)
    home.changing("sensor.a", "2", start + 600)
    entry = entry_with(database, remote(home))
    ledger = await started(hass, home, entry, hass_storage, start)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("1", "0"), ("1", "1"), ("2", "1")]
    assert told(database, "sensor.stays") == [("on", "on")]
    assert told(database, "sensor.led") == [("2", "1"), ("2", "2")]
    assert ledger["filtered"] == {}


async def test_where_it_is_known_what_was_written_last_a_state_that_was_set_again_is_no_change(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder, start = Recorder(home), time.time() - 1000
    both_killed(recorder, home, start)
    home.changing("sensor.old", "0", start + 490)
    monkeypatch.setattr(RemoteCapture, "remembers", lambda *_: True)
    entry = entry_with(database, remote(home))
    ledger = await started(hass, home, entry, hass_storage, start)
    await deliver(hass, entry)
    assert told(database, "sensor.led") == [("2", "1")]
    assert ledger["filtered"] == {"restart_echo": 1}


def both_killed(recorder: Recorder, home: Home, start: float) -> None:
    """Let a start of the other home set a state that changed in the gap."""
    recorder.wrote("sensor.led", "1", start - 50)
    recorder.wrote("sensor.led", "2", start + 50)
    recorder.wrote("sensor.led", "2", start + 502)
    home.changing("sensor.led", "2", start + 502)


async def started(
    hass: HomeAssistant,
    home: Home,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    captured: float,
) -> dict[str, Any]:
    """Start after a kill, and fill the gap; returns the counts."""
    [subentry_id] = entry.subentries
    hass_storage["ha_ingestor.remotes"] = {"version": 1, "data": {subentry_id: captured}}
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: home.commands[HISTORY] > 0)
    await until(lambda: not link_of(entry).home.gaps)
    return await balanced(entry)


async def test_what_led_to_a_removal_in_the_interruption_is_there(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    """The recorder there has the one removal; the other entity went with a restart."""
    recorder, start = Recorder(home), time.time() - 1000
    home.changing("sensor.stays", "1", start)
    home.changing("sensor.removed", "0", start + 1)
    home.changing("sensor.gone", "0", start + 2)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 3)
    for name in ("removed", "gone"):
        recorder.wrote(f"sensor.{name}", "1", start + 100)
        recorder.wrote(f"sensor.{name}", "2", start + 200)
        home.removing(f"sensor.{name}")
    recorder.wrote("sensor.removed", "", start + 300)
    link = link_of(entry)
    await filled_and_delivered(hass, home, entry)
    assert link.health.state.unfillable == 0
    for name in ("removed", "gone"):
        found = points(database, f"sensor.{name}")
        assert [
            (each.tags["event_type"], each.fields.get("state"), each.fields.get("old_state"))
            for each in sorted(found, key=lambda point: point.time)
        ] == [
            ("state_changed", "0", None),
            ("state_changed", "1", "0"),
            ("state_changed", "2", "1"),
            ("entity_removed", None, "2"),
        ]
    removed = max(point.time for point in points(database, "sensor.removed"))
    assert removed == pytest.approx((start + 300) * 1e9, abs=1000)
    gone = max(point.time for point in points(database, "sensor.gone"))
    assert gone == pytest.approx(time.time() * 1e9, abs=30e9)


@pytest.mark.parametrize("ahead", [3600.0, -3600.0], ids=["an hour ahead", "an hour behind"])
async def test_a_gap_is_filled_by_the_clock_of_the_other_home(
    hass: HomeAssistant, home: Home, database: Emulator, ahead: float
) -> None:
    recorder, start = Recorder(home), time.time() - 1000 + ahead
    home.changing("sensor.a", "0", start)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, 1)
    for number in (1, 2, 3):
        recorder.wrote("sensor.a", str(number), start + 100 * number)
    home.changing("sensor.a", "3", start + 300)
    await filled(entry, home)
    await home.set_state("sensor.a", "4", start + 400)
    await until(lambda: link_of(entry).health.events >= 5)
    ledger = await balanced(entry)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [
        ("0", None), ("1", "0"), ("2", "1"), ("3", "2"), ("4", "3")
    ]  # fmt: skip
    assert [round(each.time / 1e9 - start) for each in points(database, "sensor.a")] == [
        *range(0, 500, 100)
    ]
    assert ledger["lost"] == {}


async def test_a_recorder_that_was_purged_or_excludes_an_entity_leaves_its_present_state(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    names = ("sensor.purged", "sensor.excluded")
    entry, recorder, start = await lost_at_zero(hass, home, database, *names)
    recorder.rows["sensor.purged"] = []
    home.changing("sensor.purged", "3", start + 300)
    home.changing("sensor.excluded", "3", start + 301)
    link = link_of(entry)
    await filled_and_delivered(hass, home, entry)
    assert told(database, "sensor.purged") == [("0", None), ("3", "0")]
    assert told(database, "sensor.excluded") == [("0", None), ("3", "0")]
    assert link.health.state.unfillable == 2


async def test_history_that_is_larger_than_a_message_is_asked_in_smaller_parts(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends with the answer that is too large, and the next one goes on."""
    monkeypatch.setattr(handshake, "MESSAGE_MAX", 100_000)
    names = [f"sensor.s{number}" for number in range(4)]
    entry, recorder, start = await lost_at_zero(hass, home, database, *names)
    for name in names:
        recorder.wrote(name, "1", start + 100)
        recorder.wrote(name, "2", start + 200)
        home.changing(name, "2", start + 200)
    filler = "x" * 20_000

    def large(asked: Any) -> Any:
        answer = recorder.answer(asked)
        return {
            name: [{**row, "a": {"filler": filler + name + row["s"]}} for row in rows]
            for name, rows in answer.items()
        }

    home.answers[HISTORY] = large
    await filled_and_delivered(hass, home, entry)
    for name in names:
        assert told(database, name) == [("0", None), ("1", "0"), ("2", "1")]
    sizes = [len(asked["entity_ids"]) for asked in recorder.asked]
    assert sizes == [4, 2, 2]


async def test_an_older_home_that_knows_less_is_followed_and_its_gaps_are_filled(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    def unknown(_asked: Any) -> Any:
        raise Refusal(code="unknown_command")

    for command in ("config/entity_registry/get_entries", "config_entries/get"):
        home.answers[command] = unknown
    home.register("sensor.a", area_id="attic")
    entry, recorder, start = await lost_at_zero(hass, home, database)
    recorder.wrote("sensor.a", "1", start + 100)
    recorder.wrote("sensor.a", "2", start + 200)
    home.changing("sensor.a", "2", start + 200)
    await filled_and_delivered(hass, home, entry)
    assert told(database, "sensor.a") == [("0", None), ("1", "0"), ("2", "1")]
    assert {point.tags["area_id"] for point in points(database, "sensor.a")} == {"attic"}


@pytest.mark.parametrize("moment", [4.3e9, 1.7e12, 1e18])
async def test_a_state_of_the_far_future_leads_to_no_more_questions_than_one_of_now(
    hass: HomeAssistant, home: Home, database: Emulator, moment: float
) -> None:
    entry, recorder, _ = await lost_at_zero(hass, home, database)
    home.changing("sensor.a", "1", moment)
    await filled(entry, home)
    assert len(recorder.asked) == 1
    home.changing("sensor.b", "2", time.time())
    await home.drop()
    await connected(entry, 3)
    await until(lambda: link_of(entry).health.events == 3)
    await deliver(hass, entry)
    assert [state for state, _ in told(database, "sensor.a")] == ["0", "1"]
    assert told(database, "sensor.b") == [("2", None)]


@pytest.mark.parametrize("moment", [4.3e9, "soon", None])
async def test_after_a_clock_that_was_wrong_the_present_states_are_captured(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any], moment: Any
) -> None:
    home.changing("sensor.a", "1", time.time() - 10)
    entry = entry_with(database, remote(home))
    stored = dict.fromkeys(entry.subentries, moment)
    hass_storage["ha_ingestor.remotes"] = {"version": 1, "data": stored}
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.events == 1)
    home_newest = link_of(entry).home.newest
    await home.set_state("sensor.a", "2", 4.3e9)
    await until(lambda: link_of(entry).health.events == 2)
    # A moment that cannot be right says nothing of what comes later.
    assert link_of(entry).home.newest == home_newest
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("1", None), ("2", "1")]


@pytest.mark.parametrize("is_killed", [True, False], ids=["after a start", "after a disconnect"])
async def test_after_a_clock_that_was_set_back_an_hour_nothing_is_taken_for_captured(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    hass_storage: dict[str, Any],
    is_killed: bool,  # noqa: FBT001
) -> None:
    Recorder(home)
    now = time.time()
    entry = entry_with(database, remote(home))
    if is_killed:
        stored = dict.fromkeys(entry.subentries, now + 3600)
        hass_storage["ha_ingestor.remotes"] = {"version": 1, "data": stored}
        await set_up(hass, entry)
    else:
        home.changing("sensor.a", "1", now + 3600)
        await interrupted(hass, home, entry, 1)
    home.changing("sensor.a", "2", now + 2)
    home.changing("sensor.new", "1", now + 1)
    if not is_killed:
        await home.start()
    await connected(entry, 1 if is_killed else 2)
    await until(lambda: link_of(entry).health.events >= (2 if is_killed else 3))
    assert link_of(entry).home.newest == now + 2
    await deliver(hass, entry)
    assert {"2"} <= {state for state, _ in told(database, "sensor.a")}
    assert told(database, "sensor.new") == [("1", None)]


async def test_a_damaged_file_of_moments_does_not_keep_a_destination_from_its_start(
    hass: HomeAssistant, home: Home, database: Emulator, hass_storage: dict[str, Any]
) -> None:
    home.changing("sensor.a", "1", time.time() - 10)
    hass_storage["ha_ingestor.remotes"] = {"version": 1, "data": ["soon"]}
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.events == 1)
    await deliver(hass, entry)
    assert told(database, "sensor.a") == [("1", None)]
