"""Lives of pipeline processes, told from outside: begun, listened to, and ended with kill -9."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from .nursery import Order

_ROOT: Final = Path(__file__).parents[2]


@dataclass(slots=True)
class Nursery:
    """Where processes are born; one lives at a time. `counts` are all ledgers that were told."""

    process: Process
    counts: list[dict[str, Any]] = field(default_factory=list)

    async def begin(self, order: Order) -> int:
        """Begin a life and return its process id."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        word, text = await self.hear()
        assert word == "started"
        return int(text)

    async def hear(self, seconds: float = 60) -> tuple[str, str]:
        """The next thing that is said: a word and what it is about."""
        assert self.process.stdout
        async with asyncio.timeout(seconds):
            line = (await self.process.stdout.readline()).decode().strip()
        assert line, "the nursery has ended"
        word, _, text = line.partition(" ")
        return word, text

    async def kill_after(self, pid: int, seconds: float) -> list[tuple[str, int, float]]:
        """End a life abruptly; return everything that it said, and when."""
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, os.kill, pid, signal.SIGKILL)
        said: list[tuple[str, int, float]] = []
        while True:
            word, text = await self.hear()
            if word == "ended":
                return said
            if word == "counts":
                self.counts.append(json.loads(text))
                continue
            said.append((word, int(text), loop.time()))

    async def drain(self, order: Order, seconds: float = 60) -> dict[str, Any]:
        """Let a last process deliver everything, and return the ledger."""
        await self.begin(order)
        word, text = await self.hear(seconds)
        assert word == "ledger"
        assert await self.hear() == ("ended", "")
        ledger: dict[str, Any] = json.loads(text)
        return ledger


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery that is gone at the end, and whoever lived in it too."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.nursery",
        stdin=PIPE,
        stdout=PIPE,
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
