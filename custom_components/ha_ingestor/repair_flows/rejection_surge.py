"""Lets points go into quarantine although nearly all are refused, once the user agrees."""

from typing import override

from ..coordinator import HaIngestorConfigEntry
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown
from .confirmed import ConfirmedRepair


class RepairRejectionSurge(ConfirmedRepair):
    """Says why they are refused, and has them put aside."""

    @override
    def _repair(self, entry: HaIngestorConfigEntry) -> None:
        entry.runtime_data.pipeline.quarantine_all()

    @override
    def _placeholders(self, entry: HaIngestorConfigEntry) -> dict[str, str]:
        detail = entry.runtime_data.pipeline.export_state.detail
        return super()._placeholders(entry) | {"detail": markdown(async_said(self.hass, detail))}
