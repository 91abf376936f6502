"""The dialogue that connects a database, and repairs the connection later."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.core import callback

from .connection import try_at_once
from .const import DOMAIN, SUBENTRY_DATA_API, SUBENTRY_MQTT, SUBENTRY_REMOTE
from .coordinator import HaIngestorConfigEntry
from .flows.built_in import BuiltInFlow
from .flows.data_api import DataApiFlow
from .flows.destination import is_own_title, title, unique_id
from .flows.fields import CREDENTIALS, field_errors, merged, text_errors
from .flows.mqtt import MqttFlow
from .flows.options import HaIngestorOptionsFlow
from .flows.remote import RemoteFlow
from .options.core import CORE
from .pipeline.export.result import Problem


class HaIngestorConfigFlow(BuiltInFlow, domain=DOMAIN):
    """Address, credentials, names, profile; the steps are in the folder `flows`."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    def async_get_options_flow(_config_entry: HaIngestorConfigEntry) -> HaIngestorOptionsFlow:
        """Open the dialogue for behaviour."""
        return HaIngestorOptionsFlow()

    @classmethod
    @callback
    def async_get_supported_subentry_types(
        cls, _config_entry: HaIngestorConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Offer what a destination may have beside its database."""
        return {
            SUBENTRY_DATA_API: DataApiFlow,
            SUBENTRY_REMOTE: RemoteFlow,
            SUBENTRY_MQTT: MqttFlow,
        }

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the database is, or offer the one of the built-in integration."""
        if user_input is None and self._has_built_in():
            return await self.async_step_begin()
        return await self._async_address(user_input)

    async def async_step_begin(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose where to begin."""
        return self.async_show_menu(step_id="begin", menu_options=["built_in", "change_address"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask everything again, with what is known filled in."""
        if user_input is None:
            self._stored = self._get_reconfigure_entry().data
            self._data = dict(self._stored)
        return await self._async_address(user_input)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin anew with the credentials that the database refuses."""
        self._stored = entry_data
        self._data = dict(entry_data)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the credentials only."""
        step = "reauth_confirm"
        fields = tuple(field for field in CREDENTIALS[self._dialect] if field.credential)
        if user_input is None:
            return self._show_fields(step, fields)
        self._data = merged(fields, self._data, user_input, self._kept)
        if errors := text_errors(fields, self._data):
            return self._show_fields(step, fields, user_input, errors)
        result = await self._async_check()
        if result.problem is Problem.NONE:
            return self._renew(self._get_reauth_entry())
        errors = field_errors(result.problem, fields)
        return self._show_fields(step, fields, user_input, errors, result.detail)

    async def _async_connected(self) -> ConfigFlowResult:
        """Keep the destination, unless another entry has it; a new one still wants a profile."""
        other = await self.async_set_unique_id(unique_id(self._data), raise_on_progress=False)
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            if other is not entry:
                self._abort_if_unique_id_configured()
            own = is_own_title(entry.title, entry.data)
            name = title(self._data, self._titles(entry)) if own else entry.title
            return self._renew(entry, unique_id=self.unique_id, title=name)
        self._abort_if_unique_id_configured()
        if self._is_taken_over:
            return await self._async_with_profile(CORE)
        return await self.async_step_profile()

    async def _async_create_destination(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Create the entry, with which the first point is written."""
        # Another dialogue may have made the same one meanwhile.
        self._abort_if_unique_id_configured()
        name = title(self._data, self._titles())
        return self.async_create_entry(title=name, data=self._data, options=options)

    def _titles(self, but: HaIngestorConfigEntry | None = None) -> set[str]:
        """Return the titles that other destinations have."""
        entries = self.hass.config_entries.async_entries(DOMAIN)
        return {entry.title for entry in entries if entry is not but}

    def _renew(self, entry: HaIngestorConfigEntry, **changes: Any) -> ConfigFlowResult:
        """Store what works, and have the destination use it at once."""
        is_changed = entry.data != self._data
        result = self.async_update_and_abort(entry, data=self._data, **changes)
        try_at_once(self.hass, entry, is_changed=is_changed)
        return result
