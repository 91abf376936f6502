"""The automation, script or user that caused a change."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.auth import EVENT_USER_ADDED, EVENT_USER_REMOVED, EVENT_USER_UPDATED
from homeassistant.components.automation import EVENT_AUTOMATION_TRIGGERED
from homeassistant.components.script import EVENT_SCRIPT_STARTED
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback

# Hours of the busiest home. What a run changes, it changes soon.
CAUSES_MAX: Final = 5_000

RUNS: Final = (EVENT_AUTOMATION_TRIGGERED, EVENT_SCRIPT_STARTED)
_USERS: Final = (EVENT_USER_ADDED, EVENT_USER_UPDATED, EVENT_USER_REMOVED)


class Attribution:
    """Which automation or script ran in which context, and the names of users.

    Both mappings change in the event loop, one entry at a time, so any thread may look up in them.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start empty."""
        self.causes: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self._hass = hass
        self._stops: list[CALLBACK_TYPE] = []

    async def async_start(self) -> CALLBACK_TYPE:
        """Subscribe to automations, scripts and users, until the returned function is called."""
        if not self._stops:
            listen = self._hass.bus.async_listen
            self._stops = [
                *(listen(event_type, self._async_ran) for event_type in RUNS),
                *(listen(event_type, self._async_read_users) for event_type in _USERS),
            ]
        await self._async_read_users()
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Follow nothing more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()

    @callback
    def async_note(self, context_id: str, data: Mapping[str, Any]) -> None:
        """Keep what ran in a context, of this home or another one."""
        # A script that an automation calls has its context: the automation was there first.
        entity_id = data.get("entity_id")
        if isinstance(entity_id, str):
            self.causes.setdefault(context_id, entity_id)
        if len(self.causes) > CAUSES_MAX:
            del self.causes[next(iter(self.causes))]

    @callback
    def _async_ran(self, event: Event[dict[str, Any]]) -> None:
        self.async_note(event.context.id, event.data)

    async def _async_read_users(self, _event: Event[Any] | None = None) -> None:
        users = await self._hass.auth.async_get_users()
        self.users.update((user.id, user.name) for user in users if user.name)
        for user_id in self.users.keys() - {user.id for user in users if user.name}:
            del self.users[user_id]
