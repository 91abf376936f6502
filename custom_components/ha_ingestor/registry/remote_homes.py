"""The newest snapshot of every remote home, for those that subscribe.

One direction, and by level: a subscriber is told that something is different, and reads what there
is now. A home that is not connected keeps its snapshot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, SUBENTRY_REMOTE
from .model import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSnapshot:
    """What the registries of a remote home said when; `entry_id` is the destination's."""

    entry_id: str
    instance: str
    home: Home
    taken_at: datetime


class RemoteHomes:
    """The snapshots by the subentry of the home, the newest last."""

    def __init__(self) -> None:
        """Start empty."""
        self._newest: dict[str, RemoteSnapshot] = {}
        self._subscribers: list[CALLBACK_TYPE] = []

    @property
    def all(self) -> Mapping[str, RemoteSnapshot]:
        """Every home by its instance; of several destinations with one name the newest."""
        return {each.instance: each for each in self._newest.values()}

    def of(self, entry_id: str) -> Mapping[str, Home]:
        """Return the homes of a destination by their instances."""
        return {
            each.instance: each.home for each in self._newest.values() if each.entry_id == entry_id
        }

    @callback
    def async_subscribe(self, subscriber: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a subscriber when something is different; returns its unsubscribe."""
        self._subscribers.append(subscriber)

        @callback
        def async_end() -> None:
            self._subscribers.remove(subscriber)

        return async_end

    @callback
    def async_put(self, subentry_id: str, snapshot: RemoteSnapshot) -> None:
        """Set the newest snapshot of a home."""
        self._newest.pop(subentry_id, None)
        self._newest[subentry_id] = snapshot
        self._async_tell()

    @callback
    def async_drop(self, subentry_id: str) -> None:
        """Forget a home that is removed, or has another name."""
        self._newest.pop(subentry_id, None)
        self._async_tell()

    @callback
    def _async_tell(self) -> None:
        for subscriber in list(self._subscribers):
            subscriber()


REMOTE_HOMES: HassKey[RemoteHomes] = HassKey(f"{DOMAIN}_remote_homes")


@callback
def async_remote_homes(hass: HomeAssistant) -> RemoteHomes:
    """Return those of this Home Assistant."""
    if REMOTE_HOMES not in hass.data:
        hass.data[REMOTE_HOMES] = RemoteHomes()
    return hass.data[REMOTE_HOMES]


@callback
def async_instances(hass: HomeAssistant) -> frozenset[str]:
    """Name all remote homes, also those of destinations that are not loaded."""
    return frozenset(
        subentry.data[CONF_NAME]
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.get_subentries_of_type(SUBENTRY_REMOTE)
    )
