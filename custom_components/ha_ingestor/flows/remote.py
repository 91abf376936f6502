"""The dialogue that adds another Home Assistant to a destination, and changes it later."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ..clients.address import AddressError, origin
from ..clients.homeassistant.errors import HomeAssistantError, Problem
from ..connection import CertificateError, only_certificates, try_at_once
from ..const import CONF_CA_CERTIFICATE, SUBENTRY_REMOTE
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import plain
from ..options.number import OptionError, accepted_numbers
from ..options.remote import accepted, schema, shown
from .destination import SECTION_ADVANCED, TLS_SECTION, URL_SELECTOR, address_form
from .remote_probe import Found, async_find

TOKEN_SELECTOR: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

EXAMPLE: Final = "http://homeassistant.local:8123"

# At which field of the form a problem is shown; the others are at the address.
FIELDS: Final = {Problem.INVALID_AUTH: CONF_TOKEN}


def address_schema(*, has_token: bool) -> vol.Schema:
    """Build the form of the address; a stored token may stay as it is."""
    token = vol.Optional if has_token else vol.Required
    return vol.Schema(
        {
            vol.Required(CONF_URL): URL_SELECTOR,
            token(CONF_TOKEN): TOKEN_SELECTOR,
            vol.Required(SECTION_ADVANCED): TLS_SECTION,
        }
    )


class RemoteFlow(ConfigSubentryFlow):
    """Where it is first, and when it has answered, what is captured of it."""

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[str, Any] = {}
        self._found: Found | None = None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where it is."""
        return await self._async_address("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask again, with what is known filled in."""
        return await self._async_address("reconfigure", user_input)

    async def async_step_capture(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what is captured."""
        found = self._found
        if found is None:
            return self.async_abort(reason="not_found")
        form = schema(found.registries)
        errors: dict[str, str] = {}
        told: dict[str, str] = {"invalid_value": ""}
        if user_input is not None:
            try:
                more = accepted(accepted_numbers(form, user_input), self._names())
            except OptionError as err:
                errors = {err.field: err.reason}
                told = {"invalid_value": err.invalid_value, **err.more}
            else:
                return self._finish({**self._data, **more}, found)
        values = user_input or shown(self._stored, found.location)
        return self.async_show_form(
            step_id="capture",
            data_schema=self.add_suggested_values_to_schema(form, values),
            errors=errors,
            description_placeholders={
                "location": plain(found.location),
                "entities": str(len(found.registries.entities)),
                **{name: plain(text) for name, text in told.items()},
            },
        )

    async def _async_address(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        detail = ""
        if user_input is not None:
            try:
                self._data = self._address_data(user_input)
                found = await async_find(self.hass, self._data)
            except AddressError as err:
                errors = {CONF_URL: str(err)}
            except CertificateError:
                errors = {"base": "invalid_certificate"}
            except HomeAssistantError as err:
                errors, detail = {FIELDS.get(err.problem, CONF_URL): err.problem}, err.detail
            else:
                if error := self._refusal(found):
                    errors = {CONF_URL: error}
                else:
                    self._found, self._data[CONF_URL] = found, found.url
                    return await self.async_step_capture()
        stored = self._stored
        shown_values = user_input or _shown_address(stored)
        form = address_form(address_schema(has_token=bool(stored)), shown_values, errors)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(form, shown_values),
            errors=errors,
            description_placeholders={
                "detail": plain(async_said(self.hass, detail)),
                "example": EXAMPLE,
            },
        )

    def _address_data(self, entered: Mapping[str, Any]) -> dict[str, Any]:
        """Tidy what was entered; an empty token means the stored one, but at the same place only.

        Raises AddressError and CertificateError.
        """
        advanced, stored, url = entered[SECTION_ADVANCED], self._stored, entered[CONF_URL].strip()
        token = entered.get(CONF_TOKEN, "").strip()
        if not token and stored and origin(stored[CONF_URL]) == origin(url):
            token = stored[CONF_TOKEN]
        pem = advanced.get(CONF_CA_CERTIFICATE, "").strip()
        certificates = only_certificates(pem)
        if pem and not certificates:
            raise CertificateError
        return {
            CONF_URL: url,
            CONF_TOKEN: token,
            CONF_VERIFY_SSL: advanced[CONF_VERIFY_SSL],
            CONF_CA_CERTIFICATE: certificates,
        }

    def _refusal(self, found: Found) -> str:
        """Say why this home cannot be added, if it cannot."""
        if self._get_entry().entry_id in found.registries.config_entries:
            return "this_home"
        others = (each.unique_id for each in self._others())
        return "already_added" if found.identity in others else ""

    @property
    def _stored(self) -> Mapping[str, Any]:
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_subentry().data
        return {}

    def _others(self) -> list[ConfigSubentry]:
        """Return the other remote homes of the destination."""
        this = ""
        if self.source == SOURCE_RECONFIGURE:
            this = self._get_reconfigure_subentry().subentry_id
        remotes = self._get_entry().get_subentries_of_type(SUBENTRY_REMOTE)
        return [each for each in remotes if each.subentry_id != this]

    def _names(self) -> set[str]:
        return {each.data[CONF_NAME] for each in self._others()}

    def _finish(self, data: dict[str, Any], found: Found) -> SubentryFlowResult:
        title = data[CONF_NAME]
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=title, data=data, unique_id=found.identity)
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        is_changed = subentry.data != data or subentry.title != title
        result = self.async_update_and_abort(
            entry, subentry, title=title, data=data, unique_id=found.identity
        )
        try_at_once(self.hass, entry, is_changed=is_changed)
        return result


def _shown_address(stored: Mapping[str, Any]) -> dict[str, Any]:
    advanced = {
        CONF_VERIFY_SSL: stored.get(CONF_VERIFY_SSL, True),
        CONF_CA_CERTIFICATE: stored.get(CONF_CA_CERTIFICATE, ""),
    }
    return {CONF_URL: stored.get(CONF_URL, ""), SECTION_ADVANCED: advanced}
