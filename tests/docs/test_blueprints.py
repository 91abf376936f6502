"""The blueprints do what they say, in a Home Assistant that has imported them."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from .reading import DOCS, text

ADDRESS = "https://github.com/ha-ingestor/ha_ingestor/blob/main/docs/blueprints"
NAMES = sorted(file.stem for file in (DOCS / "blueprints").iterdir())


async def use(hass: HomeAssistant, name: str, **inputs: Any) -> list[ServiceCall]:
    """Make an automation of a blueprint; returns what it calls."""
    folder = Path(hass.config.path("blueprints/automation/ha_ingestor"))
    await hass.async_add_executor_job(lambda: folder.mkdir(parents=True))
    await hass.async_add_executor_job(shutil.copy, DOCS / "blueprints" / f"{name}.yaml", folder)
    calls = async_mock_service(hass, "test", "tell", None)
    inputs["actions"] = [{"action": "test.tell", "data": {"count": "{{ count | default('') }}"}}]
    blueprint = {"path": f"ha_ingestor/{name}.yaml", "input": inputs}
    assert await async_setup_component(
        hass, "automation", {"automation": [{"use_blueprint": blueprint}]}
    )
    await hass.async_block_till_done()
    assert len(hass.states.async_all("automation")) == 1
    told: list[ServiceCall] = calls
    return told


@pytest.mark.parametrize("name", NAMES)
def test_a_blueprint_is_documented_with_the_address_to_import_it_from(name: str) -> None:
    page = text("examples.md")
    assert (
        f"https://github.com/ha-ingestor/ha_ingestor/blob/main/docs/blueprints/{name}.yaml" in page
    )


async def test_points_that_are_put_into_quarantine_are_told_once_with_their_number(
    hass: HomeAssistant,
) -> None:
    hass.states.async_set("sensor.quarantined", "unknown")
    calls = await use(hass, "quarantine_grows", quarantined="sensor.quarantined")
    for state in ("3", "3", "unavailable", "3", "8"):
        hass.states.async_set("sensor.quarantined", state)
        await hass.async_block_till_done()
    assert [call.data["count"] for call in calls] == [5]


async def test_a_spool_that_fills_up_is_told(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.spool", "0")
    calls = await use(hass, "spool_nearly_full", spool="sensor.spool", size=205)
    for state, told in (("204", 0), ("206", 1), ("250", 1), ("0", 1), ("210", 2)):
        hass.states.async_set("sensor.spool", state)
        await hass.async_block_till_done()
        assert len(calls) == told


async def test_a_database_that_is_away_is_told_after_the_delay(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("binary_sensor.connected", "on")
    calls = await use(
        hass,
        "database_disconnected",
        connected="binary_sensor.connected",
        delay={"minutes": 10},
    )
    hass.states.async_set("binary_sensor.connected", "off")
    await let_time_pass(hass, freezer, minutes=9)
    assert not calls
    await let_time_pass(hass, freezer, minutes=2)
    assert len(calls) == 1


async def test_when_nothing_was_written_for_long_it_is_told_once(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.states.async_set("sensor.last_write", dt_util.utcnow().isoformat())
    calls = await use(hass, "nothing_written", last_write="sensor.last_write", minutes=30)
    await let_time_pass(hass, freezer, minutes=29)
    assert not calls
    await let_time_pass(hass, freezer, minutes=3)
    await let_time_pass(hass, freezer, minutes=30)
    assert len(calls) == 1
    hass.states.async_set("sensor.last_write", dt_util.utcnow().isoformat())
    await let_time_pass(hass, freezer, minutes=1)
    hass.states.async_set("sensor.last_write", "unknown")
    await let_time_pass(hass, freezer, minutes=60)
    assert len(calls) == 1


async def let_time_pass(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, *, minutes: int
) -> None:
    for _ in range(minutes):
        freezer.tick(timedelta(minutes=1, seconds=0.1))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
