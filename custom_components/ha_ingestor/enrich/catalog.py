"""The registries as one dictionary: entity id → EntityContext."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr

from ..pipeline.model import EntityContext
from ..tasks.slices import async_slices
from .describe import OWN_ENTITY, Describer
from .local_registries import LocalRegistries
from .selection import EVERYTHING, EntityFilter, RuleTable, Traits

# Described in one slice, small enough for the event loop: to describe one takes some 50 µs.
_AT_ONCE: Final = 100

type OnChange = Callable[[EntityContext, EntityContext, Event[Any]], None]


class Catalog(dict[str, EntityContext]):
    """An entry is built at the first access, and again when a registry changes.

    The registries fire their events before anything else can happen, so what is looked up with
    `as_of_now` during a state change is true as of that change. Where many change together, as with
    the name of a floor, the silent ones are described a little later. A removed or renamed entity
    keeps its description for its last event; `forget` it then.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        entity_filter: EntityFilter = EVERYTHING,
        rules: RuleTable = (),
    ) -> None:
        """Start empty."""
        super().__init__()
        self._hass = hass
        self._describer = Describer(
            registries=LocalRegistries(hass), entity_filter=entity_filter, rules=rules
        )
        self._entities = er.async_get(hass)
        self._devices = dr.async_get(hass)
        self._areas = ar.async_get(hass)
        self._stops: list[CALLBACK_TYPE] = []
        # What is still to be described again, and the event that says so.
        self._outdated: dict[str, Event[Any]] = {}
        self._renewal: asyncio.Handle | None = None
        # Called with the old and the new context of an entity.
        self.on_change: OnChange | None = None

    async def async_start(self) -> None:
        """Follow the registries, and describe what is in them.

        The old context must be known when an entity changes, also of one without a state change so
        far: it cannot be read afterwards.
        """
        listen = self._hass.bus.async_listen
        self._stops = [
            listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._entity_changed),
            listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._device_changed),
            listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._area_changed),
            listen(fr.EVENT_FLOOR_REGISTRY_UPDATED, self._floor_changed),
            listen(lr.EVENT_LABEL_REGISTRY_UPDATED, self._label_changed),
        ]
        async for entity_id in async_slices(list(self._entities.entities)):
            entry = self._entities.async_get(entity_id)
            if entry and not entry.disabled and entity_id not in self:
                self[entity_id] = self._describer.describe(entity_id)

    @callback
    def async_stop(self) -> None:
        """Follow the registries no more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()
        if self._renewal:
            self._renewal.cancel()
            self._renewal = None

    @callback
    def as_of_now(self, entity_id: str) -> EntityContext:
        """Return what the registries say of an entity at this moment."""
        if self._outdated and (event := self._outdated.get(entity_id)):
            self._describe_one(event, entity_id, entity_id)
        return self[entity_id]

    @callback
    def forget(self, entity_id: str) -> None:
        """Read the registries again before the next event of this entity."""
        self.pop(entity_id, None)
        self._outdated.pop(entity_id, None)

    @callback
    def add_removed(self, contexts: Mapping[str, EntityContext]) -> None:
        """Add what entities were whose events are still to come, if they are gone."""
        for entity_id, context in contexts.items():
            if not self._entities.async_is_registered(entity_id):
                self.setdefault(entity_id, context)

    def __missing__(self, entity_id: str) -> EntityContext:
        context = self._describer.describe(entity_id)
        # Another entity may take the name of one of ours that is gone.
        if context.filtered != OWN_ENTITY or self._entities.async_is_registered(entity_id):
            self[entity_id] = context
        return context

    def traits(self, entity_id: str) -> Traits:
        """Read what the entity can be chosen by."""
        return self._describer.traits(entity_id)

    @callback
    def _entity_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        data = event.data
        if data["action"] == "remove":
            self._forget_silent(data["entity_id"])
        else:
            entity_id = data["entity_id"]
            was_called = entity_id
            if data["action"] == "update":
                was_called = data.get("old_entity_id", entity_id)
            self._describe_again(event, {was_called: entity_id})
            if was_called != entity_id:
                self._forget_silent(was_called)

    def _forget_silent(self, entity_id: str) -> None:
        """Drop entities that left the registry, unless the event of their state is to come."""
        # Events that were fired during this one follow it at once.
        self._hass.loop.call_soon(self._forget_if_gone, entity_id)

    def _forget_if_gone(self, entity_id: str) -> None:
        is_registered = self._entities.async_is_registered(entity_id)
        if not (is_registered or self._hass.states.get(entity_id)):
            self.forget(entity_id)

    @callback
    def _device_changed(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if event.data["action"] == "remove":
            return  # its entities go after it, and their last event still belongs to it
        device_id = event.data["device_id"]
        parts = dr.async_entries_for_parent_device(self._devices, device_id)
        self._describe_again(event, self._of_devices({device_id, *(part.id for part in parts)}))

    @callback
    def _area_changed(self, event: Event[ar.EventAreaRegistryUpdatedData]) -> None:
        self._areas_changed(event, {event.data["area_id"]})

    @callback
    def _floor_changed(self, event: Event[fr.EventFloorRegistryUpdatedData]) -> None:
        if event.data["action"] != "reorder":
            areas = ar.async_entries_for_floor(self._areas, event.data["floor_id"])
            self._areas_changed(event, {area.id for area in areas})

    def _areas_changed(self, event: Event[Any], areas: set[str | None]) -> None:
        concerned = [key for key, context in self.items() if context.area_id in areas]
        self._describe_again(event, dict(zip(concerned, concerned, strict=True)))

    @callback
    def _label_changed(self, event: Event[lr.EventLabelRegistryUpdatedData]) -> None:
        # A removed label is taken from everything that had it, which fires events of their own.
        label_id = event.data["label_id"]
        concerned = self._of_devices(
            {device.id for device in dr.async_entries_for_label(self._devices, label_id)}
        )
        for entry in er.async_entries_for_label(self._entities, label_id):
            concerned[entry.entity_id] = entry.entity_id
        self._describe_again(event, concerned)

    def _of_devices(self, devices: set[str]) -> dict[str, str]:
        return {key: key for key, context in self.items() if context.device_id in devices}

    def _describe_again(self, event: Event[Any], names: dict[str, str]) -> None:
        """Renew the descriptions of entities, by what they were called and what they are now."""
        if len(names) <= _AT_ONCE:
            for was_called, entity_id in names.items():
                self._describe_one(event, was_called, entity_id)
            return
        self._outdated |= dict.fromkeys(names.values(), event)
        if self._renewal is None:
            self._renewal = self._hass.loop.call_soon(self._describe_some)

    @callback
    def _describe_some(self) -> None:
        """Describe some of the outdated ones again, and the rest after others had their turn."""
        self._renewal = None
        try:
            for entity_id, event in list(islice(self._outdated.items(), _AT_ONCE)):
                self._describe_one(event, entity_id, entity_id)
        finally:
            if self._outdated:
                self._renewal = self._hass.loop.call_soon(self._describe_some)

    def _describe_one(self, event: Event[Any], was_called: str, entity_id: str) -> None:
        self._outdated.pop(was_called, None)
        self._outdated.pop(entity_id, None)
        if not self._entities.async_is_registered(entity_id):
            return  # gone meanwhile, and its last event still belongs to what it was
        before = self.get(was_called)
        after = self[entity_id] = self._describer.describe(entity_id)
        if before and self.on_change:
            self.on_change(before, after, event)
