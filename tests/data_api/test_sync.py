"""The loop: what it does when the home changes, and when the server is not well."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

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
class House:
    """A home that changes, and whoever keeps a data-api like it."""

    api: StrictApi = field(default_factory=StrictApi)
    home: Home = field(default_factory=lambda: Home(devices=(device("a"), device("b"))))
    syncs: int = 0
    turns: list[Any] = field(default_factory=list)
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
            transfer=Transfer(client=self.api, clock=now),
            complete=self.complete,
            schedule=SendSchedule(),
            clock=now,
            jitter=lambda: 1.0,
            on_change=lambda: self.turns.append(sync.state),
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


def kept(play: Callable[[House, Sync], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make it a test: a house whose first sync is done."""

    def test() -> None:
        async def go() -> None:
            house = House()
            async with house.kept() as sync:
                sync.push(house.home)
                sync.resync()
                await asyncio.sleep(1)
                assert sync.state.last_sync is not None
                house.api.sent.clear()
                await play(house, sync)

        run(go())

    test.__name__, test.__doc__ = play.__name__, play.__doc__
    return test


def test_nothing_is_sent_before_somebody_asks() -> None:
    async def go() -> None:
        house = House()
        async with house.kept() as sync:
            await asyncio.sleep(10_000)
            assert (house.syncs, sync.state.connected, sync.state.last_sync) == (0, None, None)

    run(go())


@kept
async def test_a_change_is_stored_within_seconds(house: House, sync: Sync) -> None:
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(3)
    assert house.name("a") == "New"
    assert house.api.sent == [("devices", ["a"])]
    assert (sync.state.rows_sent, sync.state.rows_unchanged) == (3, 1)


@kept
async def test_while_it_is_busy_only_the_newest_snapshot_waits(house: House, sync: Sync) -> None:
    house.api.hangs = 5
    for number in range(1000):
        house.rename("a", f"Name {number}")
        sync.push(house.home)
        await asyncio.sleep(0.001)
    await asyncio.sleep(20)
    assert house.name("a") == "Name 999"
    assert len(house.api.sent) == 2
    assert house.syncs == 3


def test_nothing_is_sent_before_there_is_a_snapshot() -> None:
    async def go() -> None:
        house = House()
        async with house.kept() as sync:
            sync.resync()
            await asyncio.sleep(10_000)
            assert (house.api.sent, house.api.probes, sync.state.connected) == ([], 0, None)
            sync.push(house.home)
            await asyncio.sleep(1)
            assert house.api.tables.devices.keys() == {"a", "b"}
            assert sync.state.connected is True

    run(go())


@kept
async def test_a_change_that_changes_no_row_sends_nothing(house: House, sync: Sync) -> None:
    sync.push(house.home)
    await asyncio.sleep(5)
    assert (house.syncs, house.api.sent) == (2, [])


@kept
async def test_a_rename_while_it_is_sent_is_sent_the_next_time(house: House, sync: Sync) -> None:
    def rename_once() -> None:
        house.while_completed = lambda: None
        house.rename("a", "Later")
        sync.push(house.home)

    house.api.hangs = 1
    house.while_completed = rename_once
    house.rename("a", "Sooner")
    sync.push(house.home)
    await asyncio.sleep(1.5)
    assert house.name("a") == "Sooner"
    await asyncio.sleep(1)
    assert house.name("a") == "Later"


@kept
async def test_everything_is_sent_again_after_the_interval(house: House, sync: Sync) -> None:
    house.api.tables.clear()
    await asyncio.sleep(1799)
    assert house.api.sent == []
    await asyncio.sleep(2)
    assert house.api.tables.devices.keys() == {"a", "b"}


@kept
async def test_everything_is_sent_again_on_demand(house: House, sync: Sync) -> None:
    house.api.tables.clear()
    sync.resync()
    await asyncio.sleep(0.1)
    assert house.api.tables.devices.keys() == {"a", "b"}


@kept
async def test_an_outage_is_knocked_at_and_ends_with_everything(house: House, sync: Sync) -> None:
    house.api.down = DOWN
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(3)
    state = sync.state
    assert (state.connected, state.problem) == (False, Problem.UNREACHABLE)
    assert (state.breaker, state.rows_pending) == (BreakerState.OPEN, 1)
    assert state.next_retry is not None
    await asyncio.sleep(600)
    # The waits double up to a minute, and each knock is one small question.
    assert len(house.api.sent) == 1
    assert 10 <= house.api.probes <= 20

    house.api.down = None
    house.api.tables.clear()
    await asyncio.sleep(61)
    assert house.api.tables.devices.keys() == {"a", "b"}
    assert house.name("a") == "New"
    state = sync.state
    assert (state.connected, state.problem, state.next_retry) == (True, Problem.NONE, None)
    assert (state.breaker, state.rows_pending) == (BreakerState.CLOSED, 0)


@kept
async def test_what_lingers_is_asked_for_after_everything_is_stored(
    house: House, sync: Sync
) -> None:
    house.api.tables.devices["older"] = {}
    house.api.asked.clear()
    sync.resync()
    await asyncio.sleep(1)
    assert house.api.asked == [("devices", 1), ("entities", 1)]
    assert (len(house.api.sent), sync.state.lingering) == (1, ("older",))
    house.api.tables.clear()
    sync.resync()
    await asyncio.sleep(1)
    assert sync.state.lingering == ()


@pytest.mark.parametrize("answer", [PAGE, SOMEBODY_ELSE])
def test_half_a_minute_of_other_answers_costs_about_a_minute(answer: Result) -> None:
    async def go() -> None:
        house = House()
        async with house.kept() as sync:
            sync.push(house.home)
            sync.resync()
            await asyncio.sleep(1)
            house.api.down = answer
            house.rename("a", "New")
            sync.push(house.home)
            await asyncio.sleep(32)
            assert sync.state.connected is False
            house.api.down = None
            await asyncio.sleep(62)
            assert house.name("a") == "New"
            assert (sync.state.connected, sync.state.problem) == (True, Problem.NONE)

    run(go())


@kept
async def test_a_server_that_hangs_is_shown_before_it_is_given_up(house: House, sync: Sync) -> None:
    house.api.hangs = 120
    house.turns.clear()
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(2 + 15)
    assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)
    assert [turn.connected for turn in house.turns] == [False]
    await asyncio.sleep(120)
    # It was only slow.
    assert (sync.state.connected, sync.state.problem) == (True, Problem.NONE)
    assert house.name("a") == "New"


@kept
async def test_a_server_that_goes_on_hanging_is_never_shown_as_connected_in_between(
    house: House, sync: Sync
) -> None:
    house.api.hangs, house.api.down = 120, TIMEOUT
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(2 + 15)
    house.turns.clear()
    for _ in range(900):
        assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)
        await asyncio.sleep(1)
    assert {turn.connected for turn in house.turns} == {False}
    house.api.hangs, house.api.down = 0.01, None
    await asyncio.sleep(200)
    assert (sync.state.connected, house.name("a")) == (True, "New")


def test_a_server_that_never_answered_yet_is_shown_as_well() -> None:
    async def go() -> None:
        house = House(api=StrictApi(hangs=1000))
        async with house.kept() as sync:
            sync.push(house.home)
            sync.resync()
            await asyncio.sleep(15)
            assert (sync.state.connected, sync.state.problem) == (False, Problem.TIMEOUT)

    run(go())


@kept
async def test_a_server_that_needs_some_seconds_is_connected_all_the_time(
    house: House, sync: Sync
) -> None:
    house.api.hangs = 9
    house.turns.clear()
    sync.resync()
    for _ in range(30):
        assert sync.state.connected is True
        await asyncio.sleep(1)
    assert [turn.connected for turn in house.turns if not turn.connected] == []


@kept
async def test_a_row_that_would_now_be_taken_does_not_wait_for_the_next_whole_sync(
    house: House, sync: Sync
) -> None:
    sync.schedule = SendSchedule(refresh=86_400.0)
    house.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    house.home = Home(devices=(*house.home.devices, device("bad")))
    sync.push(house.home)
    await asyncio.sleep(80_000)
    assert sync.state.rows_rejected == 1
    # One request for the row and one for a row that is known to be good, each hour.
    assert len(house.api.sent) < 2 * (24 + 10)
    house.api.tables.refuse = lambda _row: None
    house.api.sent.clear()
    await asyncio.sleep(3601)
    assert "bad" in house.api.tables.devices
    assert sync.state.rows_rejected == 0
    assert house.api.sent[0] == ("devices", ["bad"])


@kept
async def test_what_is_refused_is_tried_soon_at_first_and_when_the_server_is_back(
    house: House, sync: Sync
) -> None:
    house.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    house.home = Home(devices=(*house.home.devices, device("bad")))
    sync.push(house.home)
    await asyncio.sleep(3)
    house.api.tables.refuse = lambda _row: None
    await asyncio.sleep(61)
    assert "bad" in house.api.tables.devices

    house.api.tables.refuse = lambda row: "no" if row["name"] == "Odd" else None
    house.rename("bad", "Odd")
    sync.push(house.home)
    await asyncio.sleep(3)
    assert sync.state.rows_rejected == 1
    house.api.tables.refuse = lambda _row: None
    house.api.verdicts.append(TIMEOUT)
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(6)
    assert (house.name("a"), house.name("bad")) == ("New", "Odd")


@kept
async def test_one_lost_answer_is_no_outage(house: House, sync: Sync) -> None:
    house.api.verdicts.append(TIMEOUT)
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(3)
    assert sync.state.connected is True
    await asyncio.sleep(3)
    assert house.name("a") == "New"
    assert house.api.probes == 0


@kept
async def test_a_whole_sync_that_is_interrupted_goes_on_where_it_was(
    house: House, sync: Sync
) -> None:
    house.home = Home(devices=tuple(device(f"d{number:04}") for number in range(1000)))
    house.api.verdicts.extend([OK, OK, DOWN, OK, DOWN, OK, OK])
    sync.push(house.home)
    sync.resync()
    await asyncio.sleep(60)
    assert len(house.api.tables.devices) == 1002
    sent = [keys[0] for _, keys in house.api.sent]
    assert sent == ["d0000", "d0200", "d0400", "d0400", "d0600", "d0600", "d0800"]


@kept
async def test_a_refused_key_is_tried_now_and_then(house: House, sync: Sync) -> None:
    house.api.down = UNKNOWN
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(200)
    assert (sync.state.breaker, sync.state.problem) == (
        BreakerState.BLOCKED,
        Problem.INVALID_AUTH,
    )
    assert (len(house.api.sent), house.api.probes) == (1, 0)
    house.api.down = None
    await asyncio.sleep(200)
    assert house.name("a") == "New"


@kept
async def test_whoever_asks_does_not_wait_for_the_next_try(house: House, sync: Sync) -> None:
    house.api.down = UNKNOWN
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(10)
    house.api.down = None
    sync.resync()
    await asyncio.sleep(1)
    assert house.name("a") == "New"


@kept
async def test_a_server_that_asks_for_patience_gets_it(house: House, sync: Sync) -> None:
    house.api.verdicts.extend([POLITE] * 5)
    house.rename("a", "New")
    sync.push(house.home)
    await asyncio.sleep(19)
    assert len(house.api.sent) == 1
    # It is there, and needs not be sent everything again.
    assert sync.state.connected is True
    await asyncio.sleep(200)
    assert house.name("a") == "New"
    assert house.api.probes == 0
    assert all(keys == ["a"] for _, keys in house.api.sent)


@kept
async def test_what_the_server_refuses_is_reported_and_the_rest_goes_on(
    house: House, sync: Sync
) -> None:
    house.api.tables.refuse = lambda row: "no" if row["device_id"] == "bad" else None
    house.home = Home(devices=(*house.home.devices, device("bad"), device("c")))
    sync.push(house.home)
    await asyncio.sleep(5)
    assert "c" in house.api.tables.devices
    assert sync.state.rejections == (RejectedRow(table=Table.DEVICES, key="bad", reason="no"),)
    assert (sync.state.rows_rejected, sync.state.rows_pending) == (1, 0)
    assert sync.state.connected is True


@kept
async def test_removed_and_renamed_entities_are_reported(house: House, sync: Sync) -> None:
    house.home = replace(
        house.home, entities=(entity("light.x", registry_id="1"), entity("light.y"))
    )
    sync.push(house.home)
    await asyncio.sleep(5)
    house.home = replace(house.home, entities=(entity("light.new", registry_id="1"),))
    sync.push(house.home)
    await asyncio.sleep(5)
    state = sync.state
    assert (state.rows_lingering, state.lingering) == (2, ("light.x", "light.y"))
    assert state.entities_renamed == 1


def test_a_snapshot_that_cannot_be_sent_ends_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> None:
        house = House()

        def broken() -> None:
            raise ValueError

        house.while_completed = broken
        async with house.kept() as sync:
            sync.push(house.home)
            await asyncio.sleep(100)
            assert house.syncs > 3
            assert (sync.state.problem, sync.state.detail) == (Problem.REJECTED, "ValueError")
            house.while_completed = lambda: None
            await asyncio.sleep(100)
            assert house.api.tables.devices.keys() == {"a", "b"}

    run(go())
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


@kept
async def test_every_end_of_a_look_is_told(house: House, sync: Sync) -> None:
    house.api.down = DOWN
    sync.resync()
    await asyncio.sleep(2.5)
    # A whole sync, what lingers after it, and two tries.
    assert [turn.connected for turn in house.turns] == [True, True, False, False]


@pytest.mark.parametrize("count", [5000])
def test_a_big_home_is_stored_at_the_pace_of_the_server(count: int) -> None:
    async def go() -> float:
        entities = tuple(entity(f"light.n{number:05}", device_id="a") for number in range(count))
        house = House(home=Home(devices=(device("a"),), entities=entities))
        async with house.kept() as sync:
            sync.push(house.home)
            sync.resync()
            while sync.state.last_sync is None:
                await asyncio.sleep(0.1)
        assert len(house.api.tables.entities) == count
        return now()

    assert run(go()) < 15
