"""The form for an address, and how a destination is told from others."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import CONF_URL, CONF_VERIFY_SSL
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from yarl import URL

from ..clients.influx.dialect import Dialect
from ..connection import PRODUCTS
from ..const import (
    CONF_BUCKET,
    CONF_CA_CERTIFICATE,
    CONF_DATABASE,
    CONF_DIALECT,
    CONF_ORG,
    CONF_RETENTION_POLICY,
)
from ..pipeline.export.result import Problem

AUTO: Final = "auto"
SECTION_ADVANCED: Final = "advanced"

# More than any chain of certificates has.
CERTIFICATE_MAX: Final = 100_000

# The port that a product uses if nobody changes it.
PORTS: Final[Mapping[Dialect, int]] = {
    Dialect.V1: 8086,
    Dialect.V2: 8086,
    Dialect.V3: 8181,
    Dialect.VICTORIAMETRICS: 8428,
}

# Credentials are not asked for yet, so these say something else than they do for a write.
PROBE_ERRORS: Final = {Problem.INVALID_AUTH: "locked", Problem.FORBIDDEN: "locked"}

URL_SELECTOR: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url")
)
# How the server is verified, in every form that asks for an address.
TLS_SECTION: Final = section(
    vol.Schema(
        {
            vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
            vol.Optional(CONF_CA_CERTIFICATE): TextSelector(TextSelectorConfig(multiline=True)),
        }
    ),
    {"collapsed": True},
)

# The errors that may be corrected there.
_OF_TLS: Final = frozenset({"tls", "invalid_certificate"})

ADDRESS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_URL): URL_SELECTOR,
        vol.Required(CONF_DIALECT, default=AUTO): SelectSelector(
            SelectSelectorConfig(
                options=[AUTO, *Dialect],
                translation_key=CONF_DIALECT,
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Required(SECTION_ADVANCED): TLS_SECTION,
    }
)


def address_form(
    schema: vol.Schema, shown: Mapping[str, Any], errors: Mapping[str, str]
) -> vol.Schema:
    """Return a form for an address; how the server is verified is open where it matters."""
    tls: Mapping[str, Any] = shown.get(SECTION_ADVANCED, {})
    is_usual = tls.get(CONF_VERIFY_SSL, True) and not tls.get(CONF_CA_CERTIFICATE)
    collapsed = bool(is_usual and _OF_TLS.isdisjoint(errors.values()))
    tls_section = section(TLS_SECTION.schema, {"collapsed": collapsed})
    return schema.extend({vol.Required(SECTION_ADVANCED): tls_section})


def address_data(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of a filled-in form for the address."""
    advanced = entered[SECTION_ADVANCED]
    return {
        CONF_URL: entered[CONF_URL],
        CONF_VERIFY_SSL: advanced[CONF_VERIFY_SSL],
        CONF_CA_CERTIFICATE: advanced.get(CONF_CA_CERTIFICATE, ""),
    }


def address_shown(known: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """Return what the form for the address shows of what is known."""
    keys = (CONF_VERIFY_SSL, CONF_CA_CERTIFICATE)
    advanced = {key: known[key] for key in keys if key in known}
    return {**known, CONF_DIALECT: dialect, SECTION_ADVANCED: advanced}


def usual_ports(url: str) -> list[URL]:
    """Return an address with each of the products' ports, if it names none itself."""
    address = URL(url)
    if address.explicit_port is not None:
        return []
    return [address.with_port(port) for port in dict.fromkeys(PORTS.values())]


def unique_id(data: Mapping[str, Any]) -> str:
    """Identify a destination: two entries for one database would send every point twice."""
    keys = (CONF_DIALECT, CONF_URL, CONF_ORG, CONF_BUCKET, CONF_DATABASE, CONF_RETENTION_POLICY)
    return "|".join(data[key] for key in keys if data[key])


def place_name(data: Mapping[str, Any]) -> str:
    """Return the name of the bucket or database, or else of the product."""
    return data[CONF_BUCKET] or data[CONF_DATABASE] or PRODUCTS[Dialect(data[CONF_DIALECT])]


def title(data: Mapping[str, Any], taken: Collection[str] = ()) -> str:
    """Build the title of an entry: the shortest one that is not taken.

    The port is in it where it is not the product's own.
    """
    short, *longer = _titles(data)
    is_usual = URL(data[CONF_URL]).explicit_port in {None, PORTS[Dialect(data[CONF_DIALECT])]}
    offered = (short, *longer) if is_usual else longer
    return next((each for each in offered if each not in taken), offered[-1])


def is_own_title(text: str, data: Mapping[str, Any]) -> bool:
    """Whether a title is one that we gave, now or in an earlier version."""
    return text in _titles(data)


def _titles(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name a destination without its port, with it, and by all that tells it from others."""
    address, name = URL(data[CONF_URL]), place_name(data)
    parts = (data.get(CONF_ORG), name, data.get(CONF_RETENTION_POLICY))
    port = f"{address.host}:{address.port}"
    whole = f"{'/'.join(filter(None, parts))} on {port}{address.path.rstrip('/')}"
    return f"{name} on {address.host}", f"{name} on {port}", whole
