"""Reads where the built-in `influxdb` integration writes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import HomeAssistant, callback
from yarl import URL

from ..clients.influx.dialect import Dialect
from ..connection import TEXTS
from ..const import (
    CONF_BUCKET,
    CONF_CA_CERTIFICATE,
    CONF_DATABASE,
    CONF_DIALECT,
    CONF_ORG,
)
from ..options.core import BUILT_IN, async_built_in_yaml

# What the built-in integration takes where nothing is said.
_PORT: Final = 8086
_HOSTS: Final[Mapping[Dialect, str]] = {
    Dialect.V1: "localhost",
    Dialect.V2: "us-west-2-1.aws.cloud2.influxdata.com",
}
_DATABASE: Final = "home_assistant"
_BUCKET: Final = "Home Assistant"
_CERTIFICATE_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """The built-in integration: its entry, if there is one, and our entry data for its database."""

    entry: ConfigEntry[Any] | None
    data: Mapping[str, Any]


@callback
def has_built_in(hass: HomeAssistant) -> bool:
    """Whether it is set up, by an entry or in YAML."""
    return bool(hass.config_entries.async_entries(BUILT_IN)) or BUILT_IN in hass.config.components


async def async_built_in(hass: HomeAssistant) -> BuiltIn | None:
    """Find it; an entry says more than YAML, which may be what is left of an import."""
    entry = next(iter(hass.config_entries.async_entries(BUILT_IN)), None)
    config = entry.data if entry else await async_built_in_yaml(hass)
    if config is None:
        return None
    pem = await hass.async_add_executor_job(_certificate, config.get("ssl_ca_cert"))
    return BuiltIn(entry=entry, data=connection_of(config, pem))


def connection_of(config: Mapping[str, Any], pem: str) -> dict[str, Any]:
    """Convert the connection, as the entry or the YAML has it."""
    told = {key: value for key, value in config.items() if value is not None}
    dialect = Dialect.V2 if str(told.get("api_version", "1")) == "2" else Dialect.V1
    names = (
        {
            CONF_TOKEN: str(told.get("token", "")),
            CONF_ORG: str(told.get("organization", "")),
            CONF_BUCKET: str(told.get("bucket", _BUCKET)),
        }
        if dialect is Dialect.V2
        else {
            CONF_USERNAME: str(told.get("username", "")),
            CONF_PASSWORD: str(told.get("password", "")),
            CONF_DATABASE: str(told.get("database", _DATABASE)),
        }
    )
    return {
        **dict.fromkeys(TEXTS, ""),
        **names,
        CONF_DIALECT: dialect.value,
        CONF_URL: str(told.get("url") or _url(told, dialect)),
        CONF_VERIFY_SSL: bool(told.get("verify_ssl", True)),
        CONF_CA_CERTIFICATE: pem,
    }


def _url(told: Mapping[str, Any], dialect: Dialect) -> str:
    is_v2 = dialect is Dialect.V2
    scheme = "https" if told.get("ssl", is_v2) else "http"
    host = str(told.get("host", _HOSTS[dialect]))
    port = told.get("port", None if is_v2 else _PORT)
    path = str(told.get("path", "")).strip("/")
    authority = f"{scheme}://{host}" + (f":{port}" if port else "")
    try:
        return str(URL(authority) / path) if path else authority
    except ValueError:
        return authority


def _certificate(path: Any) -> str:
    """Read the file of the certificate authority; what cannot be read is asked for."""
    if not isinstance(path, str):
        return ""
    try:
        with Path(path).open(encoding="ascii", errors="ignore") as file:
            return file.read(_CERTIFICATE_MAX)
    except OSError:
        return ""
