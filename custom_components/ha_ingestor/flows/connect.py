"""The steps that find a database and the credentials for it."""

from asyncio import gather
from collections.abc import Mapping
from functools import partialmethod
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from yarl import URL

from ..clients.address import AddressError, normalize, origin
from ..clients.encoding import decode_object
from ..clients.influx.dialect import Dialect
from ..clients.influx.probe import Probe, probe
from ..connection import (
    CONNECTION_PROBLEMS,
    PRODUCTS,
    CertificateError,
    async_client,
    async_ssl,
    only_certificates,
)
from ..const import CONF_CA_CERTIFICATE, CONF_DIALECT
from ..health.own_reasons import async_said
from ..health.server_text import markdown, plain
from ..pipeline.export.result import Problem, Result
from .destination import (
    ADDRESS_SCHEMA,
    AUTO,
    CERTIFICATE_MAX,
    PORTS,
    PROBE_ERRORS,
    address_data,
    address_shown,
    usual_ports,
)
from .fields import (
    CREDENTIALS,
    NAME_MAX,
    REFUSED,
    SECRET_MAX,
    Field,
    blank,
    credentials_of,
    field_errors,
    merged,
    schema,
    text_errors,
)

# The form of the credentials when it may leave the secrets as they are stored.
AGAIN: Final = "_again"

# Of these another port may be free.
_PORT_MISSING: Final = CONNECTION_PROBLEMS | {Problem.NOT_A_DATABASE, Problem.PROXY}
_UNANSWERED: Final = frozenset({Problem.UNREACHABLE, Problem.TIMEOUT})


class ConnectFlow(ConfigFlow):
    """Address first, then the credentials for the database found there."""

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[str, Any] = {}
        self._stored: Mapping[str, Any] = {}
        # The credentials entered last that were not refused, with the address they are for.
        self._entered: Mapping[str, Any] = {}
        self._server = ""
        # The address whose path was removed last.
        self._with_path = ""
        # The names that the credentials may list, by the field that they are for.
        self._offered: Mapping[str, tuple[str, ...]] = {}

    @property
    def _dialect(self) -> Dialect:
        return Dialect(self._data[CONF_DIALECT])

    async def _async_with_credentials(self) -> ConfigFlowResult:
        """Go on once the credentials are known."""
        raise NotImplementedError

    async def async_step_change_address(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go back to the address; what was entered elsewhere is kept."""
        return self._show_address({}, wanted=self._data.get(CONF_DIALECT, AUTO))

    async def _async_address(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Find the database at the address, unless the user says which one it is."""
        if user_input is None:
            return self._show_address({})
        wanted = user_input[CONF_DIALECT]
        self._data |= address_data(user_input)
        try:
            found = await self._async_probe()
        except (AddressError, CertificateError) as err:
            return self._show_address(_unusable(err), wanted=wanted)
        if errors := await self._async_objections(found, wanted):
            return self._show_address(errors, wanted=wanted)
        dialect = found.dialect if wanted == AUTO else Dialect(wanted)
        if found.problem in _PORT_MISSING and (ports := usual_ports(self._data[CONF_URL])):
            return await self._async_other_ports(ports, found, wanted)
        if dialect is None or found.problem in CONNECTION_PROBLEMS:
            error = PROBE_ERRORS.get(found.problem, found.problem)
            return self._show_address({CONF_URL: error}, wanted=wanted, detail=found.detail)
        self._found(found, dialect)
        return await self._async_credentials(dialect, None)

    def _found(self, found: Probe, dialect: Dialect) -> None:
        """Note what answers at the address."""
        known = found.version if found.dialect is dialect else ""
        self._server = f"{PRODUCTS[dialect].split()[0]} {known}" if known else PRODUCTS[dialect]
        self._data = blank(self._data, dialect)
        self._offered = {}

    async def _async_probe(self) -> Probe:
        """Ask the server what it is; the address and the certificate are tidied on the way."""
        pem = self._data[CONF_CA_CERTIFICATE].strip()
        self._data[CONF_URL] = normalize(self._data[CONF_URL])
        if len(pem) > CERTIFICATE_MAX:
            raise CertificateError
        self._data[CONF_CA_CERTIFICATE] = only_certificates(pem)
        if pem and not self._data[CONF_CA_CERTIFICATE]:
            raise CertificateError
        ssl = await async_ssl(self.hass, self._data)
        return await probe(async_get_clientsession(self.hass), self._data[CONF_URL], ssl=ssl)

    async def _async_objections(self, found: Probe, wanted: str) -> dict[str, str]:
        """Name what has to be entered differently although a database answers."""
        if found.dialect is Dialect.VICTORIAMETRICS and wanted not in {AUTO, found.dialect}:
            # It takes what is sent as to InfluxDB, and drops texts without a word.
            return {CONF_DIALECT: "is_victoriametrics"}
        is_too_long = await self._async_has_path_too_much(found, wanted)
        return {CONF_URL: "found_without_path"} if is_too_long else {}

    async def _async_has_path_too_much(self, found: Probe, wanted: str) -> bool:
        """Remove the path, as of a web page of the database, if only without it one answers.

        Who chooses the kind and enters the path once more means it: a proxy may hide what is there.
        """
        entered = self._data[CONF_URL]
        url = str(origin(entered)).rstrip("/")
        is_there = found.dialect is None and found.problem not in CONNECTION_PROBLEMS
        # A path is usual where VictoriaMetrics is a cluster.
        is_meant = wanted == Dialect.VICTORIAMETRICS or (
            wanted != AUTO and entered == self._with_path
        )
        if not is_there or is_meant or url == entered:
            return False
        ssl = await async_ssl(self.hass, self._data)
        at_root = await probe(async_get_clientsession(self.hass), url, ssl=ssl)
        if at_root.dialect is None or wanted not in {AUTO, at_root.dialect}:
            return False
        self._data[CONF_URL], self._with_path = url, entered
        return True

    async def _async_other_ports(
        self, addresses: list[URL], found: Probe, wanted: str
    ) -> ConfigFlowResult:
        """Try the ports of the products, as the address names none."""
        ssl = await async_ssl(self.hass, self._data)
        session = async_get_clientsession(self.hass)
        answers = await gather(*(probe(session, str(each), ssl=ssl) for each in addresses))
        for address, answer in zip(addresses, answers, strict=True):
            if answer.dialect is not None:
                self._data[CONF_URL] = str(address).rstrip("/")
                errors = {CONF_URL: "found_at_port"}
                return self._show_address(errors, wanted=wanted, port=address.port)
        errors = {CONF_URL: "no_port" if found.problem in _UNANSWERED else found.problem.value}
        return self._show_address(errors, wanted=wanted, detail=found.detail)

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

    def _show_address(
        self,
        errors: dict[str, str],
        *,
        wanted: str = AUTO,
        detail: str = "",
        port: int | None = None,
    ) -> ConfigFlowResult:
        shown = address_shown(self._data, wanted)
        return self.async_show_form(
            step_id="reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, shown),
            errors=errors,
            description_placeholders={
                "detail": said(self.hass, detail),
                "example": "http://influxdb.local:8086",
                "port": str(port or ""),
                "influxdb": str(PORTS[Dialect.V2]),
                "influxdb3": str(PORTS[Dialect.V3]),
                "victoriametrics": str(PORTS[Dialect.VICTORIAMETRICS]),
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


def _unusable(err: AddressError | CertificateError) -> dict[str, str]:
    """Name what was entered and cannot be used."""
    if isinstance(err, AddressError):
        return {CONF_URL: str(err)}
    return {"base": "invalid_certificate"}


def said(hass: HomeAssistant, detail: str) -> str:
    """Return a server's message as text, without the JSON around it."""
    content = decode_object(detail)
    message = content.get("message") or content.get("error")
    return plain(async_said(hass, message if isinstance(message, str) else detail))


# Home Assistant finds a step by the name of its method.
for _dialect in Dialect:
    _step = partialmethod(ConnectFlow._async_credentials, _dialect)  # noqa: SLF001
    for _name in (_dialect, f"{_dialect}{AGAIN}"):
        setattr(ConnectFlow, f"async_step_{_name}", _step)
