"""Whoever asked for something goes away: nothing is lost, and nothing is left half done."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.ha_ingestor as integration
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.coordinator import HealthCoordinator
from custom_components.ha_ingestor.destination import build, reload
from custom_components.ha_ingestor.enrich.attribution import Attribution
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.sources.local import LocalSource
from tests.emulator import Answer, Emulator, Fault
from tests.shell import deliver, listeners, points, set_up, spool_path, until

# More waits than anything here has; which of them there are is not for a test to know.
WAITS = 200
CONFLICT = Answer(status=400, body='{"error":"partial write: field type conflict dropped=1"}')


UNLOAD: dict[str, tuple[Any, str]] = {
    "pipeline": (Pipeline, "stop"),
    "coordinator": (HealthCoordinator, "async_hand_over"),
    "metadata": (reload, "async_release"),
}
SETUP: dict[str, tuple[Any, str]] = {
    "client": (integration, "async_client"),
    "attribution": (Attribution, "async_start"),
    "registries": (build, "async_registries"),
    "first refresh": (HealthCoordinator, "async_config_entry_first_refresh"),
    "source": (LocalSource, "_async_start_heartbeats"),
}


class Interrupted:
    """Runs something in a task that is cancelled when it waits for the `number`th time.

    Then it is over; `every` cancels it at all later ones too.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], number: int, *, every: bool = False) -> None:
        self.waits = 0
        self._work, self._number, self._every = work, number, every
        self.task = asyncio.create_task(self._run())

    @property
    def is_reached(self) -> bool:
        return self.waits >= self._number

    async def over(self) -> None:
        """Wait until the task has ended, one way or the other."""
        await asyncio.wait([self.task], timeout=20)
        assert self.task.done()
        with suppress(asyncio.CancelledError):
            self.task.exception()

    async def _run(self) -> Any:
        return await self._step()

    @coroutine
    def _step(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task
        error: BaseException | None = None
        while True:
            try:
                future = self._work.throw(error) if error else self._work.send(None)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self._number or (self._every and self.is_reached):
                asyncio.get_running_loop().call_soon(task.cancel)
            error = None
            try:
                yield future
            except BaseException as err:  # noqa: BLE001  the work gets it
                error = err


def states(database: Emulator, entity_id: str = "sensor.a") -> list[Any]:
    return [point.fields.get("state") for point in points(database, entity_id)]


async def ledger(entry: MockConfigEntry) -> dict[str, Any]:
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    return dict(snapshot.ledger)


async def _reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_reload(entry.entry_id)


async def _unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(entry.entry_id)


async def _enable(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)


@pytest.mark.parametrize("every", [False, True], ids=["once", "again and again"])
@pytest.mark.parametrize("ask", [_reload, _unload, _enable])
async def test_a_reload_that_is_cancelled_at_any_wait_loses_nothing_and_ends(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    ask: Callable[[HomeAssistant, MockConfigEntry], Coroutine[Any, Any, None]],
    every: bool,  # noqa: FBT001
) -> None:
    """The harness itself fails for a task, a timer or a thread that is left."""
    await set_up(hass, entry)
    expected = []

    def change(when: str) -> None:
        expected.append(when)
        hass.states.async_set("sensor.a", when)

    for number in range(1, WAITS):
        change(f"{number} before")
        interrupted = Interrupted(ask(hass, entry), number, every=every)
        while not interrupted.is_reached and not interrupted.task.done():
            await asyncio.sleep(0)
        change(f"{number} during")
        await interrupted.over()
        change(f"{number} after")
        done = ConfigEntryState.NOT_LOADED if ask is _unload else ConfigEntryState.LOADED
        assert entry.state is done, number
        if done is ConfigEntryState.NOT_LOADED:
            assert await hass.config_entries.async_setup(entry.entry_id)
        if not interrupted.is_reached:
            break
    else:
        pytest.fail("it never ended by itself")
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database) == expected
    assert counts["lost"] == {}


@pytest.mark.parametrize("every", [False, True], ids=["once", "again and again"])
async def test_a_setup_that_is_cancelled_at_any_wait_ends(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    every: bool,  # noqa: FBT001
) -> None:
    for owner, name in SETUP.values():
        monkeypatch.setattr(owner, name, _with_a_wait(getattr(owner, name)))
    assert await async_setup_component(hass, DOMAIN, {})
    entry.add_to_hass(hass)
    hass.states.async_set("sensor.a", "0")
    expected = ["0"]
    for number in range(1, WAITS):
        setup = hass.config_entries.async_setup(entry.entry_id)
        interrupted = Interrupted(setup, number, every=every)
        await interrupted.over()
        assert entry.state is ConfigEntryState.LOADED, number
        expected.append(str(number))
        hass.states.async_set("sensor.a", str(number))
        await deliver(hass, entry)
        if not interrupted.is_reached:
            break
    assert number > 1
    assert states(database) == expected


def _with_a_wait(step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        result = await step(*args, **kwargs)
        await asyncio.sleep(0)
        return result

    return waiting


async def test_a_removal_that_is_cancelled_at_any_wait_leaves_nothing(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    left = None
    for number in range(WAITS):
        each = MockConfigEntry(domain=DOMAIN, title="Attic", data=entry.data)
        await set_up(hass, each)
        path = spool_path(hass, each)
        removal = hass.config_entries.async_remove(each.entry_id)
        interrupted = Interrupted(removal, number or WAITS)
        await interrupted.over()
        assert hass.config_entries.async_get_entry(each.entry_id) is None
        assert not path.exists()
        await hass.async_block_till_done()
        found = listeners(hass)
        # The first one nobody interrupts.
        left = left or found
        assert found == left
        if number and not interrupted.is_reached:
            break


class Held:
    """Keeps a step from going on until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._step: Callable[..., Awaitable[Any]] = getattr(owner, name)
        held = self

        async def step(*args: Any, **kwargs: Any) -> Any:
            held.reached.set()
            await held.go_on.wait()
            return await held._step(*args, **kwargs)

        monkeypatch.setattr(owner, name, step)


@pytest.mark.parametrize("step", UNLOAD | SETUP)
async def test_a_reload_whose_caller_goes_away_while_a_step_takes_long_ends_after_it(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    held = Held(monkeypatch, *(UNLOAD | SETUP)[step])
    task = asyncio.create_task(hass.config_entries.async_reload(entry.entry_id))
    await held.reached.wait()
    hass.states.async_set("sensor.a", "2")
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    hass.states.async_set("sensor.a", "3")
    held.go_on.set()
    await asyncio.wait([task])
    assert entry.state is ConfigEntryState.LOADED
    hass.states.async_set("sensor.a", "4")
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database) == ["1", "2", "3", "4"]
    assert counts["lost"] == {}


@pytest.mark.parametrize("step", UNLOAD)
async def test_a_final_write_after_the_caller_of_an_unload_went_away_brings_all_to_the_disk(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    held = Held(monkeypatch, *UNLOAD[step])
    task = asyncio.create_task(hass.config_entries.async_unload(entry.entry_id))
    await held.reached.wait()
    task.cancel()
    await asyncio.sleep(0.01)
    hass.states.async_set("sensor.a", "2")
    hass.set_state(CoreState.final_write)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    hass.states.async_set("sensor.a", "too late or not")
    held.go_on.set()
    await asyncio.wait([task])
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)
    assert states(database)[:2] == ["1", "2"]


async def test_a_reload_goes_on_after_its_page_was_closed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_client: ClientSessionGenerator,
) -> None:
    """Home Assistant's web server cancels the request of whoever is gone."""
    assert await async_setup_component(hass, "config", {})
    await set_up(hass, entry)
    client = await hass_client()
    path = f"/api/config/config_entries/entry/{entry.entry_id}/reload"
    hass.states.async_set("sensor.a", "1")
    held = Held(monkeypatch, Pipeline, "stop")
    request = asyncio.ensure_future(client.post(path))
    await held.reached.wait()
    request.cancel()
    hass.states.async_set("sensor.a", "2")
    await asyncio.sleep(0.2)
    held.go_on.set()
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    hass.states.async_set("sensor.a", "3")
    assert (await client.post(path)).status == 200
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database) == ["1", "2", "3"]
    assert counts["lost"] == {}


async def _quarantined(hass: HomeAssistant, database: Emulator, entry: MockConfigEntry) -> None:
    """Have a point refused, once the database has been asked all else."""
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.OK)
    database.faults.append(Fault(answer=CONFLICT))
    before = (await entry.runtime_data.pipeline.snapshot()).ledger["quarantined"]
    hass.states.async_set("sensor.odd", str(before))
    await entry.runtime_data.pipeline.flush()

    async def is_there() -> bool:
        return bool((await entry.runtime_data.pipeline.snapshot()).ledger["quarantined"] > before)

    await until(is_there)


async def test_a_replay_whose_caller_goes_away_is_done_whole_and_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    replayed = 0
    for number in range(1, WAITS):
        await _quarantined(hass, database, entry)
        call = hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)
        interrupted = Interrupted(call, number)
        await interrupted.over()
        replayed += 1
        await entry.runtime_data.pipeline.flush()
        await until(lambda: len(states(database, "sensor.odd")) == replayed)  # noqa: B023
        assert await entry.runtime_data.pipeline.quarantine.records() == []
        assert (await entry.runtime_data.coordinator.async_snapshot()).rejection is None
        if not interrupted.is_reached:
            break
    assert (await ledger(entry))["replayed"] == replayed


async def test_a_flush_of_all_destinations_reaches_each_although_its_caller_goes_away(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    other = MockConfigEntry(domain=DOMAIN, title="Cellar", data=entry.data)
    await set_up(hass, other)
    flush, flushed = Pipeline.flush, []

    async def note(self: Pipeline) -> None:
        await asyncio.sleep(0)
        await flush(self)
        flushed.append(self)

    monkeypatch.setattr(Pipeline, "flush", note)
    for number in range(1, WAITS):
        flushed.clear()
        call = hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
        interrupted = Interrupted(call, number)
        await interrupted.over()
        assert len(flushed) == 2, number
        assert set(flushed) == {each.runtime_data.pipeline for each in (entry, other)}
        if not interrupted.is_reached:
            break


async def test_health_stays_known_when_somebody_goes_away_while_it_is_read(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant takes a refresh that was cancelled for one that failed."""
    monkeypatch.setattr(Pipeline, "snapshot", _with_a_wait(Pipeline.snapshot))
    await set_up(hass, entry)
    coordinator = entry.runtime_data.coordinator
    for number in range(1, WAITS):
        hass.states.async_set("sensor.a", str(number))
        interrupted = Interrupted(coordinator.async_refresh(), number)
        await interrupted.over()
        assert coordinator.last_update_success, number
        if not interrupted.is_reached:
            break
    assert number > 1
    await coordinator.async_refresh()
    assert coordinator.data.ledger["captured"] == number
    assert (await ledger(entry))["lost"] == {}
