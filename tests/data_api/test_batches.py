"""Every row that can be stored is, every other one is found, and neither takes long."""

from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.data_api.batches import BATCH_ROWS, SUSPECTS_MAX, Batches
from custom_components.ha_ingestor.data_api.rows import Row


def row(number: int) -> Row:
    return Row(key=f"{number:05}", content={}, digest=b"")


def settle(rows: list[Row], bad: set[str], alone: set[str] | None = None) -> list[list[Row]]:
    """Play a server that takes everything but the bad; returns good, bad, and first rows sent."""
    batches = Batches.of(rows, alone=alone or set())
    good: list[Row] = []
    guilty: list[Row] = []
    firsts: list[Row] = []
    while piece := batches.current:
        assert len(piece) <= BATCH_ROWS
        firsts.append(piece[0])
        if bad & {row.key for row in piece}:
            batches.refused("because")
        else:
            taken, rejected = batches.accepted()
            good += taken
            guilty += [row for row, _ in rejected]
    return [good, guilty + [row for row, _ in batches.suspects], firsts]


@given(st.integers(0, 700), st.sets(st.integers(0, 700).map(lambda n: row(n).key), max_size=6))
def test_good_rows_are_stored_in_order_and_bad_rows_are_found(count: int, bad: set[str]) -> None:
    rows = [row(number) for number in range(count)]
    good, guilty, firsts = settle(rows, bad)
    assert good == [row for row in rows if row.key not in bad]
    assert guilty == [row for row in rows if row.key in bad]
    found = len(guilty)
    assert len(firsts) <= ceil(count / BATCH_ROWS) + 2 * found * ceil(log2(BATCH_ROWS))


def test_rows_that_failed_before_are_sent_last_and_alone() -> None:
    rows = [row(number) for number in range(5)]
    good, guilty, firsts = settle(rows, {"00001"}, alone={"00001", "00002"})
    assert [row.key for row in good] == ["00000", "00003", "00004", "00002"]
    assert [row.key for row in guilty] == ["00001"]
    assert [row.key for row in firsts] == ["00000", "00001", "00002"]


def test_many_rejections_without_an_accepted_row_are_a_surge() -> None:
    batches = Batches.of([row(number) for number in range(SUSPECTS_MAX)], size=1)
    for number in range(SUSPECTS_MAX):
        assert batches.is_surge is False, number
        batches.refused("because")
    assert batches.is_surge


def test_an_accepted_row_shows_that_it_is_no_rejection_surge() -> None:
    batches = Batches.of([row(number) for number in range(9)], size=1)
    batches.refused("because")
    taken, rejected = batches.accepted()
    assert ([row.key for row in taken], rejected) == (["00001"], [(row(0), "because")])
    assert batches.suspects == []


@given(st.integers(1, 500), st.integers(1, 300))
def test_what_is_too_large_is_cut_until_it_goes_through(count: int, most: int) -> None:
    batches = Batches.of([row(number) for number in range(count)])
    good: list[Row] = []
    attempts = 0
    while piece := batches.current:
        attempts += 1
        if len(piece) > most:
            batches.too_large("long")
        else:
            good += batches.accepted()[0]
    assert [row.key for row in good] == sorted(row.key for row in good)
    assert len(good) == count
    assert attempts <= count / min(most, 100) * 2 + 12


def test_a_single_row_that_is_too_large_is_suspect() -> None:
    batches = Batches.of([row(1)])
    batches.too_large("long")
    assert batches.suspects == [(row(1), "long")]
    assert batches.current == ()
