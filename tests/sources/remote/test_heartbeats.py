"""Heartbeats repeat the state that an entity of another home has, as long as it is recorded."""

from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import points, set_up, until

from .conftest import entry_with, remote
from .following import connected
from .test_remote import NOON, registry_event


def states(database: Emulator) -> list[Any]:
    return [point.fields["state"] for point in points(database, "sensor.a")]


async def flushed(entry: MockConfigEntry, database: Emulator, count: int) -> bool:
    """Deliver what there is, and tell whether that makes so many points."""
    await entry.runtime_data.pipeline.flush()
    return len(states(database)) >= count


async def labelled(home: Home, second: int, *labels: str) -> None:
    before = home.entities["sensor.a"]["labels"]
    home.register("sensor.a", labels=list(labels))
    changed = registry_event("update", "sensor.a", second, changes={"labels": before})
    await home.fire("entity_registry_updated", changed)


async def test_an_entity_that_is_recorded_again_has_heartbeats_with_the_state_that_it_has(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.register("sensor.a")
    home.changing("sensor.a", "20", NOON)
    rule = {"name": "A", "domains": ["sensor"], "heartbeat": 0.02}
    cabin = remote(home, filter={"labels": ["left_out"]})
    entry = entry_with(database, cabin, noise={"rules": [rule], "window": 0})
    await set_up(hass, entry)
    await connected(entry)
    await until(partial(flushed, entry, database, 2))
    await labelled(home, 1, "left_out")
    noise_filter = entry.runtime_data.pipeline._noise_filter
    await until(lambda: not noise_filter._rules.applies_to("cabin/sensor.a"))
    before = len(states(database))
    await home.send(home.changing("sensor.a", "25", NOON + 2))
    await labelled(home, 3)
    await until(partial(flushed, entry, database, before + 2))
    assert set(states(database)[before:]) == {"25"}
