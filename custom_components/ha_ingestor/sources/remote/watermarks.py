"""Up to when each remote home was captured, and its entities, across restarts of this home.

What a home sends comes in the order in which it happened, so one moment of its clock says which of
its states were captured before.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN
from .entities import StoredEntities
from .removals import RemovalTimes

# What was captured is on the disk long before: what is stored was true one interval ago.
INTERVAL: Final = timedelta(seconds=30)
# Of a home that nothing is stored of so far: a kill before that would leave no gap to be filled.
FIRST_SECONDS: Final = 5.0
# An entity that is new is stored sooner: it may be gone when it is next asked about.
NEW_ENTITIES: Final = timedelta(seconds=5)
VERSION: Final = 1
KEY: Final = f"{DOMAIN}.remotes"
# A file of its own: it is large, and changes rarely.
ENTITIES_KEY: Final = f"{DOMAIN}.remote_entities"
# Small, and written with each removal.
REMOVALS_KEY: Final = f"{DOMAIN}.remote_removals"

type Newest = Callable[[], float | None]
type Present = Callable[[], StoredEntities]
type Note = Callable[[datetime], Coroutine[None, None, None]]


class Watermarks:
    """Stores the moments and the entities of all remote homes, by subentry."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare."""
        self._hass = hass
        self._store = Store[dict[str, float]](hass, VERSION, KEY)
        self._stored: dict[str, float] = {}
        self._followed: dict[str, Newest] = {}
        self._before: dict[str, float] = {}
        self._entities_store = Store[dict[str, Any]](
            hass, VERSION, ENTITIES_KEY, atomic_writes=True
        )
        self._entities: dict[str, StoredEntities] = {}
        self._removals_store = Store[dict[str, Any]](
            hass, VERSION, REMOVALS_KEY, atomic_writes=True
        )
        self._removals: dict[str, RemovalTimes] = {}
        self._present: dict[str, Present] = {}
        self._stops: list[CALLBACK_TYPE] = []

    async def async_load(self) -> None:
        """Read what was stored."""
        stored: object = await self._store.async_load()
        # Whatever is in a damaged file must not keep a destination from its start.
        self._stored = {
            str(subentry_id): float(moment)
            for subentry_id, moment in (stored.items() if isinstance(stored, dict) else ())
            if isinstance(moment, (int, float))
        }
        content: object = await self._entities_store.async_load()
        self._entities = {
            str(name): StoredEntities.of(each)
            for name, each in (content.items() if isinstance(content, dict) else ())
        }
        removals: object = await self._removals_store.async_load()
        for name, each in removals.items() if isinstance(removals, dict) else ():
            self.removals(str(name)).load(each)

    def newest(self, subentry_id: str) -> float | None:
        """Return up to when a home was captured; None if that is not known."""
        return self._stored.get(subentry_id)

    def entities(self, subentry_id: str) -> StoredEntities:
        """Return the entities that were seen of a home."""
        return self._entities.get(subentry_id, StoredEntities())

    def removals(self, subentry_id: str) -> RemovalTimes:
        """Return which times the removals of a home have."""
        return self._removals.setdefault(subentry_id, RemovalTimes(self._async_store_removals))

    @callback
    def async_follow(self, subentry_id: str, newest: Newest, present: Present) -> None:
        """Store the moments and the entities of a home from now on."""
        self._followed[subentry_id] = newest
        self._present[subentry_id] = present
        if subentry_id not in self._stored:
            self._async_later(self._async_note_first)
        if not self._stops:
            self._stops = [
                async_track_time_interval(self._hass, note, interval, cancel_on_shutdown=True)
                for note, interval in (
                    (self._async_note, INTERVAL),
                    (self._async_note_new, NEW_ENTITIES),
                )
            ]

    async def async_leave(self, subentry_id: str, *, is_removed: bool = False) -> None:
        """Store what was captured at last, or nothing more of a home that was removed."""
        newest = self._followed.pop(subentry_id, None)
        present = self._present.pop(subentry_id, None)
        self._before.pop(subentry_id, None)
        entities = dict(self._entities)
        if is_removed:
            self._stored.pop(subentry_id, None)
            entities.pop(subentry_id, None)
            self._removals.pop(subentry_id, None)
        elif newest and present and (moment := newest()) is not None:
            self._stored[subentry_id] = moment
            entities[subentry_id] = present()
        if not self._followed:
            while self._stops:
                self._stops.pop()()
        # With both, a kill in between leaves entities that are newer than the moment.
        await self._save_entities(entities)
        await self._async_store_removals()
        await self._store.async_save(self._stored)

    @callback
    def _async_later(self, note: Note) -> None:
        async_call_later(self._hass, FIRST_SECONDS, HassJob(note, cancel_on_shutdown=True))

    async def _async_note_first(self, now: datetime) -> None:
        await self._async_note(now)
        self._async_later(self._async_note)

    async def _async_note(self, _now: datetime) -> None:
        before, self._before = self._before, {}
        for subentry_id, newest in self._followed.items():
            if (moment := newest()) is not None:
                self._before[subentry_id] = moment
        await self._save_entities(self._entities | self._present_now())
        stored = self._stored | before
        if stored != self._stored:
            self._stored = stored
            await self._store.async_save(stored)
            for subentry_id, moment in stored.items():
                self.removals(subentry_id).forget_before(moment)

    async def _async_note_new(self, _now: datetime) -> None:
        await self.async_store_new()

    async def async_store_new(self) -> None:
        """Store the entities of all homes, if some are new."""
        present = self._present_now()
        if not all(self.entities(name).has_all(each) for name, each in present.items()):
            await self._save_entities(self._entities | present)

    def _present_now(self) -> dict[str, StoredEntities]:
        """Return the entities of homes that something was captured of."""
        return {
            name: present()
            for name, present in self._present.items()
            if self._followed[name]() is not None
        }

    async def _async_store_removals(self) -> None:
        await self._removals_store.async_save(
            {name: content for name, each in self._removals.items() if (content := each.content())}
        )

    async def _save_entities(self, entities: dict[str, StoredEntities]) -> None:
        if entities != self._entities:
            self._entities = entities
            content = {name: each.content() for name, each in entities.items()}
            await self._entities_store.async_save(content)


WATERMARKS: HassKey[Watermarks] = HassKey(f"{DOMAIN}_remote_watermarks")


async def async_watermarks(hass: HomeAssistant) -> Watermarks:
    """Return those of this Home Assistant."""
    if WATERMARKS not in hass.data:
        watermarks = Watermarks(hass)
        await watermarks.async_load()
        hass.data.setdefault(WATERMARKS, watermarks)
    return hass.data[WATERMARKS]
