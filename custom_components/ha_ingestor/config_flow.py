"""The dialogue that connects a database, and repairs the connection later."""

from collections.abc import Mapping
from functools import partialmethod
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .clients.address import AddressError, normalize
from .clients.influx.dialect import Dialect
from .clients.influx.probe import Probe, probe
from .connection import (
    ADDRESS_PROBLEMS,
    CONNECTION_PROBLEMS,
    PRODUCTS,
    CertificateError,
    async_client,
    async_ssl,
    only_certificates,
    try_at_once,
)
from .const import CONF_CA_CERTIFICATE, CONF_DIALECT, DOMAIN, SUBENTRY_DATA_API
from .flows.data_api import DataApiFlow
from .flows.destination import (
    ADDRESS_SCHEMA,
    AUTO,
    FIELDS,
    PROBE_ERRORS,
    REFUSED,
    Field,
    address_data,
    address_shown,
    blank,
    credentials_of,
    field_errors,
    merged,
    missing,
    schema,
    title,
    unique_id,
)
from .flows.options import HaIngestorOptionsFlow
from .health.server_text import plain
from .pipeline.export.result import Problem, Result

# The form of a database when it may leave the secrets as they are stored.
AGAIN: Final = "_again"


class HaIngestorConfigFlow(ConfigFlow, domain=DOMAIN):
    """Address first, then the form of the database found there, then a write of nothing."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[str, Any] = {}
        self._stored: Mapping[str, Any] = {}
        # The credentials entered last that were not refused, with the address they are for.
        self._entered: Mapping[str, Any] = {}
        self._server = ""

    @staticmethod
    @callback
    def async_get_options_flow(_config_entry: ConfigEntry) -> HaIngestorOptionsFlow:
        """Open the dialogue for behaviour."""
        return HaIngestorOptionsFlow()

    @classmethod
    @callback
    def async_get_supported_subentry_types(
        cls, _config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Offer what a destination may have beside its database."""
        return {SUBENTRY_DATA_API: DataApiFlow}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the database is."""
        return await self._async_address(user_input)

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
        dialect = Dialect(self._data[CONF_DIALECT])
        fields = tuple(field for field in FIELDS[dialect] if field.credential)
        if user_input is None:
            return self._show_fields("reauth_confirm", fields)
        self._data = merged(fields, self._data, user_input, self._kept)
        verdict = await self._async_check()
        if verdict.problem is Problem.NONE:
            return self._renew(self._get_reauth_entry())
        errors = field_errors(verdict.problem, fields)
        return self._show_fields("reauth_confirm", fields, user_input, errors, verdict.detail)

    async def _async_address(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Find the database at the address, unless the user says which one it is."""
        if user_input is None:
            return self._show_address({})
        wanted = user_input[CONF_DIALECT]
        self._data |= address_data(user_input)
        try:
            found = await self._async_probe()
        except AddressError as err:
            return self._show_address({CONF_URL: str(err)}, wanted=wanted)
        except CertificateError:
            return self._show_address({"base": "invalid_certificate"}, wanted=wanted)
        dialect = found.dialect if wanted == AUTO else Dialect(wanted)
        if dialect is None or found.problem in CONNECTION_PROBLEMS:
            error = PROBE_ERRORS.get(found.problem, found.problem)
            return self._show_address({CONF_URL: error}, wanted=wanted, detail=found.detail)
        known = found.version if found.dialect is dialect else ""
        self._server = f"{PRODUCTS[dialect].split()[0]} {known}" if known else PRODUCTS[dialect]
        self._data = blank(self._data, dialect)
        return await self._async_database(dialect, None)

    async def _async_probe(self) -> Probe:
        """Ask the server what it is; the address and the certificate are tidied on the way."""
        pem = self._data[CONF_CA_CERTIFICATE].strip()
        self._data[CONF_URL] = normalize(self._data[CONF_URL])
        self._data[CONF_CA_CERTIFICATE] = only_certificates(pem)
        if pem and not self._data[CONF_CA_CERTIFICATE]:
            raise CertificateError
        ssl = await async_ssl(self.hass, self._data)
        return await probe(async_get_clientsession(self.hass), self._data[CONF_URL], ssl=ssl)

    async def _async_database(
        self, dialect: Dialect, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for names and credentials, and accept those with which a write of nothing works."""
        fields = FIELDS[dialect]
        step = f"{dialect}{AGAIN}" if any(self._stored_here.values()) else dialect
        if user_input is None:
            return self._show_fields(step, fields)
        self._data = merged(fields, self._data, user_input, self._kept)
        if errors := missing(fields, self._data):
            return self._show_fields(step, fields, user_input, errors)
        verdict = await self._async_check()
        if verdict.problem is Problem.NONE:
            return await self._async_finish()
        if verdict.problem in ADDRESS_PROBLEMS:
            return self._show_address({CONF_URL: verdict.problem}, detail=verdict.detail)
        errors = field_errors(verdict.problem, fields)
        return self._show_fields(step, fields, user_input, errors, verdict.detail)

    @property
    def _stored_here(self) -> dict[str, str]:
        """The secrets of the entry, if they were given for this very server."""
        return credentials_of(self._stored, self._data[CONF_URL])

    @property
    def _kept(self) -> dict[str, str]:
        """What an empty secret stands for: what is stored, or else was entered before."""
        entered = credentials_of(self._entered, self._data[CONF_URL])
        return entered | {key: value for key, value in self._stored_here.items() if value}

    async def _async_check(self) -> Result:
        verdict = await (await async_client(self.hass, self._data)).check()
        if verdict.problem not in REFUSED:
            self._entered = dict(self._data)
        return verdict

    async def _async_finish(self) -> ConfigFlowResult:
        """Keep the destination, unless another entry has it."""
        other = await self.async_set_unique_id(unique_id(self._data), raise_on_progress=False)
        if other and other.entry_id != self.context.get("entry_id"):
            return self.async_abort(reason="already_configured")
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=title(self._data), data=self._data)
        entry = self._get_reconfigure_entry()
        is_renamed = entry.title != title(entry.data)
        return self._renew(
            entry,
            unique_id=self.unique_id,
            title=entry.title if is_renamed else title(self._data),
        )

    def _renew(self, entry: ConfigEntry, **changes: Any) -> ConfigFlowResult:
        """Store what works, and have the destination use it at once."""
        is_changed = entry.data != self._data
        result = self.async_update_and_abort(entry, data=self._data, **changes)
        try_at_once(self.hass, entry, is_changed=is_changed)
        return result

    def _show_address(
        self, errors: dict[str, str], *, wanted: str = AUTO, detail: str = ""
    ) -> ConfigFlowResult:
        shown = address_shown(self._data, wanted)
        return self.async_show_form(
            step_id="reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, shown),
            errors=errors,
            description_placeholders={
                "detail": plain(detail),
                "example": "http://influxdb.local:8086",
            },
        )

    def _show_fields(
        self,
        step_id: str,
        fields: tuple[Field, ...],
        entered: Mapping[str, str] | None = None,
        errors: dict[str, str] | None = None,
        detail: str = "",
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema(fields, self._data, self._kept, entered or {}),
            errors=errors,
            description_placeholders={
                "detail": plain(detail),
                "server": plain(self._server),
                "url": plain(self._data[CONF_URL]),
            },
        )


# Home Assistant finds a step by the name of its method.
for _dialect in Dialect:
    _step = partialmethod(HaIngestorConfigFlow._async_database, _dialect)  # noqa: SLF001
    for _name in (_dialect, f"{_dialect}{AGAIN}"):
        setattr(HaIngestorConfigFlow, f"async_step_{_name}", _step)
