"""Values of integrations may raise anything when they are read: they cost no other event."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.enrich.describe import Describer
from tests.emulator import Emulator
from tests.shell import deliver, points, set_up

ODD = "odd_event"


class Panic(BaseException):
    """What libraries raise that are written in other languages: no Exception."""


ERRORS = [RuntimeError, Panic, SystemExit, asyncio.CancelledError]


class Unreadable:
    """Raises whenever somebody wants to know something of it."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def _fail(self, *_: object) -> Any:
        raise self.error("boom")

    __str__ = __repr__ = __len__ = __bool__ = __float__ = __iter__ = __eq__ = _fail
    __getattr__ = _fail
    __hash__ = object.__hash__


class UnreadableMapping(Mapping[str, Any]):
    """A mapping whose members cannot be read."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __getitem__(self, key: str) -> Any:
        raise self.error(key)

    def __iter__(self) -> Iterator[str]:
        raise self.error("boom")

    def __len__(self) -> int:
        raise self.error("boom")


async def ledger(entry: MockConfigEntry) -> dict[str, Any]:
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    return dict(snapshot.ledger)


def states(database: Emulator, entity_id: str) -> list[Any]:
    return [point.fields.get("state") for point in points(database, entity_id)]


@pytest.mark.parametrize("error", ERRORS)
async def test_an_attribute_that_raises_anything_costs_no_event(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, error: type[BaseException]
) -> None:
    await set_up(hass, entry, {"noise": {"window": 60}, "attributes": {"coordinates": False}})
    odd = [
        {name: value}
        for name in ("anything", "device_class", "unit_of_measurement", "latitude", "code")
        for value in (Unreadable(error), UnreadableMapping(error))
    ]
    hass.states.async_set("sensor.before", "1")
    for number, attributes in enumerate(odd):
        hass.states.async_set(f"sensor.odd_{number}", "1", attributes)
        hass.states.async_remove(f"sensor.odd_{number}")
    hass.states.async_set("sensor.after", "1")
    counts = await ledger(entry)
    await deliver(hass, entry)
    assert states(database, "sensor.before") == states(database, "sensor.after") == ["1"]
    stored = [len(states(database, f"sensor.odd_{number}")) for number in range(len(odd))]
    assert stored == [2] * len(odd)
    assert counts["lost"] == {}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("reloads", [False, True])
async def test_data_of_an_event_that_raise_anything_are_stored_as_far_as_they_can_be_read(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    error: type[BaseException],
    *,
    reloads: bool,
) -> None:
    await set_up(hass, entry, {"events": {"types": [ODD]}})
    before = await ledger(entry)
    if reloads:
        assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire(ODD, {"a": UnreadableMapping(error), "list": [Unreadable(error)], "b": 1})
    hass.states.async_set("sensor.after", "1")
    if reloads:
        assert await hass.config_entries.async_setup(entry.entry_id)
    after = await ledger(entry)
    await deliver(hass, entry)
    own = [each["filtered"].get("own_entity", 0) for each in (before, after)]
    assert after["received"] - before["received"] == 2 + own[1] - own[0]
    assert after["lost"] == {}
    (stored,) = [each for each in points(database) if each.tags["event_type"] == ODD]
    assert '"b":1' in stored.fields["event_data"]


@pytest.mark.parametrize("error", [RuntimeError, Panic])
async def test_an_entity_that_cannot_be_described_is_counted_where_a_reload_has_no_room_for_it(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    monkeypatch.setattr("custom_components.ha_ingestor.sources.reload_buffer.BUFFER_EVENTS", 2)
    await set_up(hass, entry)
    before = await ledger(entry)
    describe = Describer.describe

    def describe_most(self: Any, entity_id: str) -> Any:
        if entity_id == "sensor.odd":
            raise error("this entity is odd")
        return describe(self, entity_id)

    monkeypatch.setattr(Describer, "describe", describe_most)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in range(5):
        hass.states.async_set("sensor.odd", str(number))
        hass.states.async_set("sensor.a", str(number))
    assert await hass.config_entries.async_setup(entry.entry_id)
    after = await ledger(entry)
    await deliver(hass, entry)
    own = [each["filtered"].get("own_entity", 0) for each in (before, after)]
    assert after["received"] - before["received"] == 10 + own[1] - own[0]
    named = sum(after["lost"].values())
    assert named + len(states(database, "sensor.a")) == 10
