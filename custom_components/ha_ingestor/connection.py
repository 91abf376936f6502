"""Builds the clients from the data of a config entry."""

import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_API_KEY,
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import get_default_context

from .clients.data_api.client import DataApiClient
from .clients.influx.administrator import administrator_of
from .clients.influx.client import InfluxClient
from .clients.influx.destination import Destination
from .clients.influx.dialect import Dialect
from .clients.influx.listing import Administrator
from .clients.influx.read_back import ReadBack
from .clients.influx.victoriametrics import Storage, ask_storage
from .const import (
    CONF_BUCKET,
    CONF_CA_CERTIFICATE,
    CONF_DATABASE,
    CONF_DIALECT,
    CONF_ORG,
    CONF_RETENTION_POLICY,
)
from .pipeline.export.result import Problem, Result

if TYPE_CHECKING:
    from .coordinator import HaIngestorConfigEntry

PRODUCTS: Final = {
    Dialect.V1: "InfluxDB 1",
    Dialect.V2: "InfluxDB 2",
    Dialect.V3: "InfluxDB 3",
    Dialect.VICTORIAMETRICS: "VictoriaMetrics",
}

# No server answers at the address, whatever the dialect.
CONNECTION_PROBLEMS: Final = frozenset(
    {Problem.UNREACHABLE, Problem.TLS, Problem.TIMEOUT, Problem.REDIRECT}
)
# Problems that only another address solves, although it may show as late as in the write test.
# Their details name hosts: those of the address, or what it resolves or redirects to.
ADDRESS_PROBLEMS: Final = CONNECTION_PROBLEMS | {Problem.PROXY, Problem.NOT_A_DATABASE}

# Every field of Destination that is a plain text; absent ones are empty.
TEXTS: Final = (
    CONF_URL,
    CONF_ORG,
    CONF_BUCKET,
    CONF_DATABASE,
    CONF_RETENTION_POLICY,
    CONF_USERNAME,
    CONF_PASSWORD,
    CONF_TOKEN,
)

_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)


class CertificateError(ValueError):
    """The pasted text holds no certificate that could be trusted."""


def destination(data: Mapping[str, Any]) -> Destination:
    """Read where the points go from entry data."""
    return Destination(
        dialect=Dialect(data[CONF_DIALECT]), **{key: data.get(key, "") for key in TEXTS}
    )


async def async_ssl(hass: HomeAssistant, data: Mapping[str, Any]) -> bool | ssl.SSLContext:
    """How to verify the server, as aiohttp's `ssl=` wants it; raises CertificateError."""
    pem = data.get(CONF_CA_CERTIFICATE)
    # Loading certificates blocks, so it happens in the executor.
    context = await hass.async_add_executor_job(_trusting, pem) if pem else True
    return context if data[CONF_VERIFY_SSL] else False


async def async_client(hass: HomeAssistant, data: Mapping[str, Any]) -> InfluxClient:
    """Build the client on Home Assistant's own session; raises CertificateError, AddressError."""
    return InfluxClient(
        async_get_clientsession(hass), destination(data), ssl=await async_ssl(hass, data)
    )


async def async_data_api(hass: HomeAssistant, data: Mapping[str, Any]) -> DataApiClient:
    """Build the client of a data-api from the data of its subentry; raises AddressError."""
    return DataApiClient(
        async_get_clientsession(hass),
        data[CONF_URL],
        api_key=data[CONF_API_KEY],
        ssl=await async_ssl(hass, data),
    )


async def async_probe_data_api(hass: HomeAssistant, data: Mapping[str, Any]) -> Result:
    """Ask whether a data-api is there and takes the key; raises as `async_data_api`."""
    return await (await async_data_api(hass, data)).probe()


async def async_administrator(hass: HomeAssistant, data: Mapping[str, Any]) -> Administrator:
    """Build the administration client of the database; raises as `async_client`."""
    verified = await async_ssl(hass, data)
    # The client of InfluxDB 2 has a connection of its own, which trusts whom Home Assistant trusts.
    trusted = get_default_context() if verified is True else verified
    return administrator_of(async_get_clientsession(hass), destination(data), ssl=trusted)


async def async_read_back(hass: HomeAssistant, data: Mapping[str, Any]) -> ReadBack:
    """Build what reads a point back; raises as `async_client`."""
    return ReadBack(
        async_get_clientsession(hass), destination(data), ssl=await async_ssl(hass, data)
    )


async def async_storage(hass: HomeAssistant, data: Mapping[str, Any]) -> Storage:
    """How the database stores what it acknowledges; raises as `async_client`."""
    there = destination(data)
    if there.dialect is not Dialect.VICTORIAMETRICS:
        return Storage(deduplicates=True, ignored=None)
    session = async_get_clientsession(hass)
    return await ask_storage(session, there, ssl=await async_ssl(hass, data))


@callback
def try_at_once(hass: HomeAssistant, entry: HaIngestorConfigEntry, *, is_changed: bool) -> None:
    """Have a destination use at once what a dialogue has just found to work.

    What is changed is used anyway, because the entry reloads, but not when its set-up had failed.
    """
    if entry.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}:
        hass.config_entries.async_schedule_reload(entry.entry_id)
    elif entry.state is ConfigEntryState.LOADED and not is_changed:
        runtime = entry.runtime_data
        runtime.coordinator.background.async_begin(
            runtime.async_try_now(), "ha_ingestor try at once"
        )


def only_certificates(text: str) -> str:
    """Leave what may be stored: a file may hold the private key beside its certificate."""
    return "\n".join(_CERTIFICATE.findall(text))


def _trusting(pem: str) -> ssl.SSLContext:
    """Trust only this certificate authority."""
    try:
        context = ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as err:
        raise CertificateError from err
    # Strict checking wants extensions that home-made authorities rarely have.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
