"""The entities of a remote home as one dictionary: entity id → EntityContext."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Final

from ...clients.homeassistant.entries import (
    AreaEntry,
    DeviceEntry,
    EntityEntry,
    FloorEntry,
    LabelEntry,
)
from ...clients.homeassistant.registries import Registries
from ...clients.homeassistant.states import StateMirror
from ...enrich.describe import Describer, DeviceLike
from ...enrich.unrecorded import state_info
from ...pipeline.model import EntityContext
from ...tasks.slices import async_slices
from .entities import Entities, StoredEntities
from .gap import RemoteGap
from .removals import RemovalTimes, Store, store_nowhere

# What makes two descriptions of an entity equal: all but what profiles remember of it.
_COMPARED: Final = tuple(each.name for each in fields(EntityContext) if each.name != "memo")


@dataclass(slots=True, kw_only=True)
class RemoteHome:
    """What is known of a remote home, over a loss of the connection and over a reload."""

    location: str = ""
    # When the newest state that was captured was set, by the clock of that home.
    newest: float | None = None
    # Those that are still to be filled, the oldest first.
    gaps: list[RemoteGap] = field(default_factory=list)
    # It was said in the log that its history cannot be read.
    is_history_refused: bool = False
    registries: Registries = field(default_factory=Registries)
    # When the registries were read last, by the clock here.
    read_at: datetime | None = None
    states: StateMirror = field(default_factory=partial(StateMirror, about=state_info))
    # Those that have no state now.
    entities: Entities = field(default_factory=Entities)
    removals: RemovalTimes = field(default_factory=RemovalTimes)
    # Puts entities that are new on the disk: they may be gone when a later process asks.
    store_new: Store = store_nowhere

    @property
    def captured_until(self) -> float | None:
        """Up to when everything was captured, with nothing missing before."""
        return min((gap.after for gap in self.gaps), default=self.newest)

    def stored_entities(self) -> StoredEntities:
        """Return which entities a later process has to ask about."""
        # A removal in a gap is told when the gap ends.
        untold = (
            name
            for gap in self.gaps
            for name, change in gap.changes.items()
            if change.new is None and gap.was_there(name)
        )
        return self.entities.stored((*self.states.states, *untold))

    def entity(self, entity_id: str) -> EntityEntry | None:
        """Look up an entity of the registry."""
        return self.registries.entities.get(entity_id)

    def device(self, device_id: str) -> DeviceEntry | None:
        """Look up a device or a part of one."""
        return self.registries.devices.get(device_id)

    def hardware(self, device: DeviceLike) -> DeviceEntry | None:
        """Find the device that this is a part of, or itself."""
        known = self.device(device.id)
        if known and known.parent_device_id:
            return self.device(known.parent_device_id)
        return known

    def area(self, area_id: str) -> AreaEntry | None:
        """Look up an area."""
        return self.registries.areas.get(area_id)

    def floor(self, floor_id: str) -> FloorEntry | None:
        """Look up a floor."""
        return self.registries.floors.get(floor_id)

    def label(self, label_id: str) -> LabelEntry | None:
        """Look up a label."""
        return self.registries.labels.get(label_id)

    def device_class(self, entity_id: str) -> str:
        """Ask the state, where the registry says nothing."""
        state = self.states.states.get(entity_id)
        device_class = state.attributes.get("device_class") if state else None
        return device_class if isinstance(device_class, str) else ""

    def was_ours(self, _entity_id: str) -> bool:
        """Answer no: another home does not tell what it has deleted."""
        return False


type Pair = tuple[EntityContext, EntityContext]


class RemoteCatalog(dict[str, EntityContext]):
    """An entry is built at the first access, and again when it is said that a registry changed.

    One that is described as before stays the same object. A removed or renamed entity keeps its
    description for its last event; `forget` it then.
    """

    def __init__(self, describer: Describer, home: RemoteHome) -> None:
        """Start empty."""
        super().__init__()
        self._describer = describer
        self._home = home

    def __missing__(self, entity_id: str) -> EntityContext:
        context = self[entity_id] = self._describer.describe(entity_id)
        return context

    def forget(self, entity_id: str) -> None:
        """Describe it again before its next event."""
        self.pop(entity_id, None)

    def forget_if_gone(self, entity_id: str) -> None:
        """Drop an entity that has neither a state nor an entry."""
        if self._home.entity(entity_id) is None and entity_id not in self._home.states.states:
            self.forget(entity_id)

    def describe_again(self, was_called: str, entity_id: str) -> Pair | None:
        """Renew the description of an entity; returns both if it was known and is another now."""
        if self._home.entity(entity_id) is None:
            return None  # gone meanwhile, and its last event still belongs to what it was
        before, after = self.get(was_called), self._describer.describe(entity_id)
        if before is not None and all(
            getattr(before, name) == getattr(after, name) for name in _COMPARED
        ):
            return None
        self[entity_id] = after
        return (before, after) if before is not None else None

    async def async_sweep(self) -> AsyncIterator[Pair]:
        """Describe everything again, also what has no state so far; yields what changed.

        The old description must be known when an entity changes: it cannot be read afterwards.
        """
        called = {
            context.registry_id: name for name, context in self.items() if context.registry_id
        }
        async for entry in async_slices(list(self._home.registries.entities.values())):
            if entry.disabled_by is None or entry.entity_id in self:
                was_called = called.get(entry.id, entry.entity_id)
                if was_called not in self:
                    self[entry.entity_id] = self._describer.describe(entry.entity_id)
                elif pair := self.describe_again(was_called, entry.entity_id):
                    yield pair
        for entity_id in list(self):
            self.forget_if_gone(entity_id)
