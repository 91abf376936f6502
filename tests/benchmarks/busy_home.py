"""A busy home, simulated: 445 entities of the kinds that fill databases, the same for each seed.

Each kind has so many entities, and a pace in seconds between two reports: spread by a third, and
six times slower at night where people make the difference. What is reported is a walk with noise,
as real meters have; the radio of battery devices reports its strength beside them. One device flaps
for an hour, one integration repeats itself, some lose their connection at intervals, and Home
Assistant is restarted twice.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from custom_components.ha_ingestor.enrich.selection import Traits
from custom_components.ha_ingestor.pipeline.model import EntityContext, StateEvent
from tests.pipeline.state_events import NOON, FakeContext, FakeState

from .reports import (
    DAY,
    Report,
    Say,
    count,
    dim,
    heat,
    light,
    load,
    play,
    repeat,
    rise,
    toggle,
    walk,
    wander,
)

RESTARTS: Final = (0.3, 0.8)
_MIDNIGHT: Final = NOON - DAY / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Entities of one sort; `repeats` are those whose integration insists on an event."""

    name: str
    count: int
    pace: float
    say: Say
    first: str = "0"
    unit: str = ""
    domain: str = "sensor"
    level: float = 0.0
    by_people: bool = False
    repeats: bool = False
    hours: tuple[float, float] = (0, 24)


KINDS: Final = (
    Kind(name="power", count=40, pace=5, say=load, unit="W"),
    Kind(name="voltage", count=20, pace=10, say=walk(0.1, 0.3, 225, 240), unit="V", level=231),
    Kind(name="energy", count=20, pace=30, say=count, unit="kWh", level=1000),
    Kind(name="data_rate", count=6, pace=30, say=walk(5, 20, 0, 900), unit="Mbit/s", level=50),
    Kind(name="temperature", count=50, pace=120, say=walk(0.05, 0.03, 17, 27), unit="°C", level=21),
    Kind(name="humidity", count=40, pace=120, say=walk(0.3, 0.2, 30, 70), unit="%", level=50),
    Kind(name="illuminance", count=20, pace=60, say=light, unit="lx"),
    Kind(
        name="signal_strength",
        count=80,
        pace=90,
        say=walk(1, 3, -95, -40, 0),
        unit="dBm",
        level=-65,
    ),
    Kind(name="battery", count=40, pace=3600, say=walk(0.02, 0, 0, 100, 0), unit="%", level=70),
    Kind(
        name="motion",
        count=30,
        pace=150,
        say=toggle,
        first="off",
        domain="binary_sensor",
        by_people=True,
    ),
    Kind(
        name="door",
        count=20,
        pace=3000,
        say=toggle,
        first="off",
        domain="binary_sensor",
        by_people=True,
    ),
    Kind(name="light", count=40, pace=4000, say=dim, first="off", domain="light", by_people=True),
    Kind(name="climate", count=12, pace=240, say=heat, first="heat", domain="climate"),
    Kind(
        name="player",
        count=6,
        pace=60,
        say=play,
        first="idle",
        domain="media_player",
        by_people=True,
    ),
    Kind(name="phone", count=4, pace=300, say=wander, first="home", domain="device_tracker"),
    Kind(name="sun", count=1, pace=240, say=rise, first="below_horizon", domain="sun"),
    Kind(name="stubborn", count=15, pace=10, say=repeat, repeats=True),
    Kind(
        name="flapping",
        count=1,
        pace=1,
        say=toggle,
        first="off",
        domain="binary_sensor",
        hours=(14, 15),
    ),
)


@dataclass(slots=True, kw_only=True)
class Thing:
    """One entity of the simulation."""

    kind: Kind
    entity: EntityContext
    report: Report
    state: FakeState | None = None

    @property
    def traits(self) -> Traits:
        """What rules can choose it by."""
        device_class = str(self.report[1].get("device_class", ""))
        return Traits(
            entity_id=self.entity.entity_id,
            domain=self.entity.domain,
            device_class=device_class,
        )


def things() -> list[Thing]:
    """Return the entities, before the first of them says anything."""
    found = []
    for kind in KINDS:
        for number in range(kind.count):
            attributes: dict[str, Any] = {"friendly_name": f"Room {number % 12} {kind.name}"}
            if kind.unit:
                attributes |= {"unit_of_measurement": kind.unit, "device_class": kind.name}
            entity = EntityContext(
                entity_id=f"{kind.domain}.room_{number % 12}_{kind.name}_{number}",
                domain=kind.domain,
                integration="mqtt",
                area_id=f"room_{number % 12}",
                area=f"Room {number % 12}",
                device_id=f"{number:032x}",
                manufacturer="Aqara",
                model="WSDCGQ11LM",
                sw_version="3000-0001",
            )
            first = (kind.first, {**attributes, "level": kind.level})
            found.append(Thing(kind=kind, entity=entity, report=first))
    return found


def events(home: list[Thing], chance: Random, hours: float) -> Iterator[StateEvent | None]:
    """Yield the changes in the order of a day; None where Home Assistant is restarted."""
    queue = [(chance.uniform(0, thing.kind.pace), number) for number, thing in enumerate(home)]
    heapq.heapify(queue)
    restarts = [share * hours * 3600 for share in RESTARTS]
    while queue[0][0] < hours * 3600:
        at, number = heapq.heappop(queue)
        thing = home[number]
        if restarts and at >= restarts[0]:
            restarts.pop(0)
            yield None
            yield from _back(home, at)
        night = 6 if thing.kind.by_people and not DAY / 4 < at < DAY * 0.96 else 1
        heapq.heappush(queue, (at + thing.kind.pace * night * chance.uniform(0.67, 1.33), number))
        begin, end = thing.kind.hours
        if not begin * 3600 <= at < end * 3600:
            continue
        if chance.random() < 0.0005:
            away = "unavailable", {"friendly_name": thing.report[1]["friendly_name"]}
            yield _changed(thing, away, at)
            continue
        before = thing.report
        thing.report = thing.kind.say(chance, at, before)
        # Home Assistant fires no event for what it has already.
        is_known = thing.state is not None and _shown(thing.report) == _shown(before)
        if (
            thing.kind.repeats
            or not is_known
            or (thing.state and thing.state.state == "unavailable")
        ):
            yield _changed(thing, thing.report, at)


def _shown(report: Report) -> Report:
    """Leave out what only the simulation knows."""
    return report[0], {key: value for key, value in report[1].items() if key != "level"}


def _changed(thing: Thing, report: Report, at: float) -> StateEvent:
    old, (state, attributes) = thing.state, _shown(report)
    time = _MIDNIGHT + at
    if old is not None and old.attributes == attributes:
        attributes = old.attributes  # the same object, as in Home Assistant
    changed = old.last_changed_timestamp if old and old.state == state else time
    thing.state = FakeState(
        state=state,
        attributes=attributes,
        last_changed_timestamp=changed,
        last_updated_timestamp=time,
    )
    return StateEvent(thing.entity, thing.state, old, time, FakeContext())


def _back(home: list[Thing], at: float) -> Iterator[StateEvent]:
    """Restore every entity after a restart: a placeholder, then what it was."""
    for delay, thing in enumerate(home):
        if thing.state is None:
            continue
        known, thing.state = thing.state, None
        yield _changed(thing, ("unavailable", {"restored": True}), at + delay / 1000)
        yield _changed(thing, (known.state, known.attributes), at + 20 + delay / 1000)
