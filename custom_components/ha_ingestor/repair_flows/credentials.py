"""Asks for new credentials where a dialogue that is open keeps Home Assistant from asking."""

from homeassistant.components.repairs import RepairsFlowResult

from ..health.credentials import async_ask_instead
from ..health.server_text import markdown
from .loaded import LoadedRepair


class RepairCredentials(LoadedRepair):
    """Say why nobody asks, and close what keeps Home Assistant from it."""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask once."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            async_ask_instead(self.hass, entry)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={"destination": markdown(self._title(entry))},
        )
