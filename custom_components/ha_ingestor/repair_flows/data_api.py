"""Asks for the key that a data-api takes, when it refuses the one that is stored."""

from types import MappingProxyType
from typing import Final

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.const import CONF_API_KEY

from ..connection import CertificateError, async_probe_data_api, try_at_once
from ..const import SUBENTRY_DATA_API
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown, plain
from ..options.data_api import API_KEY_SELECTOR, probe_errors

SCHEMA: Final = vol.Schema({vol.Required(CONF_API_KEY): API_KEY_SELECTOR})


class RepairDataApiKey(RepairsFlow):
    """Ask until the server takes the key."""

    def __init__(self, entry_id: str) -> None:
        """Prepare the repair for one destination."""
        self._entry_id = entry_id

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for the key."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        subentries = entry.get_subentries_of_type(SUBENTRY_DATA_API) if entry else ()
        subentry = next(iter(subentries), None)
        if entry is None or subentry is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        detail = ""
        if user_input is not None:
            data = {**subentry.data, CONF_API_KEY: user_input[CONF_API_KEY].strip()}
            try:
                verdict = await async_probe_data_api(self.hass, data)
            except CertificateError, ValueError:
                return self.async_abort(reason="not_loaded")
            if not (errors := probe_errors(verdict)):
                is_changed = self.hass.config_entries.async_update_subentry(
                    entry, subentry, data=MappingProxyType(data)
                )
                try_at_once(self.hass, entry, is_changed=is_changed)
                return self.async_create_entry(data={})
            # The form has one field, and the address is not it.
            errors, detail = {"base": next(iter(errors.values()))}, verdict.detail
        return self.async_show_form(
            step_id="confirm",
            data_schema=SCHEMA,
            errors=errors,
            description_placeholders={
                "destination": markdown(subentry.title),
                "detail": plain(async_said(self.hass, detail)),
            },
        )
