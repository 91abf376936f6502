"""A repair of one destination, which may be gone by the time that somebody opens it."""

from typing import cast

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState

from ..coordinator import HaIngestorConfigEntry
from ..health.texts.place import distinct_title
from ..health.texts.server_text import plain


class LoadedRepair(RepairsFlow):
    """A repair that needs its destination to run."""

    def __init__(self, entry_id: str) -> None:
        """Prepare the repair of one destination."""
        self._entry_id = entry_id

    @property
    def _entry(self) -> HaIngestorConfigEntry | None:
        """The destination, unless it was removed or does not run."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        # What a failed set-up has built is there, but does not run.
        is_loaded = entry is not None and entry.state is ConfigEntryState.LOADED
        return cast("HaIngestorConfigEntry", entry) if is_loaded else None

    def _title(self, entry: HaIngestorConfigEntry) -> str:
        """Return the title of a destination, as text that is no markup."""
        return plain(distinct_title(self.hass, entry))
