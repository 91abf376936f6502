"""The dialogue that connects a data-api to a destination, and changes the connection later."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from yarl import URL

from ..clients.address import AddressError, normalize
from ..connection import async_data_api, try_at_once
from ..const import CONF_REFRESH, SUBENTRY_DATA_API
from ..health.server_text import plain
from ..options.number import Number, OptionError, accepted_numbers, bounded_numbers
from ..pipeline.export.result import Problem
from ..pipeline.export.result import Result as Verdict

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

# A whole sync makes the server look at every device again.
REFRESH_MIN: Final = 5
REFRESH_MAX: Final = 24 * 60
REFRESH_DEFAULT: Final = 30

API_KEY_SELECTOR: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_URL): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url")
        ),
        vol.Optional(CONF_API_KEY): API_KEY_SELECTOR,
        vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
        vol.Required(CONF_REFRESH, default=REFRESH_DEFAULT): Number(
            REFRESH_MIN, REFRESH_MAX, step=1, unit=UnitOfTime.MINUTES
        ),
    }
)

# The words for a database say something else here.
ERRORS: Final = {
    Problem.FORBIDDEN: "invalid_auth",
    Problem.NOT_A_DATABASE: "wrong_service",
    Problem.PROXY: "wrong_service",
    Problem.TOO_LARGE: "wrong_service",
    Problem.BUSY: "server_error",
}


def errors_of(verdict: Verdict) -> dict[str, str]:
    """Say at which field of a form a probe failed."""
    if verdict.problem is Problem.NONE:
        return {}
    error = ERRORS.get(verdict.problem, verdict.problem.value)
    return {CONF_API_KEY if error == "invalid_auth" else CONF_URL: error}


def refresh_seconds(data: Mapping[str, Any]) -> float:
    """Read after how many seconds everything is sent again."""
    return float(_stored(data)[CONF_REFRESH]) * 60


def _stored(data: Mapping[str, Any]) -> dict[str, Any]:
    return bounded_numbers(SCHEMA, data, {CONF_REFRESH: REFRESH_DEFAULT})


async def async_probe(hass: HomeAssistant, data: Mapping[str, Any]) -> Verdict:
    """Ask the server whether it is one and takes the key; raises AddressError."""
    return await (await async_data_api(hass, data)).probe()


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
                verdict = await async_probe(self.hass, data)
            except AddressError as err:
                errors = {CONF_URL: str(err)}
            except OptionError as err:
                errors, told = {err.field: err.reason}, {**told, **err.more}
            else:
                errors, told = errors_of(verdict), {**told, "detail": plain(verdict.detail)}
            if not errors:
                return self._finish(data)
        # What was just entered stays in the form; what is stored is not shown.
        shown = user_input or {**_stored(stored), CONF_API_KEY: ""}
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
