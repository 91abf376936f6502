"""A repair that asks once, and is done at once."""

from homeassistant.components.repairs import RepairsFlowResult

from ..coordinator import HaIngestorConfigEntry
from ..health.texts.place import distinct_title
from ..health.texts.server_text import markdown
from .loaded import LoadedRepair


class ConfirmedRepair(LoadedRepair):
    """Says what is wrong with a destination, and does something about it if the user agrees."""

    def _repair(self, entry: HaIngestorConfigEntry) -> None:
        """Do it."""
        raise NotImplementedError

    def _placeholders(self, entry: HaIngestorConfigEntry) -> dict[str, str]:
        """Complete the sentences."""
        return {"destination": markdown(distinct_title(self.hass, entry))}

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and repair."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            self._repair(entry)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm", description_placeholders=self._placeholders(entry)
        )
