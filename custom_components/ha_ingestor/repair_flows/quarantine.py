"""Asks what shall be done about points that are refused: leave out their entity or attribute."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlowResult

from ..coordinator import HaIngestorConfigEntry
from ..health.rejected_point import attribute_of, entity_of
from ..health.server_text import markdown, plain
from ..options.attributes import dropping
from ..options.core import CORE, ignoring
from ..options.exclude import excluding
from ..options.points import HOMEIQ, profile_name
from ..tasks.shielded import async_shielded
from .loaded import LoadedRepair

# What a profile puts in front of the names of attributes.
_PREFIX: Final[Mapping[str, str]] = {HOMEIQ: "attr_"}


class RepairQuarantine(LoadedRepair):
    """Offer what would help; the points in quarantine stay there."""

    def __init__(self, entry_id: str) -> None:
        """Prepare the repair of one destination."""
        super().__init__(entry_id)
        self._entity = ""
        self._attribute = ""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask what to do."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        snapshot = await entry.runtime_data.coordinator.async_snapshot()
        if snapshot.rejection is None:
            return self.async_abort(reason="nothing_refused")
        self._entity = entity_of(snapshot.rejection)
        if state := self.hass.states.get(self._entity):
            prefix = _PREFIX.get(profile_name(entry.options), "")
            self._attribute = attribute_of(snapshot.rejection, state.attributes, prefix)
        offers = {"ignore_attribute": self._attribute, "exclude_entity": self._entity}
        return self.async_show_menu(
            step_id="init",
            menu_options=[*(offer for offer, subject in offers.items() if subject), "dismiss"],
            description_placeholders={
                "title": plain(entry.title),
                "entity": plain(self._entity) or "?",
                "attribute": plain(self._attribute),
                "reason": markdown(snapshot.rejection.reason),
                "count": str(snapshot.ledger["quarantined"]),
            },
        )

    async def async_step_exclude_entity(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Exclude the entity."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        return await self._async_store(entry, excluding(entry.options, self._entity))

    async def async_step_ignore_attribute(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Leave the attribute out, of all entities."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        without = ignoring if profile_name(entry.options) == CORE else dropping
        return await self._async_store(entry, without(entry.options, self._attribute))

    async def async_step_dismiss(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Clear the issue until another point is rejected."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        forget = entry.runtime_data.coordinator.async_forget_rejection()
        await async_shielded(self.hass, forget, "ha_ingestor repair")
        return self.async_create_entry(data={})

    async def _async_store(
        self, entry: HaIngestorConfigEntry, options: Mapping[str, Any]
    ) -> RepairsFlowResult:
        """Store the options, which reloads the destination."""

        async def store() -> None:
            await entry.runtime_data.coordinator.async_forget_rejection()
            self.hass.config_entries.async_update_entry(entry, options=options)

        await async_shielded(self.hass, store(), "ha_ingestor repair")
        return self.async_create_entry(data={})
