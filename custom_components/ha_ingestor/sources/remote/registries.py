"""What the registries of a remote home say, given to those who keep registries."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...clients.homeassistant.entries import DeviceEntry, EntityEntry
from ...clients.homeassistant.registries import Registries
from ...clients.homeassistant.states import State
from ...registry import convert
from ...registry.model import Device, Entity, Home
from ...registry.order import topological_order
from ...registry.remote_homes import RemoteSnapshot, async_remote_homes
from .link import RemoteLink

# Changes come in bursts, as those of this home: what comes within this time is one snapshot.
QUIET_SECONDS: Final = 2.0


class RemoteRegistries:
    """Takes a snapshot of a home soon after its registries were read."""

    def __init__(
        self, hass: HomeAssistant, link: RemoteLink, *, entry_id: str, subentry_id: str
    ) -> None:
        """Prepare for the connection to a home."""
        self._hass = hass
        self._link = link
        self._entry_id = entry_id
        self._subentry_id = subentry_id
        self._timer: CALLBACK_TYPE | None = None
        self._job = HassJob(self._async_snapshot, cancel_on_shutdown=True)
        self._lock = asyncio.Lock()
        self._is_started = False

    @callback
    def async_start(self) -> None:
        """Follow the connection."""
        self._is_started = True
        self._link.on_registries = self._async_changed
        if self._link.home.read_at:
            # Read before this set-up, which may have changes that the one before did not hand on.
            self._async_changed()

    @callback
    def async_stop(self) -> None:
        """Follow it no more. Safe to call twice."""
        self._is_started = False
        if self._timer:
            self._timer()
            self._timer = None

    @callback
    def _async_changed(self) -> None:
        if self._is_started and self._timer is None:
            self._timer = async_call_later(self._hass, QUIET_SECONDS, self._job)

    async def _async_snapshot(self, _now: object) -> None:
        self._timer = None
        async with self._lock:
            known = self._link.home
            registries, states, read_at = known.registries, known.states.states, known.read_at
            if read_at is None:
                return
            # The rows are immutable; the dictionaries that hold them are not.
            held = Registries(
                **{each.name: dict(getattr(registries, each.name)) for each in fields(Registries)}
            )
            snapshot = RemoteSnapshot(
                entry_id=self._entry_id,
                instance=self._link.settings.instance,
                home=await self._hass.async_add_executor_job(describe, held, states),
                taken_at=read_at,
            )
            if self._is_started:
                async_remote_homes(self._hass).async_put(self._subentry_id, snapshot)


def describe(registries: Registries, states: Mapping[str, State]) -> Home:
    """Read entries into plain values."""
    return Home(
        devices=topological_order(
            _device(entry, registries) for entry in registries.devices.values()
        ),
        entities=tuple(
            _entity(entry, registries, states.get(entity_id))
            for entity_id, entry in sorted(registries.entities.items())
        ),
        areas=tuple(convert.area(entry) for _, entry in sorted(registries.areas.items())),
        floors=tuple(convert.floor(entry) for _, entry in sorted(registries.floors.items())),
        labels=tuple(convert.label(entry) for _, entry in sorted(registries.labels.items())),
    )


def _device(entry: DeviceEntry, registries: Registries) -> Device:
    config_entry = registries.config_entries.get(entry.config_entry_id or "")
    return convert.device(
        entry,
        None if entry.parent_device_id else entry,
        whole=_whole(entry, registries),
        parent_device_id=entry.parent_device_id,
        via_device_id=entry.via_device_id,
        config_entry=(config_entry.domain, config_entry.title) if config_entry else None,
    )


def _entity(entry: EntityEntry, registries: Registries, state: State | None) -> Entity:
    device = registries.devices.get(entry.device_id or "")
    # The registry there does not tell these, but nearly every state has them.
    told: Mapping[str, Any] = state.attributes if state else {}
    unit, features = told.get("unit_of_measurement"), told.get("supported_features")
    return convert.entity(
        entry,
        device,
        whole=_whole(device, registries),
        unit_of_measurement=unit if isinstance(unit, str) else None,
        supported_features=features if isinstance(features, int) else 0,
    )


def _whole(device: DeviceEntry | None, registries: Registries) -> DeviceEntry | None:
    """Find what a device is a part of, or itself."""
    if device and device.parent_device_id:
        return registries.devices.get(device.parent_device_id)
    return device
