"""The sync loop: changes of the home, and failures of the server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from custom_components.ha_ingestor.data_api.requests import Requests
from custom_components.ha_ingestor.data_api.rows import Table
from custom_components.ha_ingestor.data_api.schedule import SendSchedule
from custom_components.ha_ingestor.data_api.sync import RejectedRow, Sync
from custom_components.ha_ingestor.data_api.transfer import Transfer
from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.registry.model import Home

from .strict import (
    DOWN,
    OK,
    PAGE,
    SOMEBODY_ELSE,
    TIMEOUT,
    UNKNOWN,
    StrictApi,
    device,
    entity,
    now,
    run,
)

POLITE = Result(kind=Kind.KEPT, problem=Problem.BUSY, retry_after=20.0)


@dataclass
class RegistryHome:
    """A home that changes, and the sync of a data-api with it."""

    api: StrictApi = field(default_factory=StrictApi)
    home: Home = field(default_factory=lambda: Home(devices=(device("a"), device("b"))))
    syncs: int = 0
    states: list[Any] = field(default_factory=list)
    while_completed: Callable[[], None] = lambda: None

    async def complete(self, home: Home) -> Home:
        self.syncs += 1
        self.while_completed()
        await asyncio.sleep(0)
        return home

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[Sync]:
        async def at_once(function: Any, home: Home) -> Any:
            return function(home)

        sync = Sync(
            transfer=Transfer(requests=Requests(client=self.api, clock=now)),
            complete=self.complete,
            schedule=SendSchedule(),
            clock=now,
            jitter=lambda: 1.0,
            on_change=lambda: self.states.append(sync.state),
            run=at_once,
        )
        task = asyncio.create_task(sync.run_forever())
        yield sync
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def rename(self, device_id: str, name: str) -> None:
        self.home = replace(
            self.home,
            devices=tuple(
                replace(one, name=name) if one.device_id == device_id else one
                for one in self.home.devices
            ),
        )

    def name(self, device_id: str) -> str:
        return str(self.api.tables.devices[device_id]["name"])


def kept(play: Callable[[RegistryHome, Sync], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make it a test: a home whose first sync is done."""

    def test() -> None:
        async def go() -> None:
            registry_home = RegistryHome()
            async with registry_home.kept() as sync:
                sync.push(registry_home.home)
                sync.resync()
                await asyncio.sleep(1)
                assert sync.state.last_sync is not None
                registry_home.api.sent.clear()
                await play(registry_home, sync)

        run(go())

    test.__name__, test.__doc__ = play.__name__, play.__doc__
    return test


def test_nothing_is_sent_before_somebody_asks() -> None:
    async def go() -> None:
        registry_home = RegistryHome()
        async with registry_home.kept() as sync:
            await asyncio.sleep(10_000)
            assert (registry_home.syncs, sync.state.connected, sync.state.last_sync) == (
                0,
                None,
                None,
            )

    run(go())


@kept
async def test_a_change_is_stored_within_seconds(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(3)
    assert registry_home.name("a") == "New"
    assert registry_home.api.sent == [("devices", ["a"])]
    assert (sync.state.rows_sent, sync.state.rows_unchanged) == (3, 1)


@kept
async def test_during_a_sync_only_the_newest_snapshot_waits(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.hangs = 5
    for number in range(1000):
        registry_home.rename("a", f"Name {number}")
        sync.push(registry_home.home)
        await asyncio.sleep(0.001)
    await asyncio.sleep(20)
    assert registry_home.name("a") == "Name 999"
    assert len(registry_home.api.sent) == 2
    assert registry_home.syncs == 3


def test_nothing_is_sent_before_there_is_a_snapshot() -> None:
    async def go() -> None:
        registry_home = RegistryHome()
        async with registry_home.kept() as sync:
            sync.resync()
            await asyncio.sleep(10_000)
            assert (registry_home.api.sent, registry_home.api.probes, sync.state.connected) == (
                [],
                0,
                None,
            )
            sync.push(registry_home.home)
            await asyncio.sleep(1)
            assert registry_home.api.tables.devices.keys() == {"a", "b"}
            assert sync.state.connected is True

    run(go())


@kept
async def test_a_change_that_changes_no_row_sends_nothing(
    registry_home: RegistryHome, sync: Sync
) -> None:
    sync.push(registry_home.home)
    await asyncio.sleep(5)
    assert (registry_home.syncs, registry_home.api.sent) == (2, [])


@kept
async def test_a_rename_while_it_is_sent_is_sent_the_next_time(
    registry_home: RegistryHome, sync: Sync
) -> None:
    def rename_once() -> None:
        registry_home.while_completed = lambda: None
        registry_home.rename("a", "Later")
        sync.push(registry_home.home)

    registry_home.api.hangs = 1
    registry_home.while_completed = rename_once
    registry_home.rename("a", "Sooner")
    sync.push(registry_home.home)
    await asyncio.sleep(1.5)
    assert registry_home.name("a") == "Sooner"
    await asyncio.sleep(1)
    assert registry_home.name("a") == "Later"


@kept
async def test_everything_is_sent_again_after_the_interval(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.tables.clear()
    await asyncio.sleep(1799)
    assert registry_home.api.sent == []
    await asyncio.sleep(2)
    assert registry_home.api.tables.devices.keys() == {"a", "b"}


@kept
async def test_everything_is_sent_again_on_demand(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.api.tables.clear()
    sync.resync()
    await asyncio.sleep(0.1)
    assert registry_home.api.tables.devices.keys() == {"a", "b"}


@kept
async def test_an_outage_gets_one_request_a_minute_and_then_every_row_is_sent(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.down = DOWN
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(3)
    state = sync.state
    assert (state.connected, state.problem) == (False, Problem.UNREACHABLE)
    assert (state.breaker, state.rows_pending) == (BreakerState.OPEN, 1)
    assert state.next_retry is not None
    await asyncio.sleep(600)
    # The waits double up to a minute, and each attempt is one small request.
    assert len(registry_home.api.sent) == 1
    assert 10 <= registry_home.api.probes <= 20

    registry_home.api.down = None
    registry_home.api.tables.clear()
    await asyncio.sleep(61)
    assert registry_home.api.tables.devices.keys() == {"a", "b"}
    assert registry_home.name("a") == "New"
    state = sync.state
    assert (state.connected, state.problem, state.next_retry) == (True, Problem.NONE, None)
    assert (state.breaker, state.rows_pending) == (BreakerState.CLOSED, 0)


@kept
async def test_stale_rows_are_looked_for_after_all_rows_are_stored(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.tables.devices["older"] = {}
    registry_home.api.asked.clear()
    sync.resync()
    await asyncio.sleep(1)
    assert registry_home.api.asked == [("devices", 1), ("entities", 1)]
    assert (len(registry_home.api.sent), sync.state.stale) == (1, ("older",))
    registry_home.api.tables.clear()
    sync.resync()
    await asyncio.sleep(1)
    assert sync.state.stale == ()


@pytest.mark.parametrize("answer", [PAGE, SOMEBODY_ELSE])
def test_half_a_minute_of_other_answers_costs_about_a_minute(answer: Result) -> None:
    async def go() -> None:
        registry_home = RegistryHome()
        async with registry_home.kept() as sync:
            sync.push(registry_home.home)
            sync.resync()
            await asyncio.sleep(1)
            registry_home.api.down = answer
            registry_home.rename("a", "New")
            sync.push(registry_home.home)
            await asyncio.sleep(32)
            assert sync.state.connected is False
            registry_home.api.down = None
            await asyncio.sleep(62)
            assert registry_home.name("a") == "New"
            assert (sync.state.connected, sync.state.problem) == (True, Problem.NONE)

    run(go())


@kept
async def test_a_server_that_hangs_is_shown_before_it_is_given_up(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.hangs = 120
    registry_home.states.clear()
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(2 + 15)
    assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)
    assert [state.connected for state in registry_home.states] == [False]
    await asyncio.sleep(120)
    # It was only slow.
    assert (sync.state.connected, sync.state.problem) == (True, Problem.NONE)
    assert registry_home.name("a") == "New"


@kept
async def test_a_server_that_goes_on_hanging_is_never_shown_as_connected_in_between(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.hangs, registry_home.api.down = 120, TIMEOUT
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(2 + 15)
    registry_home.states.clear()
    for _ in range(900):
        assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)
        await asyncio.sleep(1)
    assert {state.connected for state in registry_home.states} == {False}
    registry_home.api.hangs, registry_home.api.down = 0.01, None
    await asyncio.sleep(200)
    assert (sync.state.connected, registry_home.name("a")) == (True, "New")


def test_a_server_that_never_answered_yet_is_shown_as_well() -> None:
    async def go() -> None:
        registry_home = RegistryHome(api=StrictApi(hangs=1000))
        async with registry_home.kept() as sync:
            sync.push(registry_home.home)
            sync.resync()
            await asyncio.sleep(15)
            assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)

    run(go())


@kept
async def test_a_server_that_needs_some_seconds_is_connected_all_the_time(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.hangs = 9
    registry_home.states.clear()
    sync.resync()
    for _ in range(30):
        assert sync.state.connected is True
        await asyncio.sleep(1)
    assert [state.connected for state in registry_home.states if not state.connected] == []


@kept
async def test_a_row_that_would_now_be_taken_does_not_wait_for_the_next_whole_sync(
    registry_home: RegistryHome, sync: Sync
) -> None:
    sync.schedule = SendSchedule(refresh=86_400.0)
    registry_home.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    registry_home.home = Home(devices=(*registry_home.home.devices, device("bad")))
    sync.push(registry_home.home)
    await asyncio.sleep(80_000)
    assert sync.state.rows_rejected == 1
    # One request for the row and one for a row that is known to be good, each hour.
    assert len(registry_home.api.sent) < 2 * (24 + 10)
    registry_home.api.tables.refuse = lambda _row: None
    registry_home.api.sent.clear()
    await asyncio.sleep(3601)
    assert "bad" in registry_home.api.tables.devices
    assert sync.state.rows_rejected == 0
    assert registry_home.api.sent[0] == ("devices", ["bad"])


@kept
async def test_what_is_refused_is_tried_soon_at_first_and_when_the_server_is_back(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    registry_home.home = Home(devices=(*registry_home.home.devices, device("bad")))
    sync.push(registry_home.home)
    await asyncio.sleep(3)
    registry_home.api.tables.refuse = lambda _row: None
    await asyncio.sleep(61)
    assert "bad" in registry_home.api.tables.devices

    registry_home.api.tables.refuse = lambda row: "no" if row["name"] == "Odd" else None
    registry_home.rename("bad", "Odd")
    sync.push(registry_home.home)
    await asyncio.sleep(3)
    assert sync.state.rows_rejected == 1
    registry_home.api.tables.refuse = lambda _row: None
    registry_home.api.verdicts.append(TIMEOUT)
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(6)
    assert (registry_home.name("a"), registry_home.name("bad")) == ("New", "Odd")


@kept
async def test_one_lost_answer_is_no_outage(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.api.verdicts.append(TIMEOUT)
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(3)
    assert sync.state.connected is True
    await asyncio.sleep(3)
    assert registry_home.name("a") == "New"
    assert registry_home.api.probes == 0


@kept
async def test_a_whole_sync_that_is_interrupted_goes_on_where_it_was(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.home = Home(devices=tuple(device(f"d{number:04}") for number in range(1000)))
    registry_home.api.verdicts.extend([OK, OK, DOWN, OK, DOWN, OK, OK])
    sync.push(registry_home.home)
    sync.resync()
    await asyncio.sleep(60)
    assert len(registry_home.api.tables.devices) == 1002
    sent = [keys[0] for _, keys in registry_home.api.sent]
    assert sent == ["d0000", "d0200", "d0400", "d0400", "d0600", "d0600", "d0800"]


async def emptied_meanwhile(registry_home: RegistryHome, sync: Sync) -> None:
    """Let an older server lose all it has between the devices and the entities of a full sync."""
    registry_home.api.tables.is_strict = False
    registry_home.home = Home(
        devices=(device("a"), device("b")),
        entities=tuple(entity(f"light.n{number}", device_id="b") for number in range(10)),
    )
    registry_home.api.verdicts.extend([OK, DOWN, DOWN])
    sync.push(registry_home.home)
    sync.resync()
    await asyncio.sleep(3)
    registry_home.api.tables.clear()
    await asyncio.sleep(300)
    assert registry_home.api.tables.entities == {}
    assert sync.state.connected is False


@kept
async def test_a_full_sync_that_does_not_end_begins_again_after_the_interval(
    registry_home: RegistryHome, sync: Sync
) -> None:
    await emptied_meanwhile(registry_home, sync)
    await asyncio.sleep(sync.schedule.refresh)
    assert len(registry_home.api.tables.entities) == 10
    assert registry_home.api.tables.entities["light.n9"]["device_id"] == "b"
    assert sync.state.connected is True


@kept
async def test_a_resync_on_demand_begins_a_full_sync_again_that_does_not_end(
    registry_home: RegistryHome, sync: Sync
) -> None:
    await emptied_meanwhile(registry_home, sync)
    sync.resync()
    await asyncio.sleep(5)
    assert len(registry_home.api.tables.entities) == 10
    assert sync.state.connected is True


@kept
async def test_a_refused_key_is_tried_now_and_then(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.api.down = UNKNOWN
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(200)
    assert (sync.state.breaker, sync.state.problem) == (
        BreakerState.BLOCKED,
        Problem.INVALID_AUTH,
    )
    assert (len(registry_home.api.sent), registry_home.api.probes) == (1, 0)
    registry_home.api.down = None
    await asyncio.sleep(200)
    assert registry_home.name("a") == "New"


@kept
async def test_a_resync_on_demand_does_not_wait_for_the_next_attempt(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.down = UNKNOWN
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(10)
    registry_home.api.down = None
    sync.resync()
    await asyncio.sleep(1)
    assert registry_home.name("a") == "New"


@kept
async def test_retry_after_is_respected(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.api.verdicts.extend([POLITE] * 5)
    registry_home.rename("a", "New")
    sync.push(registry_home.home)
    await asyncio.sleep(19)
    assert len(registry_home.api.sent) == 1
    # It is there, and needs not be sent everything again.
    assert sync.state.connected is True
    await asyncio.sleep(200)
    assert registry_home.name("a") == "New"
    assert registry_home.api.probes == 0
    assert all(keys == ["a"] for _, keys in registry_home.api.sent)


@kept
async def test_what_the_server_refuses_is_reported_and_the_rest_goes_on(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    registry_home.home = Home(devices=(*registry_home.home.devices, device("bad"), device("c")))
    sync.push(registry_home.home)
    await asyncio.sleep(5)
    assert "c" in registry_home.api.tables.devices
    assert sync.state.rejections == (RejectedRow(table=Table.DEVICES, key="bad", reason="no"),)
    assert (sync.state.rows_rejected, sync.state.rows_pending) == (1, 0)
    assert sync.state.connected is True


@kept
async def test_removed_and_renamed_entities_are_reported(
    registry_home: RegistryHome, sync: Sync
) -> None:
    registry_home.home = replace(
        registry_home.home, entities=(entity("light.x", registry_id="1"), entity("light.y"))
    )
    sync.push(registry_home.home)
    await asyncio.sleep(5)
    registry_home.home = replace(
        registry_home.home, entities=(entity("light.new", registry_id="1"),)
    )
    sync.push(registry_home.home)
    await asyncio.sleep(5)
    state = sync.state
    assert (state.rows_stale, state.stale) == (2, ("light.x", "light.y"))
    assert state.entities_renamed == 1


def test_a_snapshot_that_cannot_be_sent_ends_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> None:
        registry_home = RegistryHome()

        def broken() -> None:
            raise ValueError

        registry_home.while_completed = broken
        async with registry_home.kept() as sync:
            sync.push(registry_home.home)
            await asyncio.sleep(100)
            assert registry_home.syncs > 3
            assert (sync.state.problem, sync.state.detail) == (Problem.REJECTED, "ValueError")
            registry_home.while_completed = lambda: None
            await asyncio.sleep(100)
            assert registry_home.api.tables.devices.keys() == {"a", "b"}

    run(go())
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


@kept
async def test_subscribers_get_every_snapshot(registry_home: RegistryHome, sync: Sync) -> None:
    registry_home.api.down = DOWN
    sync.resync()
    await asyncio.sleep(2.5)
    # A full sync, the listing of stale rows, and two attempts.
    assert [state.connected for state in registry_home.states] == [True, True, False, False]


@pytest.mark.parametrize("count", [5000])
def test_a_big_home_is_stored_at_the_pace_of_the_server(count: int) -> None:
    async def go() -> float:
        entities = tuple(entity(f"light.n{number:05}", device_id="a") for number in range(count))
        registry_home = RegistryHome(home=Home(devices=(device("a"),), entities=entities))
        async with registry_home.kept() as sync:
            sync.push(registry_home.home)
            sync.resync()
            while sync.state.last_sync is None:
                await asyncio.sleep(0.1)
        assert len(registry_home.api.tables.entities) == count
        return now()

    assert run(go()) < 15
