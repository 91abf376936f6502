"""The health of one data-api, and its repair issues."""

from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..clients.data_api.problem import NOT_A_DATA_API
from ..connection import async_data_api
from ..const import DOMAIN, LOGGER, SUBENTRY_DATA_API, SUBENTRY_REMOTE
from ..health.issues.issues import Issue, async_update_issues
from ..options.data_api import refresh_seconds
from ..pipeline.export.result import Problem
from .requests import Client
from .runner import RegistrySync
from .sync import SyncState

if TYPE_CHECKING:
    from ..coordinator import HaIngestorConfigEntry

ISSUE_PREFIX: Final = "data_api_"
UNAUTHORIZED: Final = "data_api_unauthorized"
WRONG_SERVICE: Final = "data_api_wrong_service"
ROWS_REJECTED: Final = "rows_rejected"
ACTIONS_UNDESCRIBED: Final = "actions_undescribed"

PAGE: Final = "data-api.md#what-is-sent"

# A page instead of the server is normal while that starts. After so many attempts, some five
# minutes, the user has to act.
PAGES_MAX: Final = 10

# Problems that end only when the user changes something.
BLOCKING: Final = {
    Problem.INVALID_AUTH: Issue(key=UNAUTHORIZED, is_fixable=True, is_blocking=True, page=PAGE),
    Problem.FORBIDDEN: Issue(key=UNAUTHORIZED, is_fixable=True, is_blocking=True, page=PAGE),
    NOT_A_DATA_API: Issue(key=WRONG_SERVICE, is_blocking=True, page=PAGE),
    Problem.REDIRECT: Issue(key=WRONG_SERVICE, is_blocking=True, page=PAGE),
}


def issues_of(state: SyncState, undescribed: str = "") -> list[Issue]:
    """Return the issues of this state."""
    found = [BLOCKING[state.problem]] if state.problem in BLOCKING else []
    if state.problem is Problem.PROXY and state.attempts >= PAGES_MAX:
        found.append(Issue(key=WRONG_SERVICE, is_blocking=True, page=PAGE))
    if undescribed:
        found.append(
            Issue(key=ACTIONS_UNDESCRIBED, page=PAGE, placeholders={"detail": undescribed})
        )
    if state.rejections:
        first = state.rejections[0]
        placeholders = {
            "row": first.key,
            "reason": first.reason,
            "count": str(state.rows_rejected),
        }
        found.append(
            Issue(key=ROWS_REJECTED, page=PAGE, view="registries", placeholders=placeholders)
        )
    return found


class RegistryCoordinator(DataUpdateCoordinator[SyncState]):
    """Publishes the state of the sync."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HaIngestorConfigEntry,
        subentry: ConfigSubentry,
        client: Client,
    ) -> None:
        """Watch the sync that it makes."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} registries",
            always_update=False,
        )
        self.subentry = subentry
        self.sync = RegistrySync(
            hass,
            client,
            on_change=self._async_sync_ended,
            refresh=refresh_seconds(subentry.data),
            entry_id=entry.entry_id,
            instances=[
                each.data[CONF_NAME] for each in entry.get_subentries_of_type(SUBENTRY_REMOTE)
            ],
        )
        self.data = self.sync.state
        self._entry = entry

    @callback
    def async_start(self) -> None:
        """Begin."""
        self.sync.async_start()

    async def async_stop(self) -> None:
        """Stop; repair issues stay until the next start."""
        await self.sync.async_stop()

    @override
    async def _async_update_data(self) -> SyncState:
        return self.sync.state

    @callback
    def _async_sync_ended(self) -> None:
        """Show the end of a sync at once."""
        state = self.sync.state
        if state.connected != self.data.connected:
            self._log(state)
        async_update_issues(
            self.hass,
            self._entry.entry_id,
            {"title": self.subentry.title, "server": self.subentry.data[CONF_URL]},
            issues_of(state, self.sync.undescribed),
            prefix=ISSUE_PREFIX,
        )
        self.async_set_updated_data(state)

    def _log(self, state: SyncState) -> None:
        """Log once that the server is unavailable, and once that it is back."""
        if state.connected is False:
            LOGGER.info("%s does not answer as it should: %s", self.subentry.title, state.problem)
        elif self.data.connected is False:
            LOGGER.info("%s takes the registries again", self.subentry.title)


async def async_registries(
    hass: HomeAssistant, entry: HaIngestorConfigEntry
) -> RegistryCoordinator | None:
    """Prepare the sync with the data-api of a destination, if it has one; raises AddressError."""
    for subentry in entry.get_subentries_of_type(SUBENTRY_DATA_API):
        client = await async_data_api(hass, subentry.data)
        return RegistryCoordinator(hass, entry, subentry, client)
    async_clear_issues(hass, entry)
    return None


@callback
def async_clear_issues(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Clear all issues."""
    async_update_issues(hass, entry.entry_id, {}, [], prefix=ISSUE_PREFIX)
