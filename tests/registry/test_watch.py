"""The registries are read once for everybody, when a burst of changes is over."""

import asyncio
import time
from typing import Any, Final

import pytest
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.registry.model import Home
from custom_components.ha_ingestor.registry.schedule import Intervals
from custom_components.ha_ingestor.registry.snapshot import async_snapshot
from custom_components.ha_ingestor.registry.watch import RegistrySnapshot, RegistryWatch
from tests.shell import until

SNAPSHOT: Final = "custom_components.ha_ingestor.registry.watch.async_snapshot"
SOON: Final = Intervals(quiet=0.02, longest=0.2)


class Subscriber:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.snapshots: list[RegistrySnapshot] = []

    async def __call__(self, snapshot: RegistrySnapshot) -> None:
        self.snapshots.append(snapshot)

    @property
    def names(self) -> list[str]:
        """The entities of the last look."""
        return (
            [entity.entity_id for entity in self.snapshots[-1].home.entities]
            if self.snapshots
            else []
        )


class Reads:
    """Counts how often the registries are read, and may fail or take its time."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.seconds = 0.0

    async def __call__(self, hass: HomeAssistant) -> Home:
        self.count += 1
        if self.error:
            raise self.error
        home = await async_snapshot(hass)
        await asyncio.sleep(self.seconds)
        return home


@pytest.fixture(name="reads")
def _reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    reads = Reads()
    monkeypatch.setattr(SNAPSHOT, reads)
    return reads


@pytest.fixture(name="hue")
def _hue(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(domain="hue", title="Hue Bridge")
    entry.add_to_hass(hass)
    return entry


def light(hass: HomeAssistant, hue: MockConfigEntry, name: str) -> er.RegistryEntry:
    return er.async_get(hass).async_get_or_create(
        "light", "hue", name, suggested_object_id=name, config_entry=hue
    )


async def test_a_burst_of_events_is_one_snapshot_for_all_subscribers(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch = RegistryWatch(hass, Intervals(quiet=0.2, longest=10))
    subscribers = [Subscriber() for _ in range(5)]
    ends = [watch.async_subscribe(subscriber) for subscriber in subscribers]
    await until(lambda: subscribers[-1].snapshots)
    reads.count = 0
    for number in range(1000):
        light(hass, hue, f"l{number}")
        if number % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(subscribers[0].names) == 1000)
    await asyncio.sleep(0.5)
    assert reads.count == 1
    assert all(
        subscriber.snapshots[-1] is subscribers[0].snapshots[-1] for subscriber in subscribers
    )
    for end in ends:
        end()


async def test_endless_changes_are_read_nevertheless(
    hass: HomeAssistant, hue: MockConfigEntry
) -> None:
    watch, subscriber = RegistryWatch(hass, Intervals(quiet=0.3, longest=0.4)), Subscriber()
    end = watch.async_subscribe(subscriber)
    changes = 0
    while len(subscriber.snapshots) < 3:
        changes += 1
        light(hass, hue, f"l{changes}")
        await asyncio.sleep(0.01)
    # Not with each change, however busy the machine is.
    assert changes > 3 * len(subscriber.snapshots)
    end()


async def test_a_snapshot_has_the_time_of_each_change(
    hass: HomeAssistant, hue: MockConfigEntry
) -> None:
    light(hass, hue, "a")
    watch, subscriber = RegistryWatch(hass, SOON), Subscriber()
    end = watch.async_subscribe(subscriber)
    before = time.time()
    await until(lambda: subscriber.snapshots)
    assert subscriber.snapshots[0].moments == {}
    assert before <= subscriber.snapshots[0].latest <= time.time()

    times: list[float] = []

    @callback
    def note(event: Event[Any]) -> None:
        times.append(event.time_fired_timestamp)

    hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, note)
    er.async_get(hass).async_update_entity("light.a", new_entity_id="light.b")
    light(hass, hue, "c")
    last = time.time()
    ar.async_get(hass).async_create("Kitchen")
    await until(lambda: len(subscriber.snapshots) == 2)
    renamed, created = times
    snapshot = subscriber.snapshots[-1]
    assert snapshot.moments == {"light.a": renamed, "light.b": renamed, "light.c": created}
    assert last <= snapshot.latest <= time.time()
    end()


async def test_a_failing_subscriber_affects_no_other(
    hass: HomeAssistant, hue: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_snapshot: RegistrySnapshot) -> None:
        raise ValueError

    watch, subscriber = RegistryWatch(hass, SOON), Subscriber()
    ends = [watch.async_subscribe(broken), watch.async_subscribe(subscriber)]
    light(hass, hue, "a")
    await until(lambda: subscriber.names == ["light.a"])
    light(hass, hue, "b")
    await until(lambda: subscriber.names == ["light.a", "light.b"])
    assert "A registry subscriber failed" in caplog.text
    for end in ends:
        end()


async def test_a_change_during_a_snapshot_leads_to_another_one(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch, subscriber = RegistryWatch(hass, SOON), Subscriber()
    end = watch.async_subscribe(subscriber)
    await until(lambda: subscriber.snapshots)
    reads.seconds = 0.2
    light(hass, hue, "a")
    await until(lambda: reads.count == 2)
    light(hass, hue, "b")
    await until(lambda: len(subscriber.snapshots) == 3)
    first, second = subscriber.snapshots[1:]
    assert [set(snapshot.moments) for snapshot in (first, second)] == [{"light.a"}, {"light.b"}]
    assert len(first.home.entities) == 1
    assert len(second.home.entities) == 2
    end()


async def test_registries_that_cannot_be_read_are_tried_again(
    hass: HomeAssistant,
    reads: Reads,
    hue: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.ha_ingestor.registry.watch.RETRY_SECONDS", 0.1)
    watch, subscriber = RegistryWatch(hass, SOON), Subscriber()
    end = watch.async_subscribe(subscriber)
    await until(lambda: subscriber.snapshots)
    reads.error = ValueError("odd")
    light(hass, hue, "a")
    await until(lambda: reads.count >= 4)
    with pytest.raises(ValueError, match="odd"):
        await watch.async_catch_up()
    assert caplog.text.count("The registries cannot be read") == 1
    reads.error = None
    await until(lambda: subscriber.names == ["light.a"])
    assert set(subscriber.snapshots[-1].moments) == {"light.a"}
    end()


async def test_a_subscriber_at_once_does_not_wait_for_quiet(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    light(hass, hue, "a")
    watch, patient, hasty = RegistryWatch(hass), Subscriber(), Subscriber()
    ends = [watch.async_subscribe(patient), watch.async_subscribe(hasty, at_once=True)]
    await until(lambda: hasty.names == ["light.a"], 1)
    assert patient.snapshots == hasty.snapshots
    assert reads.count == 1
    for end in ends:
        end()


async def test_a_subscriber_at_once_does_not_end_the_delay_after_a_failure(
    hass: HomeAssistant, reads: Reads
) -> None:
    reads.error = ValueError("odd")
    watch = RegistryWatch(hass, SOON)
    ends = [watch.async_subscribe(Subscriber(), at_once=True)]
    await until(lambda: reads.count == 1)
    ends.append(watch.async_subscribe(Subscriber(), at_once=True))
    await asyncio.sleep(0.3)
    assert reads.count == 1
    for end in ends:
        end()


async def test_catching_up_takes_a_snapshot_only_after_a_change(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch, subscriber = RegistryWatch(hass), Subscriber()
    end = watch.async_subscribe(subscriber)
    await watch.async_catch_up()
    await watch.async_catch_up()
    assert reads.count == 1
    light(hass, hue, "a")
    await watch.async_catch_up()
    assert subscriber.names == ["light.a"]
    end()
    await watch.async_catch_up()
    assert reads.count == 2


async def test_catching_up_waits_for_the_running_snapshot(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch, subscriber = RegistryWatch(hass, SOON), Subscriber()
    end = watch.async_subscribe(subscriber)
    await until(lambda: subscriber.snapshots)
    reads.seconds = 0.2
    light(hass, hue, "a")
    await until(lambda: reads.count == 2)
    await watch.async_catch_up()
    assert subscriber.names == ["light.a"]
    assert reads.count == 2
    end()


async def test_nothing_is_read_without_subscribers(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch: Any = RegistryWatch(hass, SOON)
    first, second = Subscriber(), Subscriber()
    ends = [watch.async_subscribe(first), watch.async_subscribe(second)]
    await until(lambda: second.snapshots)
    ends[0]()
    light(hass, hue, "a")
    await until(lambda: second.names == ["light.a"])
    assert len(first.snapshots) == 1
    ends[1]()
    reads.count = 0
    light(hass, hue, "b")
    watch.async_request()
    await asyncio.sleep(0.2)
    assert reads.count == 0


async def test_a_new_subscriber_after_a_pause_waits_for_quiet_again(
    hass: HomeAssistant, reads: Reads, hue: MockConfigEntry
) -> None:
    watch, subscriber = RegistryWatch(hass, Intervals(quiet=0.3, longest=0.4)), Subscriber()
    end = watch.async_subscribe(subscriber)
    end()
    await asyncio.sleep(0.5)
    end = watch.async_subscribe(subscriber)
    light(hass, hue, "a")
    await asyncio.sleep(0.1)
    assert reads.count == 0
    await until(lambda: subscriber.names == ["light.a"])
    assert reads.count == 1
    end()
