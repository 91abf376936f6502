"""How many rows a day the entities of a destination cost Home Assistant's own database."""

from collections import Counter
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import pytest
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import States, StatesMeta
from homeassistant.components.recorder.util import session_scope
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.rate import Rate
from scripts.rig.data_api import DataApi
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import new_entry, set_up, until

ROWS_A_DAY: Final = 4000
# The health is read so often, a remote home's every five minutes.
SECONDS: Final = 10
REMOTE_EVERY: Final = 30
# What is counted, and how often a day has it.
MINUTES: Final = 20
PER_DAY: Final = 24 * 60 // MINUTES


class Clock:
    """Stands still until it is put forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def subentry(kind: str, **data: Any) -> Any:
    return ConfigSubentry(
        data=MappingProxyType({"verify_ssl": True, **data}),
        subentry_type=kind,
        title=kind,
        unique_id=kind,
    ).as_dict()


async def rows(hass: HomeAssistant, entry: MockConfigEntry) -> Counter[str]:
    """Count what the recorder has of the entities of an entry."""
    await async_wait_recording_done(hass)
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    ours = {each.entity_id for each in registered}

    def read() -> Counter[str]:
        with session_scope(hass=hass, read_only=True) as session:
            found = session.query(StatesMeta.entity_id).join(
                States, States.metadata_id == StatesMeta.metadata_id
            )
            return Counter(entity_id for (entity_id,) in found if entity_id in ours)

    return await get_instance(hass).async_add_executor_job(read)


async def pass_minutes(
    hass: HomeAssistant, entry: MockConfigEntry, minutes: int, clock: Clock, home: Home | None
) -> None:
    """Change a state, and read the health as its timers do.

    To fire all timers would fire those of requests, too.
    """
    runtime = entry.runtime_data
    for tick in range(minutes * 60 // SECONDS):
        hass.states.async_set("sensor.a", f"{clock.now}")
        clock.now += SECONDS
        await runtime.coordinator._async_refresh(scheduled=True)
        if home:
            await home.set_state("sensor.far", f"{clock.now}", 1_795_262_400.0 + clock.now)
        for remote in runtime.remotes.all:
            if tick % REMOTE_EVERY == 0:
                await remote.coordinator._async_refresh(scheduled=True)


async def rows_a_day(
    hass: HomeAssistant, entry: MockConfigEntry, home: Home | None = None
) -> Counter[str]:
    """Count the rows of some minutes by entity, some time after the start, and multiply."""
    await set_up(hass, entry)
    runtime, clock = entry.runtime_data, Clock()
    await until(lambda: runtime.coordinator.data.export.status is Status.OK)
    runtime.pipeline._health.end_to_end.written = Rate(clock)
    remotes = runtime.remotes.all
    await until(lambda: all(each.link.health.state.connected for each in remotes))
    for each in remotes:
        each.link.health._rate = Rate(clock)
    await pass_minutes(hass, entry, 3, clock, home)
    before = await rows(hass, entry)
    await pass_minutes(hass, entry, MINUTES, clock, home)
    found = await rows(hass, entry) - before
    return Counter({entity_id: count * PER_DAY for entity_id, count in found.items()})


async def test_a_healthy_destination_writes_no_more_rows_than_a_recorder_can_bear(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    record_property: Callable[[str, object], None],
) -> None:
    day = await rows_a_day(hass, entry)
    record_property("rows a day", dict(day))
    # What changes with every point is recorded, but not with every point.
    assert day["sensor.attic_points_written"] >= PER_DAY
    assert day["sensor.attic_points_per_minute"] >= PER_DAY
    assert day.total() <= ROWS_A_DAY, day


@pytest.mark.usefixtures("socket_enabled")
async def test_rows_stay_within_the_bound_with_a_data_api_and_a_remote_home(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    database: Emulator,
    record_property: Callable[[str, object], None],
) -> None:
    async with DataApi() as server, Home() as home:
        home.changing("sensor.far", "1", 1_795_262_400.0)
        subentries = [
            subentry("data_api", url=server.url, api_key="", refresh=30),
            subentry("remote", url=home.url, token=home.token, name="cabin"),
        ]
        base = new_entry(database.url)
        entry = MockConfigEntry(
            domain=base.domain, title=base.title, data=base.data, subentries_data=subentries
        )
        day = await rows_a_day(hass, entry, home)
        record_property("rows a day", dict(day))
        assert any("cabin" in entity_id or "remote" in entity_id for entity_id in day), day
        assert day.total() <= ROWS_A_DAY, day
