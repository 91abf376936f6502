"""What the metadata store needs to sync and to answer, in a home of 5 000 entities.

Processor time of its thread: it waits for nothing, and other programs do not count.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from custom_components.ha_ingestor.metadata_store.listings import DEVICES, ENTITIES
from custom_components.ha_ingestor.metadata_store.queries import Query, parse
from custom_components.ha_ingestor.metadata_store.store import MetadataStore
from custom_components.ha_ingestor.registry.model import Area, Device, Entity, Home

from .table import Row, at_most

ANSWER_MS: Final = 10.0

_ENTITIES: Final = 5000
_DEVICES: Final = 800
_ROUNDS_MAX: Final = 25
_DOMAINS: Final = ("sensor", "sensor", "binary_sensor", "light", "switch")
_NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)


def home() -> Home:
    """Make a large home; a tenth of the entities have aliases, a fifth have labels."""
    return Home(
        devices=tuple(
            Device(
                device_id=f"{number:032x}",
                name=f"Device {number}",
                manufacturer=f"Maker {number % 20}",
                model="Weather sensor WSDCGQ11LM",
                sw_version="3000-0001",
                area_id=f"room_{number % 30}",
                integration="zha",
            )
            for number in range(_DEVICES)
        ),
        entities=tuple(_entity(number) for number in range(_ENTITIES)),
        areas=tuple(Area(area_id=f"room_{number}", name=f"Room {number}") for number in range(30)),
        services={domain: {"turn_on": {}, "turn_off": {}} for domain in ("light", "switch")},
    )


def _entity(number: int) -> Entity:
    return Entity(
        entity_id=f"{_DOMAINS[number % len(_DOMAINS)]}.room_{number % 30}_temperature_{number}",
        registry_id=f"{number:032x}",
        platform=("zha", "mqtt", "hue", "esphome")[number % 4],
        unique_id=f"00:15:8d:00:02:{number:06x}-1-1026",
        device_id=f"{number % _DEVICES:032x}",
        effective_area_id=f"room_{number % 30}",
        original_name="Temperature",
        original_icon="mdi:thermometer",
        aliases=(f"Reading {number}",) if number % 10 == 0 else (),
        labels=("battery", f"group_{number % 7}") if number % 5 == 0 else (),
        options={"conversation": {"should_expose": True}},
        config_entry_id="01JABCDEFGHJKMNPQRSTVWXYZ0",
        device_class="temperature",
        unit_of_measurement="°C",
        capabilities={"state_class": "measurement"},
        translation_key="temperature",
    )


QUERIES: Final = (
    (ENTITIES, ()),
    (ENTITIES, (("limit", "1000"), ("domain", "light"))),
    (ENTITIES, (("platform", "hue"),)),
    (ENTITIES, (("device_id", f"{7:032x}"),)),
    (ENTITIES, (("area_id", "room_7"),)),
    (ENTITIES, (("label", "battery"), ("label", "group_3"))),
    (ENTITIES, (("alias", "reading 40"),)),
    (ENTITIES, (("has_aliases", "true"),)),
    (DEVICES, ()),
    (DEVICES, (("limit", "1000"),)),
    (DEVICES, (("platform", "hue"),)),
    (DEVICES, (("manufacturer", "Maker 3"),)),
)


def measure(directory: Path, events: int) -> list[Row]:
    """Sync, sync again, and ask, once for every ten events."""
    rounds = min(events // 10, _ROUNDS_MAX)
    large = home()
    first, *others = large.entities
    renamed = replace(large, entities=(replace(first, name="Renamed"), *others))
    store = MetadataStore(directory)
    rows = [
        _told("the first sync", _milliseconds(lambda: store.sync(large, _NOON), 1)),
        _told(
            "a sync that finds nothing new", _milliseconds(lambda: store.sync(large, _NOON), rounds)
        ),
    ]
    homes = [renamed, large] * rounds
    one = _milliseconds(lambda: store.sync(homes.pop(), _NOON), rounds)
    rows.append(_told("a sync that finds one entity changed", one))
    for listing, parameters in QUERIES:
        query = parse(listing, parameters)
        taken, size = _asked(store, query, rounds)
        asked = "&".join(f"{name}={text[-8:]}" for name, text in parameters)
        what = f"{listing.table}?{asked}, {size / 1024:.0f} KiB, best {min(taken):.2f}"
        rows.append(at_most(what, median(taken), ANSWER_MS, "{:.2f} ms"))
    taken, size = _asked(store, parse(ENTITIES, [("limit", "10000")]), rounds)
    everything = f"every one of the entities, {size / 1024:.0f} KiB"
    store.close()
    return [*rows, _told(everything, taken)]


def _asked(store: MetadataStore, query: Query, rounds: int) -> tuple[list[float], int]:
    size = len(store.answer(query, _NOON))
    return _milliseconds(lambda: store.answer(query, _NOON), rounds), size


def _milliseconds(work: Callable[[], object], rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        began = time.thread_time_ns()
        work()
        taken.append((time.thread_time_ns() - began) / 1_000_000)
    return taken


def _told(what: str, taken: list[float]) -> Row:
    return Row(what=f"{what}, best {min(taken):.2f}", measured=f"{median(taken):.2f} ms")
