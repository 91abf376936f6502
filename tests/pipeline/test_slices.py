"""Long jobs of the spool's thread leave room for others, and one follows the other."""

import asyncio
import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.slices import SlicedJobs, Slices
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from tests.pipeline.running import REFUSED, make, started
from tests.pipeline.scripted_writer import OK, ScriptedWriter

# So many that a stop comes before their end, also on a busy machine.
COUNT = 20_000
POINTS = [f"m,s={number} v={number}.0 {number}000" for number in range(1, COUNT + 1)]


def noting(notes: list[str], name: str, slices: int) -> Slices[str]:
    for number in range(slices):
        notes.append(f"{name}{number}")
        yield
    return name


def failing(notes: list[str]) -> Slices[str]:
    yield from noting(notes, "bad", 1)
    raise OSError(errno.EIO, "no")


def test_other_jobs_run_between_the_slices_of_one_and_the_next_one_begins_at_its_end() -> None:
    notes: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        gate = threading.Event()
        executor.submit(gate.wait)
        jobs = SlicedJobs(executor)
        first, second = jobs.submit(noting(notes, "a", 3)), jobs.submit(noting(notes, "b", 2))
        executor.submit(notes.append, "commit")
        gate.set()
        assert (first.result(10), second.result(10)) == ("a", "b")

    assert notes == ["a0", "commit", "a1", "a2", "b0", "b1"]


def test_a_job_that_fails_says_so_and_lets_the_next_one_begin() -> None:
    notes: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        jobs = SlicedJobs(executor)
        first, second = jobs.submit(failing(notes)), jobs.submit(noting(notes, "b", 1))
        with pytest.raises(OSError, match="no"):
            first.result(10)
        assert second.result(10) == "b"


def test_once_closed_jobs_end_with_an_error_whether_they_were_begun_or_not() -> None:
    notes: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        gate = threading.Event()
        jobs = SlicedJobs(executor)
        first, second = jobs.submit(noting(notes, "a", 10**9)), jobs.submit(noting(notes, "b", 1))
        while not notes:
            gate.wait(0.01)
        jobs.close()
        for job in (first, second, jobs.submit(noting(notes, "c", 1))):
            with pytest.raises(OSError, match="Stopped"):
                job.result(10)

    assert {note[0] for note in notes} == {"a"}


async def test_a_replay_that_is_interrupted_by_a_stop_leaves_each_point_in_one_place(
    tmp_path: Path,
) -> None:
    files = OsFiles(tmp_path / "spool")
    files.names()
    Quarantine(files).add_all(list(enumerate(POINTS, 1)), status=422, reason="no")
    async with started(make(files, ScriptedWriter(judge=lambda _: REFUSED))) as pipeline:
        await pipeline.commit()
        replay = asyncio.create_task(pipeline.quarantine.replay())
        async with asyncio.timeout(10):
            while not pipeline.ledger.replayed:
                await asyncio.sleep(0)
        await pipeline.stop()
        with pytest.raises(OSError, match="Stopped"):
            await replay
    replayed = pipeline.ledger.replayed
    assert 0 < replayed < COUNT

    writer = ScriptedWriter(judge=lambda _: OK)
    async with started(make(files, writer)) as following:
        async with asyncio.timeout(30):
            while len(writer.stored) < replayed:
                await asyncio.sleep(0.01)
        left = [record["line"] for record in await following.quarantine.records()]
    assert sorted(writer.stored + left) == sorted(POINTS)
