"""Heartbeats repeat the state that an entity has, as long as it is recorded."""

from functools import partial
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.emulator import Emulator
from tests.shell import points, set_up, until


def options(heartbeat: float, **excluded: Any) -> dict[str, Any]:
    rule = {"name": "A", "domains": ["sensor"], "heartbeat": heartbeat}
    return {"noise": {"rules": [rule], "window": 0}, "filter": excluded}


def states(database: Emulator, entity_id: str = "sensor.a") -> list[Any]:
    return [point.fields["state"] for point in points(database, entity_id)]


async def flushed(
    entry: MockConfigEntry, database: Emulator, count: int, entity_id: str = "sensor.a"
) -> bool:
    """Deliver what there is, and tell whether that makes so many points."""
    await entry.runtime_data.pipeline.flush()
    return len(states(database, entity_id)) >= count


async def test_a_heartbeat_repeats_no_state_from_before_the_entity_was_excluded_for_a_while(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, options(0.05))
    hass.states.async_set("sensor.a", "20")
    await until(partial(flushed, entry, database, 1))
    for entities, state in ((["sensor.a"], "25"), ([], None)):
        changed = options(0.05, entities=entities)
        hass.config_entries.async_update_entry(entry, options=changed)
        await hass.async_block_till_done()
        if state:
            hass.states.async_set("sensor.a", state)
    assert states(database) == ["20"]
    await until(partial(flushed, entry, database, 2))
    assert states(database)[1] == "25"


@pytest.mark.parametrize("waits", [False, True])
async def test_an_entity_that_is_recorded_again_has_heartbeats_although_it_stays_silent(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, *, waits: bool
) -> None:
    entities, label = er.async_get(hass), lr.async_get(hass).async_create("Left out").label_id
    entities.async_get_or_create("sensor", "demo", "a", suggested_object_id="a")
    await set_up(hass, entry, options(0.01, labels=[label]))
    hass.states.async_set("sensor.a", "20")
    await until(partial(flushed, entry, database, 2))
    entities.async_update_entity("sensor.a", labels={label})
    await until(partial(flushed, entry, database, 2))
    before = len(states(database))
    hass.states.async_set("sensor.a", "25")
    if waits:
        noise_filter = entry.runtime_data.pipeline._noise_filter
        await until(lambda: not noise_filter._rules.applies_to("sensor.a"))
    entities.async_update_entity("sensor.a", labels=set())
    await until(partial(flushed, entry, database, before + 2))
    assert set(states(database)[before:]) == {"25"}


async def test_an_entity_that_is_removed_after_it_was_excluded_has_no_heartbeat(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    entities, label = er.async_get(hass), lr.async_get(hass).async_create("Left out").label_id
    entities.async_get_or_create("sensor", "demo", "a", suggested_object_id="a")
    await set_up(hass, entry, options(0.02, labels=[label]))
    hass.states.async_set("sensor.a", "20")
    await until(partial(flushed, entry, database, 1))
    entities.async_update_entity("sensor.a", labels={label})
    entities.async_remove("sensor.a")
    hass.states.async_remove("sensor.a")
    hass.states.async_set("sensor.b", "1")
    before = len(states(database))
    await until(partial(flushed, entry, database, 4, "sensor.b"))
    assert len(states(database)) == before
