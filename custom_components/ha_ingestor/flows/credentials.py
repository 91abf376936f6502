"""The steps that ask for the credentials for a database."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.const import CONF_NAME, CONF_URL

from ..clients.influx.dialect import Dialect
from ..clients.influx.probe import Probe
from ..connection import async_client
from ..const import CONF_DIALECT
from ..health.texts.server_text import markdown, plain
from ..pipeline.export.result import Result
from .address import AddressFlow, said
from .fields import (
    CREDENTIALS,
    NAME_MAX,
    REFUSED,
    SECRET_MAX,
    Field,
    credentials_of,
    field_errors,
    merged,
    schema,
    text_errors,
)
from .steps import add_steps

# The form of the credentials when it may leave the secrets as they are stored.
AGAIN: Final = "_again"


class CredentialsFlow(AddressFlow):
    """Asks for the credentials for the database that was found."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._stored: Mapping[str, Any] = {}
        # The credentials entered last that were not refused, with the address they are for.
        self._entered: Mapping[str, Any] = {}
        # The names that the credentials may list, by the field that they are for.
        self._offered: Mapping[str, tuple[str, ...]] = {}

    @property
    def _dialect(self) -> Dialect:
        return Dialect(self._data[CONF_DIALECT])

    async def _async_with_credentials(self) -> ConfigFlowResult:
        """Go on once the credentials are known."""
        raise NotImplementedError

    @override
    def _found(self, found: Probe, dialect: Dialect) -> None:
        super()._found(found, dialect)
        self._offered = {}

    @override
    async def _async_with_database(self) -> ConfigFlowResult:
        return await self._async_credentials(self._dialect, None)

    async def _async_credentials(
        self, dialect: Dialect, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for the credentials."""
        fields = CREDENTIALS[dialect]
        if user_input is None:
            return self._show_credentials()
        self._data = merged(fields, self._data, user_input, self._kept)
        if errors := text_errors(fields, self._data):
            return self._show_credentials(user_input, errors)
        return await self._async_with_credentials()

    def _show_credentials(
        self,
        entered: Mapping[str, str] | None = None,
        errors: dict[str, str] | None = None,
        detail: str = "",
    ) -> ConfigFlowResult:
        dialect = self._dialect
        step = f"{dialect}{AGAIN}" if any(self._stored_here.values()) else str(dialect)
        # What was entered in this dialogue is shown again, as dots; what is stored never is.
        shown = entered or credentials_of(self._entered, self._data[CONF_URL])
        return self._show_fields(step, CREDENTIALS[dialect], shown, errors, detail)

    def _refuse_credentials(self, result: Result) -> ConfigFlowResult:
        """Ask for other credentials; the refused ones are shown once more, to be corrected."""
        errors = field_errors(result.problem, CREDENTIALS[self._dialect])
        return self._show_credentials(self._data, errors, result.detail)

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
        """Write nothing, which checks address, names and credentials."""
        result = await (await async_client(self.hass, self._data)).check()
        self._entered = {} if result.problem in REFUSED else dict(self._data)
        return result

    def _show_fields(
        self,
        step_id: str,
        fields: tuple[Field, ...],
        entered: Mapping[str, str] | None = None,
        errors: dict[str, str] | None = None,
        detail: str = "",
    ) -> ConfigFlowResult:
        name = self._get_reauth_entry().title if self.source == SOURCE_REAUTH else ""
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema(fields, self._data, self._kept, entered or {}, self._offered),
            errors=errors,
            description_placeholders={
                CONF_NAME: markdown(name),  # else Home Assistant shows it as it is
                "detail": said(self.hass, detail),
                "server": plain(self._server),
                "url": plain(self._data[CONF_URL]),
                "max_length": str(NAME_MAX),
                "secret_max_length": str(SECRET_MAX),
            },
        )


add_steps(
    CredentialsFlow,
    CredentialsFlow._async_credentials,  # noqa: SLF001
    {f"{dialect}{form}": dialect for dialect in Dialect for form in ("", AGAIN)},
)
