"""What `scripts/compare` counts, and what it calls a loss."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockConfigEntry

from scripts.rig.compare import numbered_changes
from scripts.rig.compare.__main__ import main
from scripts.rig.compare.report import arrivals, judge, ledger, markdown_table, text_table
from scripts.rig.compare.scenarios import Outcome
from scripts.rig.compare.tally import Record, account, arrived, counts_of, since

NOTHING: Final = dict.fromkeys(
    (
        "received",
        "filtered",
        "deduplicated",
        "captured",
        "written",
        "pending",
        "quarantined",
        "evicted",
        "lost",
    ),
    0,
)
# Ten changes in a second; the process is killed right after the last.
KILLED: Final = Record.parse(
    "".join(f"made {number} {100 + number / 10}\n" for number in range(1, 11)) + "killed 10 101.0\n"
)
CALM: Final = Record(made=KILLED.made)
ALL: Final = Counter(range(1, 11))


def stored(*numbers: int) -> Counter[int]:
    return Counter(numbers)


def outcome(record: Record, ours: Counter[int], **counts: int) -> Outcome:
    result = arrived(record, ours)
    told = NOTHING | counts
    return Outcome(
        title="A storm",
        built_in=arrived(record, stored(1, 2)),
        ours=result,
        counts=told,
        account=account(result, record, told),
    )


def test_what_is_not_in_the_database_is_missing() -> None:
    result = arrived(CALM, stored(1, 2, 3, 5, 6, 7, 8, 10))
    assert (result.made, result.distinct, result.missing, result.doubled) == (10, 8, (4, 9), 0)


def test_a_number_that_is_there_at_two_times_is_doubled_and_not_missing() -> None:
    result = arrived(CALM, ALL + stored(3, 3, 4))
    assert (result.distinct, result.missing, result.doubled) == (10, (), 2)


def test_what_was_made_before_counts_neither_as_arrived_nor_as_doubled() -> None:
    result = arrived(CALM.within(range(6, 11)), stored(1, 1, 2, 6, 7, 8))
    assert (result.made, result.distinct, result.missing, result.doubled) == (5, 3, (9, 10), 0)


def test_a_half_written_line_is_not_read() -> None:
    assert Record.parse("made 1 5.0\nmade 2 5.1\nmade 3 5").made == {1: 5.0, 2: 5.1}
    assert Record.parse("made 1").made == {}


def test_only_the_last_moment_before_a_kill_may_be_missing() -> None:
    early_and_late = arrived(KILLED, ALL - stored(2, 9, 10))
    told = account(early_and_late, KILLED, NOTHING)
    assert (told.last_moment, told.named, told.uncounted) == (2, 0, 1)
    assert told.last_seconds == pytest.approx(0.1)


def test_without_a_kill_nothing_may_be_missing() -> None:
    told = account(arrived(CALM, ALL - stored(9, 10)), CALM, NOTHING)
    assert (told.last_moment, told.uncounted) == (0, 2)


def test_a_kill_explains_only_what_is_missing_from_its_last_moment() -> None:
    killed_early = Record(made=KILLED.made, killed={5: 100.5})
    told = account(arrived(killed_early, ALL - stored(5, 6, 7)), killed_early, NOTHING)
    assert (told.last_moment, told.uncounted) == (1, 2)


@pytest.mark.parametrize("name", ["pending", "quarantined", "evicted", "lost"])
def test_what_the_ledger_names_is_counted(name: str) -> None:
    told = account(arrived(CALM, ALL - stored(1, 2, 3)), CALM, NOTHING | {name: 2})
    assert (told.named, told.uncounted) == (2, 1)


@pytest.mark.parametrize("name", ["filtered", "deduplicated", "written", "captured", "received"])
def test_a_change_that_was_to_be_written_is_lost_if_it_was_filtered(name: str) -> None:
    told = account(arrived(CALM, ALL - stored(1, 2, 3)), CALM, NOTHING | {name: 9})
    assert (told.named, told.uncounted) == (0, 3)


def test_a_ledger_that_names_more_than_is_missing_hides_no_other_loss() -> None:
    """Others of the home may be among what it names."""
    told = account(arrived(CALM, ALL - stored(1)), CALM, NOTHING | {"lost": 7})
    assert (told.named, told.uncounted) == (1, 0)


@pytest.mark.parametrize(
    "diagnostics",
    [
        {
            "ledger": {"written": 5, "filtered": {"a": 1, "b": 2}, "lost": {"disk": 3}},
            "health": {"pending": 7, "waiting": 2},
        },
        {
            "ledger": {"written": 5, "filtered": 3, "lost": 3, "pending": 7, "waiting": 2},
            "health": {},
        },
    ],
)
def test_counts_are_read_with_and_without_their_reasons(diagnostics: dict[str, Any]) -> None:
    wanted = {"written": 5, "filtered": 3, "lost": 3, "pending": 9}
    assert counts_of(diagnostics) == NOTHING | wanted


def test_each_line_tells_the_increase_of_the_counts_and_what_is_pending() -> None:
    before = NOTHING | {"written": 10, "pending": 4, "lost": 1}
    after = NOTHING | {"written": 25, "pending": 3, "lost": 1}
    assert since(before, after) == NOTHING | {"written": 15, "pending": 3}


def test_the_promise_is_kept_when_everything_is_there() -> None:
    fine = outcome(CALM, ALL)
    verdict = judge([fine, fine], written=12, stored=12)
    assert verdict.kept
    assert verdict.lines[-1] == "HA Ingestor lost nothing uncounted."


def test_one_uncounted_change_breaks_the_promise() -> None:
    bad = outcome(CALM, ALL - stored(4))
    verdict = judge([bad, bad], written=12, stored=12)
    assert not verdict.kept
    assert "1 changes lost and not counted" in verdict.lines[-1]


def test_a_loss_that_is_only_seen_at_the_end_breaks_the_promise() -> None:
    verdict = judge([outcome(CALM, ALL), outcome(CALM, ALL - stored(4))], written=1, stored=1)
    assert not verdict.kept


def test_points_called_written_that_are_not_there_break_the_promise() -> None:
    fine = outcome(CALM, ALL)
    verdict = judge([fine, fine], written=13, stored=12)
    assert not verdict.kept


def test_the_tables_show_both_and_the_ledger() -> None:
    lines = [outcome(CALM, ALL - stored(4), captured=9, written=9)]
    first = arrivals(lines)[1]
    assert first == ["A storm", "10", "2", "8", "0", "9", "1", "0"]
    head, row = ledger(lines)
    told = dict(zip(head, row, strict=True))
    assert (told["arrived"], told["ledger written"], told["ledger lost"]) == ("9", "9", "0")


def test_tables_are_aligned() -> None:
    rows = [["", "ours arrived", "ours lost"], ["A storm", "1000", "0"], ["x", "1", "22"]]
    assert text_table(rows).splitlines() == [
        "            ours",
        "         arrived  lost",
        "A storm     1000     0",
        "x              1    22",
    ]
    assert markdown_table(rows).splitlines() == [
        "|  | ours arrived | ours lost |",
        "| --- | ---: | ---: |",
        "| A storm | 1000 | 0 |",
        "| x | 1 | 22 |",
    ]


def test_a_database_that_is_named_and_not_there_is_said_and_none_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hass = tmp_path / "hass"
    hass.touch()
    monkeypatch.setenv("HA_INGESTOR_INFLUXD2", "/nowhere/influxd")
    with (
        patch("scripts.rig.compare.__main__.HASS", hass),
        patch("scripts.rig.compare.__main__.end_in_order"),
        patch("sys.argv", ["compare"]),
    ):
        assert main() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "HA_INGESTOR_INFLUXD2 is /nowhere/influxd" in told.err


def noted(hass: HomeAssistant) -> Record:
    return Record.parse(Path(hass.config.path("numbered_changes.txt")).read_text())


async def make(hass: HomeAssistant, *, kill: bool) -> None:
    """Let the rig's integration make 45 changes in 0.1 s."""
    entry = MockConfigEntry(domain="numbered_changes")
    entry.add_to_hass(hass)
    changed: list[tuple[str, str]] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        assert state
        changed.append((state.entity_id, state.state))

    hass.bus.async_listen("state_changed", note)
    assert await numbered_changes.async_setup_entry(hass, entry)
    wanted = {"first": 101, "count": 45, "rate": 450, "at": 0.0, "kill": kill}
    wanted["at"] = asyncio.get_running_loop().time() + 0.05
    await hass.services.async_call("numbered_changes", "start", wanted, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    await numbered_changes.async_unload_entry(hass, entry)
    assert [number for _, number in changed] == [str(number) for number in range(101, 146)]
    assert len({entity_id for entity_id, _ in changed}) == 20


async def test_every_change_has_its_own_number_and_is_noted(
    hass: HomeAssistant, hass_config_dir: str
) -> None:
    await make(hass, kill=False)
    record = noted(hass)
    assert list(record.made) == list(range(101, 146))
    assert sorted(record.made.values()) == list(record.made.values())
    assert not record.killed


async def test_the_kill_comes_right_after_the_last_change(
    hass: HomeAssistant, hass_config_dir: str
) -> None:
    with patch("os.kill") as kill:
        await make(hass, kill=True)
    kill.assert_called_once_with(os.getpid(), signal.SIGKILL)
    record = noted(hass)
    assert list(record.killed) == [145]
    assert list(record.made)[-1] == 145
