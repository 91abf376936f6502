"""What devices and entities are, as rows of a database: each time that it is something else.

The measurements `devices` and `entities` are those of HomeIQ, with the same words where there is
nothing to say. Its readers expect no `name` of an entity and no `removed`, and do not mind.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ..pipeline.encode.line_protocol import FieldValue
from ..pipeline.model import RegistryRow
from .model import Device, Entity, Home

# The values of the tags and then of the fields, in the order of the table.
type State = tuple[FieldValue, ...]
# By measurement and key; None for what is there and not wanted.
type States = Mapping[str, Mapping[str, State | None]]
type Wanted = Callable[[Entity], bool]

DEVICES: Final = "devices"
ENTITIES: Final = "entities"

REMOVED: Final = "removed"

_UNKNOWN: Final = "Unknown"
_NO_DEVICE: Final = "unknown"
_UNASSIGNED: Final = "unassigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measurement. The first tag is the key; `owner` is a tag that may name what changed."""

    tags: tuple[str, ...]
    fields: tuple[str, ...]
    owner: str


TABLES: Final[Mapping[str, Measurement]] = {
    DEVICES: Measurement(
        tags=("device_id", "manufacturer", "model", "area_id"),
        fields=("name", "sw_version", "entity_count"),
        owner="device_id",
    ),
    ENTITIES: Measurement(
        tags=("entity_id", "device_id", "domain", "platform", "area_id"),
        fields=("name", "unique_id", "disabled"),
        owner="device_id",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change, and its row.

    `state` is None when there is nothing to remember any more; then, where it is only no longer
    wanted, there is no row either.
    """

    measurement: str
    key: str
    state: State | None
    row: RegistryRow | None


def states(home: Home, wanted: Wanted) -> States:
    """Read a home; a device is not wanted when nothing of it is."""
    entities = {
        entity.entity_id: _entity(entity) if wanted(entity) else None for entity in home.entities
    }
    counts = Counter(entity.device_id for entity in home.entities)
    unwanted = Counter(
        entity.device_id for entity in home.entities if entities[entity.entity_id] is None
    )
    devices = {
        device.device_id: None
        if 0 < counts[device.device_id] == unwanted[device.device_id]
        else _device(device, counts[device.device_id])
        for device in home.devices
    }
    return {DEVICES: devices, ENTITIES: entities}


def changes(
    before: Mapping[str, Mapping[str, State]],
    now: States,
    moments: Mapping[str, float],
    latest: float,
) -> Iterator[Change]:
    """Compare two homes; a change without a moment of its own or its device's is of the latest."""
    for measurement, table in TABLES.items():
        known, present = before[measurement], now[measurement]
        owner = table.tags.index(table.owner)

        def moment(key: str, state: State, owner: int = owner) -> float:
            return moments.get(key) or moments.get(str(state[owner])) or latest

        for key, state in present.items():
            if state is None:
                if key in known:
                    yield Change(measurement=measurement, key=key, state=None, row=None)
            elif known.get(key) != state:
                row = _row(measurement, state, moment(key, state))
                yield Change(measurement=measurement, key=key, state=state, row=row)
        for key in known.keys() - present.keys():
            row = _removal(measurement, known[key], moment(key, known[key]))
            yield Change(measurement=measurement, key=key, state=None, row=row)


def _device(device: Device, entities: int) -> State:
    return (
        device.device_id,
        device.manufacturer or _UNKNOWN,
        device.model or _UNKNOWN,
        device.effective_area_id or _UNASSIGNED,
        device.name,
        device.sw_version or _UNKNOWN,
        float(entities),
    )


def _entity(entity: Entity) -> State:
    return (
        entity.entity_id,
        entity.device_id or _NO_DEVICE,
        entity.entity_id.partition(".")[0],
        entity.platform,
        entity.effective_area_id or _UNASSIGNED,
        entity.name or entity.original_name or "",
        entity.unique_id or "",
        entity.disabled_by is not None,
    )


def _row(measurement: str, state: State, time: float) -> RegistryRow:
    table = TABLES[measurement]
    values = zip(table.fields, state[len(table.tags) :], strict=True)
    return RegistryRow(measurement, _tags(table, state), (*values, (REMOVED, False)), time)


def _removal(measurement: str, state: State, time: float) -> RegistryRow:
    """Build the removal in the series of the last row."""
    return RegistryRow(measurement, _tags(TABLES[measurement], state), ((REMOVED, True),), time)


def _tags(table: Measurement, state: State) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in zip(table.tags, state, strict=False))
