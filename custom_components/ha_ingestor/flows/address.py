"""The steps that find a database at an address."""

from asyncio import gather
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_URL
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
    async_ssl,
    only_certificates,
)
from ..const import CONF_CA_CERTIFICATE, CONF_DIALECT
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import plain
from ..pipeline.export.result import Problem
from .destination import (
    ADDRESS_SCHEMA,
    AUTO,
    CERTIFICATE_MAX,
    PORTS,
    PROBE_ERRORS,
    address_data,
    address_form,
    address_shown,
    usual_ports,
)
from .fields import blank

# Of these another port may be free.
_PORT_MISSING: Final = CONNECTION_PROBLEMS | {Problem.NOT_A_DATABASE, Problem.PROXY}
_UNANSWERED: Final = frozenset({Problem.UNREACHABLE, Problem.TIMEOUT})


class AddressFlow(ConfigFlow):
    """Asks for an address until a database answers there."""

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[str, Any] = {}
        self._server = ""
        # The address whose path was removed last.
        self._with_path = ""

    async def _async_with_database(self) -> ConfigFlowResult:
        """Go on once it is known which database answers."""
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
            return self._show_address(unusable(err), wanted=wanted)
        if errors := await self._async_objections(found, wanted):
            return self._show_address(errors, wanted=wanted)
        dialect = found.dialect if wanted == AUTO else Dialect(wanted)
        if found.problem in _PORT_MISSING and (ports := usual_ports(self._data[CONF_URL])):
            return await self._async_other_ports(ports, found, wanted)
        if dialect is None or found.problem in CONNECTION_PROBLEMS:
            error = PROBE_ERRORS.get(found.problem, found.problem)
            return self._show_address({CONF_URL: error}, wanted=wanted, detail=found.detail)
        self._found(found, dialect)
        return await self._async_with_database()

    def _found(self, found: Probe, dialect: Dialect) -> None:
        """Note what answers at the address."""
        known = found.version if found.dialect is dialect else ""
        self._server = f"{PRODUCTS[dialect].split()[0]} {known}" if known else PRODUCTS[dialect]
        self._data = blank(self._data, dialect)

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
            data_schema=self.add_suggested_values_to_schema(
                address_form(ADDRESS_SCHEMA, shown, errors), shown
            ),
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


def unusable(err: AddressError | CertificateError) -> dict[str, str]:
    """Name what was entered and cannot be used."""
    if isinstance(err, AddressError):
        return {CONF_URL: str(err)}
    return {"base": "invalid_certificate"}


def said(hass: HomeAssistant, detail: str) -> str:
    """Return a server's message as text, without the JSON around it."""
    content = decode_object(detail)
    message = content.get("message") or content.get("error")
    return plain(async_said(hass, message if isinstance(message, str) else detail))
