"""Somebody deletes, moves or replaces the files of a spool that is in use.

What only they held is gone. What comes later is kept, also when nothing is read meanwhile.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool

from .rig import NOON, Clock, append, balanced, drain, lines


def delete_directory(spool: Path) -> None:
    shutil.rmtree(spool)


def rename_directory(spool: Path) -> None:
    spool.rename(spool.with_name("renamed"))


def move_to_another_disk(spool: Path) -> None:
    """What `mv` does, and then a link to the new place."""
    other = spool.with_name("other disk")
    shutil.copytree(spool, other)
    shutil.rmtree(spool)
    spool.symlink_to(other)


def delete_segments(spool: Path) -> None:
    for file in spool.glob("*.seg"):
        file.unlink()


def delete_counts(spool: Path) -> None:
    for file in spool.glob("cursor*"):
        file.unlink()


def delete_one_of_the_counts(spool: Path) -> None:
    (spool / "cursor-2").unlink()


WAYS = [
    delete_directory,
    rename_directory,
    move_to_another_disk,
    delete_segments,
    delete_counts,
    delete_one_of_the_counts,
]


def opened_on(directory: Path, clock: Clock) -> Spool:
    spool = Spool(OsFiles(directory), Ledger(), clock, Clock(NOON), SpoolSettings())
    spool.open()
    return spool


def written_and_deleted(directory: Path, delete: Callable[[Path], None]) -> Spool:
    """Bring twenty points in before and ten after the deletion, and sync both."""
    clock = Clock()
    spool = opened_on(directory, clock)
    spool.ledger.received = 3
    spool.ledger.filtered["excluded"] = 3
    append(spool, lines(1, 5))
    drain(spool)
    append(spool, lines(6, 20))
    clock.now += 6
    spool.work()
    delete(directory)
    for first in (21, 26):
        append(spool, lines(first, first + 4))
        clock.now += 6
        spool.work()
    return spool


@pytest.mark.parametrize("delete", WAYS)
def test_what_comes_after_the_deletion_is_delivered(
    tmp_path: Path, delete: Callable[[Path], None]
) -> None:
    spool = written_and_deleted(tmp_path / "spool", delete)
    assert spool.disk_error == ""
    delivered = drain(spool)

    assert delivered[-10:] == lines(21, 30)
    assert spool.ledger.written == 5 + len(delivered)
    assert spool.ledger.lost.total() == 25 - len(delivered)
    assert balanced(spool)


@pytest.mark.parametrize("delete", WAYS)
def test_what_comes_after_the_deletion_outlives_the_process(
    tmp_path: Path, delete: Callable[[Path], None]
) -> None:
    killed = written_and_deleted(tmp_path / "spool", delete)
    killed._lock.release()
    spool = opened_on(tmp_path / "spool", Clock())

    assert spool.ledger.received == 33
    assert spool.ledger.captured == 30
    assert spool.ledger.filtered == {"excluded": 3}
    assert spool.ledger.written == 5
    assert drain(spool)[-10:] == lines(21, 30)
    assert balanced(spool)


def test_an_empty_segment_that_was_deleted_is_replaced(tmp_path: Path) -> None:
    spool = opened_on(tmp_path / "spool", Clock())
    append(spool, lines(1, 5))
    drain(spool)
    delete_directory(tmp_path / "spool")
    append(spool, lines(6, 10))

    assert drain(spool) == lines(6, 10)
    assert spool.ledger.lost.total() == 0


def test_a_directory_that_is_a_file_for_a_while_costs_no_points(tmp_path: Path) -> None:
    directory, away = tmp_path / "spool", tmp_path / "away"
    spool = opened_on(directory, Clock())
    append(spool, lines(1, 5))
    directory.rename(away)
    directory.write_text("a file")
    for _ in range(20):
        with pytest.raises(NotADirectoryError):
            spool.read(10, 1000)
    directory.unlink()
    away.rename(directory)

    assert drain(spool) == lines(1, 5)


def test_what_a_moved_directory_did_not_take_is_not_found_in_it(tmp_path: Path) -> None:
    directory, away = tmp_path / "spool", tmp_path / "away"
    clock = Clock()
    spool = opened_on(directory, clock)
    append(spool, lines(1, 5))
    clock.now += 6
    spool.work()
    directory.rename(away)
    directory.write_text("a file")
    with pytest.raises(NotADirectoryError):
        append(spool, lines(6, 10))
    directory.unlink()
    away.rename(directory)
    spool.close()
    following = opened_on(directory, Clock())

    assert drain(following) == lines(1, 5)


def test_a_file_system_that_numbers_files_anew_each_time_is_written_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.samestat", lambda *_: False)
    spool = opened_on(tmp_path / "spool", Clock())
    append(spool, lines(1, 5))

    assert spool.disk_error == ""
    assert drain(spool) == lines(1, 5)
