"""T8 to T11, T14: whatever a server answers, no point is lost, and only refused ones are put aside.

Every test runs against every server that the emulator knows, some of them through other endpoints
than their own or behind a proxy that hides who answers.
"""

import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import aiohttp
import pytest
from _pytest.mark import ParameterSet

from custom_components.ha_ingestor.clients.exchange import RETRY_AFTER_MAX
from custom_components.ha_ingestor.clients.influx import client as influx
from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import ROUTES, Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.isolation import SURGE_WINDOW
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.export.retry import TOO_LARGE_ATTEMPTS
from tests.emulator import (
    CLOUD_SERVERLESS,
    CLOUD_TSM,
    V1_6,
    V1_13,
    V2_7,
    V3,
    VM_NEW,
    VM_OLD,
    Emulator,
    Profile,
)
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON

from .proxy import BAD_GATEWAY, HTML, MARKS, PAGE, Answer, Proxy, Trouble
from .rig import Rig, points, quarantined

pytestmark = pytest.mark.usefixtures("socket_enabled")

MONTH = 30 * 86_400
YEAR_NS = 365 * 86_400 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One way to write to one server."""

    name: str
    profile: Profile
    dialect: Dialect
    removes: tuple[str, ...] = ()
    # The emulator reads the name of the database here only, whichever endpoint is asked.
    adds_query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


DB = {"db": "home_assistant"}
OWN_ENDPOINTS = [
    Server(name="InfluxDB 1.6", profile=V1_6, dialect=Dialect.V1),
    Server(name="InfluxDB 1.13", profile=V1_13, dialect=Dialect.V1),
    Server(name="InfluxDB 2", profile=V2_7, dialect=Dialect.V2),
    Server(name="InfluxDB 3", profile=V3, dialect=Dialect.V3),
    Server(name="VictoriaMetrics 1.79", profile=VM_OLD, dialect=Dialect.VICTORIAMETRICS),
    Server(name="VictoriaMetrics 1.150", profile=VM_NEW, dialect=Dialect.VICTORIAMETRICS),
]
CLOUDS = [
    Server(name="InfluxDB Cloud", profile=CLOUD_TSM, dialect=Dialect.V2),
    Server(name="InfluxDB Cloud Serverless", profile=CLOUD_SERVERLESS, dialect=Dialect.V2),
]
OTHER_ENDPOINTS = [
    Server(name="InfluxDB 1.13 as 2", profile=V1_13, dialect=Dialect.V2, adds_query=DB),
    Server(name="InfluxDB 3 as 1", profile=V3, dialect=Dialect.V1),
    Server(name="InfluxDB 3 as 2", profile=V3, dialect=Dialect.V2, adds_query=DB),
]
BEHIND_A_PROXY = [
    replace(server, name=f"{server} behind a proxy", removes=MARKS)
    for server in OWN_ENDPOINTS
    if server.profile not in [V1_6, VM_OLD]
]
EVERY_ENDPOINT = [*OWN_ENDPOINTS, *CLOUDS, *OTHER_ENDPOINTS]
EVERY_SERVER = [*EVERY_ENDPOINT, *BEHIND_A_PROXY]

on_every_server = pytest.mark.parametrize("server", EVERY_SERVER, ids=str)
on_every_endpoint = pytest.mark.parametrize("server", EVERY_ENDPOINT, ids=str)


@dataclass(slots=True)
class Stage:
    """A server, the proxy in front of it, and an exporter that writes through both."""

    emulator: Emulator
    proxy: Proxy
    rig: Rig

    async def deliver(self, lines: Iterable[str], attempts: int = 100) -> list[float]:
        self.rig.commit(lines)
        return await self.rig.deliver(attempts)

    def assert_stored(self, lines: Iterable[str]) -> None:
        """The points of these lines are in the database, as if each was sent once, and no other."""
        times = {int(line.rpartition(" ")[2]) // 10**6 for line in lines}
        assert {time // 10**6 for _, time in self.emulator.points} == times
        assert len(self.emulator.points) == len(times)

    def assert_waits(self, problem: Problem, count: int) -> None:
        """Nothing was settled, and everybody can see why."""
        assert self.rig.exporter.state.problem is problem
        assert self.rig.pending == count
        assert self.rig.ledger.settled == 0
        assert quarantined(self.rig) == []


@asynccontextmanager
async def stage(server: Server) -> AsyncIterator[Stage]:
    async with (
        Emulator(profile=server.profile, retention=MONTH, now=int(NOON)) as emulator,
        Proxy(upstream=emulator.url, removes=server.removes, adds_query=server.adds_query) as proxy,
        aiohttp.ClientSession() as session,
    ):
        destination = Destination(
            url=proxy.url,
            dialect=server.dialect,
            org="home",
            bucket="home_assistant",
            database="home_assistant",
            token="good token",
        )
        yield Stage(emulator, proxy, Rig(MemoryFiles(), InfluxClient(session, destination)))


def malformed(line: str) -> str:
    """No server can read a line without fields."""
    return line.replace(" value=", ",value=").replace(".5 ", ",")


def conflicting(line: str) -> str:
    """A number was expected."""
    head, value, tail = line.partition("value=")
    return f'{head}{value}"{tail.replace(" ", '" ')}'


def stale(line: str) -> str:
    """Older than what the database keeps."""
    head, _, time = line.rpartition(" ")
    return f"{head} {int(time) - YEAR_NS}"


REFUSES = {
    malformed: [V1_6, V1_13, V2_7, V3, VM_NEW, CLOUD_TSM, CLOUD_SERVERLESS],
    conflicting: [V1_6, V1_13, V2_7, V3, CLOUD_SERVERLESS],
    stale: [V1_6, V1_13, V2_7],
}


def with_poison(spoil: Any, count: int, seed: int) -> tuple[list[str], list[str], list[str]]:
    """All lines, the good ones, and the poisonous ones, which are never the first."""
    lines = points(1, count)
    for place in random.Random(seed).sample(range(1, count), 5):
        lines[place] = spoil(lines[place])
    good = [line for line in lines if line in set(points(1, count))]
    return lines, good, [line for line in lines if line not in set(good)]


def refusals() -> Iterator[ParameterSet]:
    """Every server with everything that it refuses."""
    for spoil, profiles in REFUSES.items():
        for server in EVERY_SERVER:
            if server.profile in profiles:
                name = f"{spoil.__name__} for {server}"
                yield pytest.param(server, spoil, id=name)


@pytest.mark.parametrize(("server", "spoil"), refusals())
async def test_exactly_the_refused_points_are_quarantined_and_all_others_stored(
    server: Server, spoil: Any
) -> None:
    lines, good, bad = with_poison(spoil, 200, seed=len(server.name))
    async with stage(server) as on:
        # A type is known once there is a point of it.
        await on.deliver(lines[:1])
        waits = await on.deliver(lines[1:])

        assert waits == []
        on.assert_stored(good)
        assert sorted(quarantined(on.rig)) == sorted(bad)
        assert on.rig.ledger.quarantined == len(bad) == 5
        assert on.rig.ledger.written == len(good)
        # A point that is refused costs a logarithm of requests.
        assert on.proxy.requests < 5 * 2 * 11


async def test_what_victoriametrics_says_is_its_own_also_without_its_headers() -> None:
    bad = points(2, 2)[0]
    body = (
        f"cannot process influx line protocol data: incorrect influx line {json.dumps(bad)}: "
        'cannot find Whitespace I in "m,a=b"; see https://docs.victoriametrics.com/\n'
    )
    async with stage(OWN_ENDPOINTS[5]) as on:
        refused = iter([Trouble(answer=Answer(status=400, body=body))])
        on.proxy.trouble = lambda: next(refused, None)
        assert await on.deliver(points(1, 10)) == []


@pytest.mark.parametrize(
    ("server", "spoil"),
    [(OWN_ENDPOINTS[4], malformed), (CLOUDS[0], conflicting)],
    ids=["old VictoriaMetrics, malformed", "cloud, conflicting"],
)
async def test_a_server_that_drops_points_and_says_nothing_is_believed(
    server: Server, spoil: Any
) -> None:
    lines, good, _ = with_poison(spoil, 600, seed=1)
    async with stage(server) as on:
        await on.deliver(lines[:1])
        assert await on.deliver(lines[1:]) == []

        on.assert_stored(good)
        assert quarantined(on.rig) == []
        assert on.rig.ledger.written == 600


async def test_what_a_cloud_would_drop_without_a_word_is_known_from_its_retention() -> None:
    lines, good, bad = with_poison(stale, 600, seed=1)
    async with stage(CLOUDS[0]) as on:
        await on.deliver(lines[:1])
        assert await on.deliver(lines[1:]) == []

        on.assert_stored(good)
        assert sorted(quarantined(on.rig)) == sorted(bad)


EXPIRING = [server for server in EVERY_SERVER if server.profile in (V1_6, V1_13, V2_7)]


@pytest.mark.parametrize("server", EXPIRING, ids=str)
@pytest.mark.parametrize("tells", [True, False], ids=["told", "not told"])
async def test_many_expired_points_do_not_stop_the_fresh_ones(
    server: Server, *, tells: bool
) -> None:
    fresh = points(3001, 6000)
    old = [stale(line) for line in points(1, 3000)]
    async with stage(server) as on:
        if not tells:
            # Credentials that may write and see nothing else.
            on.emulator.tells_retention = False
        assert await on.deliver([*old, *fresh]) == []

        on.assert_stored(fresh)
        assert sorted(quarantined(on.rig)) == sorted(old)
        assert on.rig.ledger.written == on.rig.ledger.quarantined == 3000
        assert on.proxy.requests < 30


@on_every_server
async def test_a_server_that_refuses_everything_gets_its_points_again(server: Server) -> None:
    async with stage(server) as on:
        refusal = Answer(status=400, body='{"error":"partial write: all of it is wrong"}')
        on.proxy.trouble = lambda: Trouble(answer=refusal)
        waits = await on.deliver(points(1, 500), attempts=5)

        assert waits == [BLOCKED_RETRY] * 5
        assert on.rig.exporter.state.problem is Problem.REJECTION_SURGE
        aside = quarantined(on.rig)
        assert len(aside) == on.rig.ledger.quarantined <= SURGE_WINDOW
        assert on.rig.pending == 500 - len(aside)

        on.proxy.trouble = lambda: None
        assert await on.rig.deliver() == []
        on.assert_stored(set(points(1, 500)) - set(aside))


def unknown(on: Stage) -> Problem:
    on.emulator.allowed = {"somebody else"}
    return Problem.INVALID_AUTH


def not_allowed(on: Stage) -> Problem:
    on.emulator.allowed = {"somebody else"}
    on.emulator.read_only = {f"{route.scheme} good token" for route in ROUTES.values()}
    return Problem.FORBIDDEN


def no_page(on: Stage) -> Problem:
    on.proxy.trouble = lambda: Trouble(answer=Answer(status=404, body=PAGE, headers=HTML))
    return Problem.NOT_A_DATABASE


@on_every_server
@pytest.mark.parametrize("shut", [unknown, not_allowed, no_page])
async def test_refused_credentials_block_lose_nothing_and_are_replaced(
    server: Server, shut: Any
) -> None:
    async with stage(server) as on:
        problem = shut(on)
        waits = await on.deliver(points(1, 200), attempts=4)

        assert waits == [BLOCKED_RETRY] * 4
        assert on.rig.exporter.state.status is Status.BLOCKED
        on.assert_waits(problem, 200)

        on.emulator.allowed.clear()
        on.proxy.trouble = lambda: None
        assert await on.rig.deliver() == []
        on.assert_stored(points(1, 200))
        assert on.rig.ledger.written == 200


@pytest.mark.parametrize(
    ("server", "parameter", "problem"),
    [
        (OWN_ENDPOINTS[0], "db", Problem.DATABASE_NOT_FOUND),
        (OWN_ENDPOINTS[1], "db", Problem.DATABASE_NOT_FOUND),
        (OWN_ENDPOINTS[1], "rp", Problem.RETENTION_POLICY_NOT_FOUND),
        (OWN_ENDPOINTS[2], "org", Problem.ORG_NOT_FOUND),
        (OWN_ENDPOINTS[2], "bucket", Problem.BUCKET_NOT_FOUND),
        (CLOUDS[0], "org", Problem.ORG_NOT_FOUND),
        (CLOUDS[1], "bucket", Problem.BUCKET_NOT_FOUND),
        (OTHER_ENDPOINTS[0], "db", Problem.DATABASE_NOT_FOUND),
    ],
    ids=str,
)
async def test_a_missing_place_blocks_loses_nothing_and_is_found_again(
    server: Server, parameter: str, problem: Problem
) -> None:
    async with stage(server) as on:
        known = set(on.emulator.names[parameter])
        on.emulator.names[parameter].clear()
        assert await on.deliver(points(1, 200), attempts=3) == [BLOCKED_RETRY] * 3
        on.assert_waits(problem, 200)

        on.emulator.names[parameter] |= known
        assert await on.rig.deliver() == []
        on.assert_stored(points(1, 200))


def after(header: str) -> Trouble:
    return Trouble(answer=Answer(status=429, headers={"Retry-After": header}))


TROUBLES: dict[str, tuple[Trouble, float]] = {
    "500": (Trouble(answer=Answer(status=500)), 0),
    "502 with a page": (Trouble(answer=BAD_GATEWAY), 0),
    "503": (Trouble(answer=Answer(status=503)), 0),
    "503 although stored": (Trouble(answer=Answer(status=503), applies=True), 0),
    "504": (Trouble(answer=Answer(status=504)), 0),
    "408": (Trouble(answer=Answer(status=408)), 0),
    "400 with a page": (Trouble(answer=Answer(status=400, body=PAGE, headers=HTML)), 0),
    "200 with a page": (Trouble(answer=Answer(status=200, body=PAGE, headers=HTML)), 0),
    "429": (Trouble(answer=Answer(status=429)), 0),
    "429 for 7 seconds": (after("7"), 7),
    "429 until the past": (after("Thu, 01 Jan 1970 00:00:00 GMT"), 0),
    "429 for an age": (after("999999999"), RETRY_AFTER_MAX),
    "429 for -5 seconds": (after("-5"), 0),
    "429 for nonsense": (after("soon; maybe"), 0),
    "503 for 7 seconds": (Trouble(answer=Answer(status=503, headers={"Retry-After": "7"})), 7),
    "reset": (Trouble(breaks="reset"), 0),
    "reset after it was stored": (Trouble(breaks="reset", applies=True), 0),
    "truncated": (Trouble(breaks="truncated", answer=Answer(status=200, body="{")), 0),
    "truncated 204": (Trouble(breaks="reset", answer=Answer(status=204), applies=True), 0),
}


@on_every_endpoint
async def test_passing_trouble_loses_nothing_and_the_waits_follow_the_formula(
    server: Server,
) -> None:
    expected, found = {}, {}
    async with stage(server) as on:
        for index, (name, (trouble, asked)) in enumerate(TROUBLES.items()):
            troubles = iter([trouble] * 4)
            on.proxy.trouble = partial(next, troubles, None)
            found[name] = await on.deliver(points(index * 60 + 1, index * 60 + 60))
            expected[name] = [max(step, asked) for step in (1, 2, 4, 8)]

        assert found == expected
        sent = 60 * len(TROUBLES)
        on.assert_stored(points(1, sent))
        assert on.rig.ledger.written == sent
        assert quarantined(on.rig) == []


async def test_a_retry_after_date_is_waited_for() -> None:
    async with stage(OWN_ENDPOINTS[2]) as on:
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        troubles = iter([after(moment)])
        on.proxy.trouble = lambda: next(troubles, None)

        assert await on.deliver(points(1, 60)) == [pytest.approx(29, abs=1.5)]


@pytest.mark.parametrize("server", OWN_ENDPOINTS[1:4], ids=str)
@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(breaks="slow", answer=Answer(status=200, body="{")),
        Trouble(breaks="hangs"),
        Trouble(breaks="hangs", applies=True),
    ],
    ids=["a byte at a time", "never", "never although stored"],
)
async def test_a_reply_that_does_not_end_is_not_waited_for(
    server: Server, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(server) as on:
        with monkeypatch.context() as context:
            context.setattr(influx, "WRITE_TIMEOUT", aiohttp.ClientTimeout(total=0.3))
            on.proxy.trouble = lambda: trouble
            assert await on.deliver(points(1, 60), attempts=2) == [1, 2]
            on.assert_waits(Problem.TIMEOUT, 60)
        on.proxy.trouble = lambda: None

        assert await on.rig.deliver() == []
        on.assert_stored(points(1, 60))
        assert on.rig.ledger.written == 60


@on_every_endpoint
async def test_a_body_that_is_too_large_for_a_proxy_arrives_in_parts(server: Server) -> None:
    lines = points(1, 3000)
    async with stage(server) as on:
        on.proxy.body_max = 5_000
        assert await on.deliver(lines) == []

        on.assert_stored(lines)
        assert quarantined(on.rig) == []


@on_every_endpoint
async def test_a_single_point_that_is_too_large_is_quarantined_alone(server: Server) -> None:
    lines = points(1, 300)
    noise = random.Random(1).randbytes(20_000).hex()
    lines[100] = lines[100].replace(",entity_id", f",noise={noise},entity_id")
    async with stage(server) as on:
        on.proxy.body_max = 5_000
        # Once may be an accident of the proxy.
        assert len(await on.deliver(lines)) == TOO_LARGE_ATTEMPTS

        on.assert_stored(set(points(1, 300)) - set(points(101, 101)))
        assert quarantined(on.rig) == [lines[100]]


@on_every_server
async def test_points_delivered_twice_are_stored_once(server: Server) -> None:
    lines = points(1, 300)
    async with stage(server) as on:
        is_second = False

        def trouble() -> Trouble | None:
            nonlocal is_second
            is_second = not is_second
            return Trouble(breaks="reset", applies=True) if is_second else None

        on.proxy.trouble = trouble
        for first in range(0, 300, 50):
            assert await on.deliver(lines[first : first + 50]) == [1.0]

        on.assert_stored(lines)
        assert on.rig.ledger.written == on.rig.ledger.captured == 300
        # Each was sent twice: VictoriaMetrics keeps the copies until it deduplicates.
        assert len(on.emulator.stored) == 600
