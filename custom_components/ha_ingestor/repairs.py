"""The repairs that we can do ourselves, once the user agrees."""

from typing import cast

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant

from .connection import async_administrator
from .coordinator import HaIngestorConfigEntry
from .data_api.coordinator import UNAUTHORIZED
from .health.issues import QUARANTINED
from .health.server_text import plain
from .pipeline.export.result import Kind, Problem
from .pipeline.export.result import Result as Verdict
from .repair_flows.data_api import RepairDataApiKey
from .repair_flows.quarantine import RepairQuarantine
from .tasks.whole import async_whole


class RepairDestination(RepairsFlow):
    """Ask once, then create what is missing or let the refused points go."""

    def __init__(self, entry_id: str, problem: Problem) -> None:
        """Prepare the repair of one destination."""
        self._entry_id = entry_id
        self._problem = problem

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and repair."""
        entry = cast(
            "HaIngestorConfigEntry | None",
            self.hass.config_entries.async_get_entry(self._entry_id),
        )
        if entry is None or not hasattr(entry, "runtime_data"):
            return self.async_abort(reason="not_loaded")
        placeholders = {"title": plain(entry.title), "detail": ""}
        errors: dict[str, str] = {}
        if user_input is not None:
            if self._problem is Problem.STORM:
                entry.runtime_data.pipeline.quarantine_all()
                return self.async_create_entry(data={})
            verdict = await async_whole(self.hass, self._create(entry), "ha_ingestor repair")
            if verdict.kind is Kind.ACCEPTED:
                return self.async_create_entry(data={})
            errors["base"] = "not_created"
            placeholders["detail"] = plain(f"{verdict.problem}: {verdict.detail}")
        return self.async_show_form(
            step_id="confirm", errors=errors, description_placeholders=placeholders
        )

    async def _create(self, entry: HaIngestorConfigEntry) -> Verdict:
        """Create what is missing, and deliver at once when it is there."""
        administrator = await async_administrator(self.hass, entry.data)
        verdict = await administrator.create_missing()
        if verdict.kind is Kind.ACCEPTED:
            await entry.runtime_data.pipeline.flush()
        return verdict


async def async_create_fix_flow(
    _hass: HomeAssistant, _issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Make the flow for one issue."""
    if data is None:
        return ConfirmRepairFlow()  # there is nothing to do but to take note
    if data["problem"] == UNAUTHORIZED:
        return RepairDataApiKey(str(data["entry_id"]))
    if data["problem"] == QUARANTINED:
        return RepairQuarantine(str(data["entry_id"]))
    return RepairDestination(str(data["entry_id"]), Problem(str(data["problem"])))
