"""The repair issues of one destination, out of all that is known of its condition."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ...pipeline.snapshot import Snapshot
from ..refused_entities import RefusedEntities
from ..remembered import RememberedHealth
from ..texts.place import database_of, distinct_title, server_of
from .deduplication import NO_DEDUPLICATION, Deduplication
from .ignored_rows import ROWS_IGNORED
from .issues import QUARANTINED, Issue, async_update_issues, health_issues, undecided_issues

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationIssues:
    """Creates and deletes them; what is not known yet leaves an issue as it is."""

    hass: HomeAssistant
    entry: HaIngestorConfigEntry
    refused: RefusedEntities
    deduplication: Deduplication
    remembered: RememberedHealth

    @callback
    def async_update(self, snapshot: Snapshot, unasked: list[Issue]) -> None:
        """Show the issues of this health, and those of credentials that nobody is asked for."""
        async_update_issues(
            self.hass,
            self.entry.entry_id,
            {
                "title": distinct_title(self.hass, self.entry),
                "database": database_of(self.entry.data),
                "server": server_of(self.entry.data),
            },
            [
                *health_issues(snapshot, self.refused.found),
                *self.deduplication.issues,
                *unasked,
            ],
            undecided=self._undecided(snapshot),
        )

    def _undecided(self, snapshot: Snapshot) -> set[str]:
        found = undecided_issues(snapshot)
        if not self.deduplication.is_known:
            found |= {NO_DEDUPLICATION, ROWS_IGNORED}
        if not self.remembered.is_rejection_known:
            found.add(QUARANTINED)
        return found
