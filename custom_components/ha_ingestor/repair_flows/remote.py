"""Begins again with a remote home: with another token, or just once more."""

from types import MappingProxyType
from typing import Any, Final

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_TOKEN

from ..clients.homeassistant.errors import HomeAssistantError
from ..connection import CertificateError
from ..coordinator import HaIngestorConfigEntry
from ..flows.remote import TOKEN_SELECTOR
from ..flows.remote_probe import async_find
from ..health.issues.remote import UNAUTHORIZED
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown, plain

TOKEN_SCHEMA: Final = vol.Schema({vol.Required(CONF_TOKEN): TOKEN_SELECTOR})
NOTHING: Final = vol.Schema({})


class RepairRemote(RepairsFlow):
    """Ask until the home answers; only a refused token is asked for."""

    def __init__(self, entry_id: str, subentry_id: str, problem: str) -> None:
        """Prepare the repair for one remote home."""
        self._entry_id = entry_id
        self._subentry_id = subentry_id
        self._wants_token = problem == UNAUTHORIZED

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for the token, or whether to try again."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        subentry = entry.subentries.get(self._subentry_id) if entry else None
        if entry is None or subentry is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        detail = ""
        if user_input is not None:
            data = {**subentry.data}
            if self._wants_token:
                data[CONF_TOKEN] = user_input[CONF_TOKEN].strip()
            try:
                await async_find(self.hass, data)
            except HomeAssistantError as err:
                errors, detail = {"base": err.problem}, err.detail
            except CertificateError, ValueError:
                return self.async_abort(reason="not_loaded")
            else:
                self._begin_again(entry, subentry, data)
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=TOKEN_SCHEMA if self._wants_token else NOTHING,
            errors=errors,
            description_placeholders={
                "destination": markdown(subentry.title),
                "detail": plain(async_said(self.hass, detail)),
            },
        )

    def _begin_again(
        self, entry: HaIngestorConfigEntry, subentry: ConfigSubentry, data: dict[str, Any]
    ) -> None:
        """Use what works: what is changed by a reload, what is not by the connection itself."""
        is_changed = self.hass.config_entries.async_update_subentry(
            entry, subentry, data=MappingProxyType(data)
        )
        if not is_changed and entry.state is ConfigEntryState.LOADED:
            entry.runtime_data.remotes.async_begin_again(self._subentry_id)
