"""Up to when each remote home was captured, across restarts of this home.

What a home sends comes in the order in which it happened, so one moment of its clock says which of
its states were captured before.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN

# What was captured is on the disk long before: what is stored was true one interval ago.
INTERVAL: Final = timedelta(seconds=30)
# Of a home that nothing is stored of so far: a kill before that would leave no gap to be filled.
FIRST_SECONDS: Final = 5.0
VERSION: Final = 1
KEY: Final = f"{DOMAIN}.remotes"

type Newest = Callable[[], float | None]
type Note = Callable[[datetime], Coroutine[None, None, None]]


class Watermarks:
    """Stores the moments of all remote homes, by subentry."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare."""
        self._hass = hass
        self._store = Store[dict[str, float]](hass, VERSION, KEY)
        self._stored: dict[str, float] = {}
        self._followed: dict[str, Newest] = {}
        self._before: dict[str, float] = {}
        self._stop: CALLBACK_TYPE | None = None

    async def async_load(self) -> None:
        """Read what was stored."""
        stored: object = await self._store.async_load()
        # Whatever is in a damaged file must not keep a destination from its start.
        self._stored = {
            str(subentry_id): float(moment)
            for subentry_id, moment in (stored.items() if isinstance(stored, dict) else ())
            if isinstance(moment, (int, float))
        }

    def newest(self, subentry_id: str) -> float | None:
        """Return up to when a home was captured; None if that is not known."""
        return self._stored.get(subentry_id)

    @callback
    def async_follow(self, subentry_id: str, newest: Newest) -> None:
        """Store the moments of a home from now on."""
        self._followed[subentry_id] = newest
        if subentry_id not in self._stored:
            self._async_later(self._async_note_first)
        if self._stop is None:
            self._stop = async_track_time_interval(
                self._hass, self._async_note, INTERVAL, cancel_on_shutdown=True
            )

    async def async_leave(self, subentry_id: str, *, is_removed: bool = False) -> None:
        """Store what was captured at last, or nothing more of a home that was removed."""
        newest = self._followed.pop(subentry_id, None)
        self._before.pop(subentry_id, None)
        if is_removed:
            self._stored.pop(subentry_id, None)
        elif newest and (moment := newest()) is not None:
            self._stored[subentry_id] = moment
        if not self._followed and self._stop:
            self._stop()
            self._stop = None
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
        stored = self._stored | before
        if stored != self._stored:
            self._stored = stored
            await self._store.async_save(stored)


WATERMARKS: HassKey[Watermarks] = HassKey(f"{DOMAIN}_remote_watermarks")


async def async_watermarks(hass: HomeAssistant) -> Watermarks:
    """Return those of this Home Assistant."""
    if WATERMARKS not in hass.data:
        watermarks = Watermarks(hass)
        await watermarks.async_load()
        hass.data.setdefault(WATERMARKS, watermarks)
    return hass.data[WATERMARKS]
