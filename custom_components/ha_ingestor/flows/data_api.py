"""The dialogue that connects a data-api to a destination, and changes the connection later."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from yarl import URL

from ..clients.address import AddressError, normalize
from ..connection import async_probe_data_api, try_at_once
from ..const import CONF_REFRESH, SUBENTRY_DATA_API
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import plain
from ..options.data_api import (
    API_KEY_SELECTOR,
    REFRESH,
    REFRESH_DEFAULT,
    probe_errors,
    refresh_minutes,
)
from ..options.number import OptionError, accepted_numbers

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_URL): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url")
        ),
        vol.Optional(CONF_API_KEY): API_KEY_SELECTOR,
        vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
        vol.Required(CONF_REFRESH, default=REFRESH_DEFAULT): REFRESH,
    }
)


class DataApiFlow(ConfigSubentryFlow):
    """One form; it is left when the server has answered as one."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where it is."""
        if any(self._get_entry().get_subentries_of_type(SUBENTRY_DATA_API)):
            return self.async_abort(reason="already_configured")
        return await self._async_form("user", user_input, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask again, with what is known filled in."""
        stored = self._get_reconfigure_subentry().data
        return await self._async_form("reconfigure", user_input, stored)

    async def _async_form(
        self, step_id: str, user_input: dict[str, Any] | None, stored: Mapping[str, Any]
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        told = {"detail": "", "example": "http://homeiq.local:8006"}
        if user_input is not None:
            try:
                data = _data(accepted_numbers(SCHEMA, user_input), stored)
                verdict = await async_probe_data_api(self.hass, data)
            except AddressError as err:
                errors = {CONF_URL: str(err)}
            except OptionError as err:
                errors, told = {err.field: err.reason}, {**told, **err.more}
            else:
                errors = probe_errors(verdict)
                told["detail"] = plain(async_said(self.hass, verdict.detail))
            if not errors:
                return self._finish(data)
        # What was just entered stays in the form; what is stored is not shown.
        shown = user_input or {
            **stored,
            CONF_REFRESH: refresh_minutes(stored),
            CONF_API_KEY: "",
        }
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SCHEMA, shown),
            errors=errors,
            description_placeholders=told,
        )

    def _finish(self, data: dict[str, Any]) -> SubentryFlowResult:
        title = f"data-api on {URL(data[CONF_URL]).host}"
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=title, data=data, unique_id=SUBENTRY_DATA_API)
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        is_changed = subentry.data != data or subentry.title != title
        result = self.async_update_and_abort(entry, subentry, title=title, data=data)
        try_at_once(self.hass, entry, is_changed=is_changed)
        return result


def _data(entered: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Tidy what was entered; an empty key means the stored one, but at the same address only."""
    url = normalize(entered[CONF_URL])
    kept = stored[CONF_API_KEY] if stored and stored[CONF_URL] == url else ""
    return {
        CONF_URL: url,
        CONF_API_KEY: entered.get(CONF_API_KEY, "").strip() or kept,
        CONF_VERIFY_SSL: entered[CONF_VERIFY_SSL],
        CONF_REFRESH: entered[CONF_REFRESH],
    }
