"""The repairs that we can do ourselves, once the user agrees."""

from collections.abc import Callable, Mapping
from typing import Final

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.core import HomeAssistant

from .data_api.coordinator import UNAUTHORIZED
from .health.issues.issues import CREDENTIALS_REFUSED, QUARANTINED
from .health.issues.remote import GIVEN_UP as REMOTE_GIVEN_UP
from .health.issues.remote import UNAUTHORIZED as REMOTE_UNAUTHORIZED
from .pipeline.export.result import Problem
from .repair_flows.credentials import RepairCredentials
from .repair_flows.data_api import RepairDataApiKey
from .repair_flows.destination import RepairDestination
from .repair_flows.quarantine import RepairQuarantine
from .repair_flows.rejection_surge import RepairRejectionSurge
from .repair_flows.remote import RepairRemote

# The repairs that need to know nothing but the destination.
REPAIRS: Final[Mapping[str, Callable[[str], RepairsFlow]]] = {
    UNAUTHORIZED: RepairDataApiKey,
    CREDENTIALS_REFUSED: RepairCredentials,
    QUARANTINED: RepairQuarantine,
    Problem.REJECTION_SURGE: RepairRejectionSurge,
}


async def async_create_fix_flow(
    _hass: HomeAssistant, _issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Make the flow for one issue."""
    if data is None:
        return ConfirmRepairFlow()  # there is nothing to do but to take note
    entry_id, problem = str(data["entry_id"]), str(data["problem"])
    if problem in {REMOTE_UNAUTHORIZED, REMOTE_GIVEN_UP}:
        return RepairRemote(entry_id, str(data["subentry_id"]), problem)
    if repair := REPAIRS.get(problem):
        return repair(entry_id)
    return RepairDestination(entry_id, Problem(problem))
