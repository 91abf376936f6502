"""A host in a process of its own, which may be killed: `python -m tests.faults.process_host`.

The first line that it reads is an `Order`, and each one after it is what it is asked; it answers
each with one line.

    > {"directory": …, "url": …}
    < {"answer": null}
    > {"what": "offer", "how": {"first": 1, …}}
    < {"answer": null}
    > {"what": "replay", "how": {}}
    < {"os_error": [5, "Input/output error"]}
"""

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from .bare import Clocks, Destination, Dialect, InfluxClient
from .faulty_files import Faults, FaultyFiles
from .host import Host, Place, State, small_memory

# No rules.
DEFAULTS: Final = {"settings": {}, "rules": -1, "window": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which pipeline a process runs, and how its disk and clocks are at its start."""

    directory: str
    url: str
    noon: float
    org: str = "home"
    bucket: str = "home_assistant"
    token: str = ""
    bad_lines: int = 0
    options: dict[str, Any] = field(default_factory=DEFAULTS.copy)
    broken: dict[str, int] = field(default_factory=dict)
    passed: float = 0.0
    jumped: float = 0.0


class ProcessHost:
    """A host, and the world around it as far as it is in this process."""

    def __init__(self, order: Order, session: aiohttp.ClientSession) -> None:
        self._faults = Faults(order.broken)
        self._passed, self._clock_offset = order.passed, order.jumped
        destination = Destination(
            url=order.url,
            dialect=Dialect.V2,
            org=order.org,
            bucket=order.bucket,
            database=order.bucket,
            token=order.token,
        )
        place = Place(
            files=FaultyFiles(Path(order.directory), self._faults),
            writer=InfluxClient(session, destination),
            clocks=Clocks(
                monotonic=lambda: time.monotonic() + self._passed,
                wall=lambda: max(time.time() + self._passed + self._clock_offset, 0.0),
            ),
            noon=order.noon,
            runs_by_itself=True,
            bad_lines=order.bad_lines,
        )
        self._host = Host(place, order.options)

    async def ask(self, what: str, how: dict[str, Any]) -> Any:
        """Change what is around the host, or let it do something; raises OSError."""
        match what:
            case "break":
                self._faults.broken = how["broken"]
            case "arm":
                self._faults.kill_in = how["at"]
            case "pass_time":
                self._passed, self._clock_offset = how["passed"], how["jumped"]
            case _:
                answer = await self._host.ask(what, **how)
                return asdict(answer) if isinstance(answer, State) else answer
        return None


async def _lines() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode()


async def serve() -> None:
    """Do what is asked until nobody asks any more."""
    lines = _lines()
    order = Order(**json.loads(await anext(lines)))
    async with aiohttp.ClientSession() as session:
        host = ProcessHost(order, session)
        _say({"answer": None})
        async for line in lines:
            try:
                _say({"answer": await host.ask(**json.loads(line))})
            except OSError as err:
                _say({"os_error": [err.errno, err.strerror]})
            except Exception:  # noqa: BLE001  the driver tells
                _say({"failed": traceback.format_exc()})


def _say(content: dict[str, Any]) -> None:
    """One line in one piece."""
    os.write(sys.stdout.fileno(), f"{json.dumps(content)}\n".encode())


if __name__ == "__main__":
    with small_memory():
        asyncio.run(serve())
    os._exit(0)
