"""Real processes and files, and a real InfluxDB 2 behind a proxy that breaks things.

It cannot cut the power: the operating system keeps what a process wrote.
"""

import asyncio
import errno
import json
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final

from aiohttp import web

from scripts.rig.servers import Server

from .driver import Deliveries
from .host import REFUSED, numbers_in
from .mounts import OTHERS, fill
from .process_host import Order
from .processes import Spawned, begin, spawn
from .proxy import HTML, PAGE, Answer, Proxy, Trouble, any_trouble
from .steps import DAY, Answers

MEASUREMENT: Final = "home_assistant_events"
RETENTION: Final = 7 * DAY
BAD_LINE: Final = 17
# Its own tasks deliver as well, so that some answers may be on their way while it tells its state.
SLACK: Final = 8

_MARKED: Final = {"X-Influxdb-Version": "v2.7.12"}
_LOGIN: Final = '{"code":401,"message":"login required"}'
_TROUBLES: Final[Mapping[Answers, Trouble]] = {
    "busy": Trouble(answer=Answer(status=503, headers=_MARKED)),
    "locked": Trouble(answer=Answer(status=401, body=_LOGIN, headers=_MARKED)),
    "reset": Trouble(breaks="reset"),
    "page": Trouble(answer=Answer(status=200, body=PAGE, headers=HTML)),
    "gateway": Trouble(answer=Answer(status=200, body=_LOGIN)),
    "stores and fails": Trouble(breaks="reset", applies=True),
}


@dataclass(slots=True, kw_only=True)
class WatchedProxy(Proxy):
    """A proxy that knows which points the database may have."""

    deliveries: Deliveries = field(default_factory=lambda: Deliveries(SLACK))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, wbits=31)
        numbers = numbers_in(body.decode())
        process = self.deliveries.sent(numbers)
        response = await Proxy._serve(self, request)
        is_heard = request.transport is not None and not request.transport.is_closing()
        if response.status == 204 and is_heard:
            self.deliveries.acknowledged(numbers, process)
        return response


@contextmanager
def served(proxy: Proxy) -> Iterator[None]:
    """Let the proxy run in a thread, as who uses it waits for processes."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result()
        yield
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class ProcessDriver:
    """Implements `Driver`. The server is there before, and after; `proxy` is served.

    With `is_mounted` the directory is a file system of its own, which may run full.
    """

    is_durable = False

    def __init__(
        self,
        server: Server,
        proxy: WatchedProxy,
        directory: Path,
        bucket: str,
        *,
        is_mounted: bool = False,
        log: Path | None = None,
    ) -> None:
        self._server = server
        self._proxy = proxy
        self._directory = directory
        self._is_mounted = is_mounted
        self._log = log
        self._is_full = False
        self._broken: dict[str, int] = {}
        self._passed = self._clock_offset = 0.0
        self._rng = Random(bucket)
        self._bucket = bucket
        self._noon = time.time() // 3600 * 3600
        self._process: Spawned | None = None
        proxy.deliveries.is_disk_broken = lambda: self.is_broken
        self._next = spawn(log)
        self.answer("up")
        _make_bucket(server, bucket)
        # On that day a number cannot be stored.
        text = f'{MEASUREMENT},entity_id=old value="text" {int((self._noon - REFUSED) * 1e9)}'
        server.write(text, bucket)

    @property
    def deliveries(self) -> Deliveries:
        return self._proxy.deliveries

    @property
    def is_broken(self) -> bool:
        return bool(self._broken) or self._is_full

    @property
    def process(self) -> Spawned:
        assert self._process
        return self._process

    def begin(self, options: dict[str, Any]) -> None:
        order = Order(
            directory=str(self._directory / self._bucket),
            url=self._proxy.url,
            noon=self._noon,
            org=self._server.org,
            bucket=self._bucket,
            token=self._server.token,
            bad_lines=BAD_LINE,
            options=options,
            broken=self._broken,
            passed=self._passed,
            jumped=self._clock_offset,
        )
        self._process = begin(order, self._next)
        # It imports what it needs while this one is at work.
        self._next = spawn(self._log)

    def ask(self, what: str, **how: Any) -> Any:
        return self.process.state() if what == "state" else self.process.ask(what, **how)

    def arm(self, at: int) -> None:
        self.process.ask("arm", at=at)

    def kill(self) -> None:
        self.process.kill()

    def cut_power(self, seed: int) -> None:
        raise NotImplementedError("only a machine loses its power")

    def break_files(self, pattern: str, error: int) -> None:
        self._broken[pattern] = error
        self.process.ask("break", broken=self._broken)

    def fill_disk(self) -> None:
        if self._is_mounted:
            self._is_full = True
            fill(self._directory)
        else:
            self._broken |= {"write *": errno.ENOSPC, "create *": errno.ENOSPC}
            self.process.ask("break", broken=self._broken)

    def heal_disk(self) -> None:
        self._is_full = False
        (self._directory / OTHERS).unlink(missing_ok=True)
        self._broken.clear()
        self.process.ask("break", broken=self._broken)

    def answer(self, answers: Answers) -> None:
        if answers == "down":
            self._server.kill()
        elif not self._server.is_alive:
            self._server.start()
        trouble = _TROUBLES.get(answers)
        self._proxy.trouble = self._rough if answers == "rough" else lambda: trouble

    def _rough(self) -> Trouble | None:
        return any_trouble(self._rng) if self._rng.random() < 0.7 else None

    def pass_time(self, seconds: float, jump: float) -> None:
        self._passed += seconds
        self._clock_offset += jump
        self.process.ask("pass_time", passed=self._passed, jumped=self._clock_offset)

    def held(self) -> Counter[int]:
        points = self._server.query_points(MEASUREMENT, self._bucket)
        return Counter(
            int(point["fields"]["state"]) for point in points if "state" in point["fields"]
        )

    def close(self) -> None:
        self._next.kill()
        if self._process:
            self._process.kill()


def _make_bucket(server: Server, name: str) -> None:
    endpoint = server._endpoint
    (org,) = json.loads(endpoint.request("/api/v2/orgs", {"org": server.org}))["orgs"]
    rule = {"type": "expire", "everySeconds": int(RETENTION)}
    wanted = {"orgID": org["id"], "name": name, "retentionRules": [rule]}
    endpoint.request("/api/v2/buckets", body=json.dumps(wanted).encode())
