"""Asks for new credentials where a dialogue that is open keeps Home Assistant from asking."""

from typing import override

from ..coordinator import HaIngestorConfigEntry
from ..health.issues.credentials import async_ask_instead
from .confirmed import ConfirmedRepair


class RepairCredentials(ConfirmedRepair):
    """Says why nobody asks, and closes what keeps Home Assistant from it."""

    @override
    def _repair(self, entry: HaIngestorConfigEntry) -> None:
        async_ask_instead(self.hass, entry)
