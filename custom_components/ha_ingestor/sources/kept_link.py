"""A connection that outlives the reload of its destination."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

# A connection is kept so long for the next set-up of its destination.
KEEP_SECONDS: Final = 60.0

type End = Callable[[datetime], Coroutine[Any, Any, None] | None]


@dataclass(slots=True, kw_only=True)
class KeptLink[L]:
    """A connection, the entry that it belongs to, and its end if no set-up takes it over."""

    link: L
    entry_id: str
    _cancel_end: CALLBACK_TYPE | None = None

    @property
    def is_ending(self) -> bool:
        """Whether the connection waits for a set-up."""
        return self._cancel_end is not None

    @callback
    def async_end_later(self, hass: HomeAssistant, end: End) -> None:
        """Have `end` called, unless a set-up takes the connection over."""
        job = HassJob(end, cancel_on_shutdown=True)
        self._cancel_end = async_call_later(hass, KEEP_SECONDS, job)

    @callback
    def async_cancel_end(self) -> None:
        """Call no `end` any more."""
        if self._cancel_end:
            self._cancel_end()
            self._cancel_end = None
