"""A destination that is disabled while a reload is under way, or after one has failed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.ha_ingestor.destination import build
from tests.emulator import Emulator
from tests.shell import listeners, points, set_up, until


def states(database: Emulator) -> list[Any]:
    return [point.fields.get("state") for point in points(database, "sensor.a")]


async def _in_the_unload(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await until(lambda: entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS)
    while entry.entry_id not in hass.data["ha_ingestor_reload_handovers"]:
        await asyncio.sleep(0)
    freezer.tick(1)
    hass.states.async_set("sensor.a", "2")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await reload


async def _after_a_setup_that_failed(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("Not now")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "profile_of", fails)
        await hass.config_entries.async_reload(entry.entry_id)
    freezer.tick(1)
    hass.states.async_set("sensor.a", "2")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)


@pytest.mark.parametrize("disable", [_in_the_unload, _after_a_setup_that_failed])
async def test_what_came_before_is_stored_and_nothing_is_kept_of_what_follows(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    freezer: FrozenDateTimeFactory,
    disable: Any,
) -> None:
    before = listeners(hass)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await disable(hass, entry, freezer)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert states(database) == ["1", "2"]

    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert listeners(hass).get("state_changed") == before.get("state_changed")
    for state in "345":
        hass.states.async_set("sensor.a", state)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await entry.runtime_data.pipeline.flush()
    assert (await entry.runtime_data.pipeline.snapshot()).unbalanced == ""
    await hass.config_entries.async_unload(entry.entry_id)
    assert states(database) == ["1", "2", "5"]
