"""Asks what shall be done about points that are refused."""

from collections.abc import Coroutine, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlowResult
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig

from ..coordinator import HaIngestorConfigEntry
from ..health.issues.issues import entities_text, panel_url
from ..health.refused_entities import RECORDS_READ
from ..health.rejected_point import attribute_of, entities_of, entity_of, subject_of, subjects_of
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown, plain
from ..options.attributes import dropping
from ..options.core import CORE, ignoring
from ..options.exclude import excluding
from ..options.points import HOMEIQ, profile_name
from ..tasks.shielded import async_shielded
from .loaded import LoadedRepair

# What a profile puts in front of the names of attributes.
_PREFIX: Final[Mapping[str, str]] = {HOMEIQ: "attr_"}
_ENTITIES: Final = "entities"


class RepairQuarantine(LoadedRepair):
    """Leave out what is refused, deliver or delete what is in quarantine, or do nothing."""

    def __init__(self, entry_id: str) -> None:
        """Prepare the repair of one destination."""
        super().__init__(entry_id)
        self._entities: list[str] = []
        self._attribute = ""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask what to do."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        runtime = entry.runtime_data
        snapshot = await runtime.coordinator.async_snapshot()
        if snapshot.rejection is None:
            return self.async_abort(reason="nothing_refused")
        newest = entity_of(snapshot.rejection.line)
        self._entities = [newest] if newest else []
        subjects = [subject_of(snapshot.rejection.line)]
        try:
            records, _ = await runtime.pipeline.quarantine.newest_records(RECORDS_READ)
        except OSError:
            pass  # the newest one is known all the same
        else:
            self._entities = list(dict.fromkeys([*self._entities, *entities_of(records)]))
            subjects = list(dict.fromkeys([*subjects, *subjects_of(records)]))
        if state := self.hass.states.get(newest):
            prefix = _PREFIX.get(profile_name(entry.options), "")
            self._attribute = attribute_of(snapshot.rejection, state.attributes, prefix)
        offers = {"ignore_attribute": self._attribute, "exclude_entity": self._entities}
        return self.async_show_menu(
            step_id="init",
            menu_options=[
                *(offer for offer, subject in offers.items() if subject),
                *("replay", "purge", "dismiss"),
            ],
            description_placeholders={
                "title": self._title(entry),
                "entities": plain(entities_text(subjects)),
                "attribute": plain(self._attribute),
                "reason": markdown(async_said(self.hass, snapshot.rejection.reason)),
                "count": str(snapshot.ledger["quarantined"]),
                "panel": panel_url("problems", entry.entry_id),
            },
        )

    async def async_step_exclude_entity(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Exclude the entity, or those that are chosen of several."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        chosen = self._entities if user_input is None else user_input[_ENTITIES]
        if user_input is None and len(self._entities) > 1:
            choice = SelectSelector(SelectSelectorConfig(options=self._entities, multiple=True))
            return self.async_show_form(
                step_id="exclude_entity",
                data_schema=vol.Schema({vol.Required(_ENTITIES, default=self._entities): choice}),
                description_placeholders={"title": self._title(entry)},
            )
        return await self._async_store(entry, excluding(entry.options, *chosen))

    async def async_step_ignore_attribute(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Leave the attribute out, of all entities."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        without = ignoring if profile_name(entry.options) == CORE else dropping
        return await self._async_store(entry, without(entry.options, self._attribute))

    async def async_step_replay(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Deliver what is in quarantine once more."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        return await self._async_empty(entry, entry.runtime_data.pipeline.quarantine.replay())

    async def async_step_purge(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Delete what is in quarantine."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        return await self._async_empty(entry, entry.runtime_data.pipeline.quarantine.purge())

    async def async_step_dismiss(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Clear the issue until another point is rejected."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        forget = entry.runtime_data.coordinator.async_forget_rejection()
        await async_shielded(self.hass, forget, "ha_ingestor repair")
        return self.async_create_entry(data={})

    async def _async_empty(
        self, entry: HaIngestorConfigEntry, work: Coroutine[Any, Any, int]
    ) -> RepairsFlowResult:
        # Before the first wait: the entry may be unloaded meanwhile.
        coordinator = entry.runtime_data.coordinator

        async def empty() -> None:
            await work
            await coordinator.async_forget_rejection()

        try:
            await async_shielded(self.hass, empty(), "ha_ingestor repair")
        except OSError:
            return self.async_abort(reason="disk")  # and the issue stays
        return self.async_create_entry(data={})

    async def _async_store(
        self, entry: HaIngestorConfigEntry, options: Mapping[str, Any]
    ) -> RepairsFlowResult:
        """Store the options, which reloads the destination."""
        forget = entry.runtime_data.coordinator.async_forget_rejection()
        await async_shielded(self.hass, forget, "ha_ingestor repair")
        if self.hass.config_entries.async_get_entry(entry.entry_id) is None:
            return self.async_abort(reason="not_loaded")
        self.hass.config_entries.async_update_entry(entry, options=options)
        return self.async_create_entry(data={})
