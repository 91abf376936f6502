"""Creates what a destination lacks, once the user agrees."""

from homeassistant.components.repairs import RepairsFlowResult

from ..connection import async_administrator
from ..coordinator import HaIngestorConfigEntry
from ..health.server_text import plain
from ..pipeline.export.result import Kind, Problem, Result
from ..tasks.shielded import async_shielded
from .loaded import LoadedRepair


class RepairDestination(LoadedRepair):
    """Ask once, then create what is missing."""

    def __init__(self, entry_id: str, problem: Problem) -> None:
        """Prepare the repair of one destination."""
        super().__init__(entry_id)
        self._problem = problem

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and repair."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        placeholders = {"title": plain(entry.title), "detail": ""}
        errors: dict[str, str] = {}
        if user_input is not None:
            verdict = await async_shielded(self.hass, self._create(entry), "ha_ingestor repair")
            if verdict.kind is Kind.ACCEPTED:
                return self.async_create_entry(data={})
            errors["base"] = "not_created"
            placeholders["detail"] = plain(f"{verdict.problem}: {verdict.detail}")
        return self.async_show_form(
            step_id="confirm", errors=errors, description_placeholders=placeholders
        )

    async def _create(self, entry: HaIngestorConfigEntry) -> Result:
        """Create what is missing, and deliver at once when it is there."""
        administrator = await async_administrator(self.hass, entry.data)
        verdict = await administrator.create_missing()
        if verdict.kind is Kind.ACCEPTED:
            await entry.runtime_data.pipeline.flush()
        return verdict
