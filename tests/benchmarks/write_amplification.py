"""What reaches the device for each byte of payload: every durability, in real time.

Every variant writes to a file system of its own on a loop device, whose own counters tell, journal
and all. That takes root; without, only what the spool itself writes is counted.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.model import StateEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.durability import Durability
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings

from .stages import captured, furnished, profile
from .table import Row, at_most, say

RATE: Final = 10
WRITE_AMPLIFICATION: Final = 2.5

_DISK_BYTES: Final = 64 * 1024 * 1024
_SECTOR_BYTES: Final = 512
_SECTORS_WRITTEN: Final = 6


class CountingFiles(OsFiles):
    """The real file system, and what goes to it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.written = 0
        self.syncs = 0

    def write(self, fd: int, data: bytes, offset: int) -> None:
        super().write(fd, data, offset)
        self.written += len(data)

    def sync(self, fd: int) -> None:
        super().sync(fd)
        self.syncs += 1


@dataclass(slots=True)
class Stub:
    """A database that is there, or not; nothing is sent anywhere."""

    is_up: bool

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        if self.is_up:
            return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
        return Result(kind=Kind.KEPT, problem=Problem.UNREACHABLE)

    async def retention(self) -> float | None:
        return None

    async def check(self) -> Result:
        if self.is_up:
            return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
        return Result(kind=Kind.KEPT, problem=Problem.UNREACHABLE)


@dataclass(slots=True, kw_only=True)
class Trial:
    """One variant of the spool on its own disk."""

    directory: Path
    device: str
    durability: Durability
    compress: bool
    is_up: bool
    pipeline: Pipeline = field(init=False)
    files: CountingFiles = field(init=False)
    sectors: int = 0

    def start(self) -> None:
        self.files = CountingFiles(self.directory / "spool")
        settings = SpoolSettings(
            durability=self.durability, compress=self.compress, min_free_bytes=0
        )
        self.pipeline = build_pipeline(
            profile=profile(),
            files=self.files,
            writer=Stub(self.is_up),
            settings=settings,
        )
        self.sectors = _sectors(self.device)
        self.pipeline.start()

    def row(self, payload: int) -> Row:
        """Tell what was written so far."""
        own = self.files.written / payload
        what = (
            f"database {'up' if self.is_up else 'down'}, {self.durability},"
            f" {'compressed' if self.compress else 'plain'}: {self.files.syncs} syncs"
        )
        if not self.device:
            return Row(what=f"{what}, by the spool alone", measured=f"{own:.2f}")
        ratio = (_sectors(self.device) - self.sectors) * _SECTOR_BYTES / payload
        what = f"{what}, spool {own:.2f}, device"
        if self.durability is Durability.BALANCED and self.compress:
            return at_most(what, ratio, WRITE_AMPLIFICATION, "{:.2f}")
        return Row(what=what, measured=f"{ratio:.2f}")


def _sectors(device: str) -> int:
    if not device:
        return 0
    return int(Path("/sys/block", device, "stat").read_text().split()[_SECTORS_WRITTEN])


def _disk(directory: Path, stack: ExitStack) -> str:
    """Mount a file system of its own there; returns its device, empty where that is forbidden."""
    directory.mkdir(parents=True)
    image = directory.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(_DISK_BYTES)
    make = ("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    if os.geteuid() or not _runs(*make) or not _runs("mount", "-o", "loop", image, directory):
        return ""
    stack.callback(_runs, "umount", directory)
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, where = line.split()[:2]
        if where == str(directory):
            return Path(device).name
    return ""


def _runs(*command: str | Path) -> bool:
    with suppress(OSError):
        return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603
    return False


async def measure(directory: Path, seconds: int) -> list[Row]:
    """Let every variant have ten events per second, all at the same time."""
    hass = await furnished(directory)
    state_events = await captured(hass, directory, seconds * RATE)
    with ExitStack() as stack:
        trials = []
        variants = product((True, False), Durability, (True, False))
        for number, (is_up, durability, compress) in enumerate(variants):
            place = directory / str(number)
            device = _disk(place, stack)
            trials.append(
                Trial(
                    directory=place,
                    device=device,
                    durability=durability,
                    compress=compress,
                    is_up=is_up,
                )
            )
        os.sync()
        say(f"  … {seconds} s of {RATE} events/s")
        for trial in trials:
            trial.start()
        await _offer(state_events, [trial.pipeline.offer for trial in trials])
        encoder = trials[0].pipeline._encoder
        payload = sum(len(line.encode()) + 1 for line in encoder.encode(state_events).lines)
        rows = [trial.row(payload) for trial in trials]
        for trial in trials:
            await trial.pipeline.stop()
    await hass.async_stop(force=True)
    return rows


async def _offer(
    state_events: list[StateEvent], offers: list[Callable[[StateEvent], None]]
) -> None:
    for state_event in state_events:
        for offer in offers:
            offer(state_event)
        await asyncio.sleep(1 / RATE)
    # The last points wait for the disk as long as they may.
    await asyncio.sleep(6)
