"""Lets points go into quarantine although nearly all are refused, once the user agrees."""

from homeassistant.components.repairs import RepairsFlowResult

from ..health.own_reasons import async_said
from ..health.place import distinct_title
from ..health.server_text import markdown
from .loaded import LoadedRepair


class RepairRejectionSurge(LoadedRepair):
    """Say why they are refused, and ask once."""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and put them aside."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            entry.runtime_data.pipeline.quarantine_all()
            return self.async_create_entry(data={})
        detail = entry.runtime_data.pipeline.export_state.detail
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={
                "destination": markdown(distinct_title(self.hass, entry)),
                "detail": markdown(async_said(self.hass, detail)),
            },
        )
