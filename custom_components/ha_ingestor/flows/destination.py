"""What the config flow asks for: one table of fields per dialect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import (
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
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

from ..clients.address import AddressError, origin
from ..clients.influx.dialect import Dialect
from ..connection import PRODUCTS, TEXTS
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One text the user enters; a secret is never shown again."""

    key: str
    required: bool = False
    default: str = ""
    autocomplete: str = "off"
    credential: bool = False
    secret: bool = False


_NAME: Final = "home_assistant"
_USERNAME: Final = Field(key=CONF_USERNAME, credential=True, autocomplete="username")
_PASSWORD: Final = Field(
    key=CONF_PASSWORD, credential=True, secret=True, autocomplete="current-password"
)
_TOKEN: Final = Field(key=CONF_TOKEN, credential=True, secret=True)
_TOKEN_REQUIRED: Final = Field(key=CONF_TOKEN, credential=True, secret=True, required=True)
_DATABASE: Final = Field(key=CONF_DATABASE, required=True, default=_NAME)

FIELDS: Final[Mapping[Dialect, tuple[Field, ...]]] = {
    Dialect.V1: (_USERNAME, _PASSWORD, _DATABASE, Field(key=CONF_RETENTION_POLICY)),
    Dialect.V2: (
        _TOKEN_REQUIRED,
        Field(key=CONF_ORG, required=True),
        Field(key=CONF_BUCKET, required=True, default=_NAME),
    ),
    # A server may run without authentication.
    Dialect.V3: (_TOKEN, _DATABASE),
    # There is one database only; a name becomes a label.
    Dialect.VICTORIAMETRICS: (_USERNAME, _PASSWORD, _TOKEN, Field(key=CONF_DATABASE)),
}

# What may mean that the credentials are wrong, so that they are not used once more.
REFUSED: Final = frozenset({Problem.INVALID_AUTH, Problem.FORBIDDEN})

# Credentials are not asked for yet, so these say something else than they do for a write.
PROBE_ERRORS: Final = {Problem.INVALID_AUTH: "locked", Problem.FORBIDDEN: "locked"}

_PROBLEM_FIELDS: Final = {
    Problem.INVALID_AUTH: CONF_TOKEN,
    Problem.FORBIDDEN: CONF_TOKEN,
    Problem.ORG_NOT_FOUND: CONF_ORG,
    Problem.BUCKET_NOT_FOUND: CONF_BUCKET,
    Problem.DATABASE_NOT_FOUND: CONF_DATABASE,
    Problem.RETENTION_POLICY_NOT_FOUND: CONF_RETENTION_POLICY,
}

ADDRESS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_URL): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url")
        ),
        vol.Required(CONF_DIALECT, default=AUTO): SelectSelector(
            SelectSelectorConfig(
                options=[AUTO, *Dialect],
                translation_key=CONF_DIALECT,
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Required(SECTION_ADVANCED): section(
            vol.Schema(
                {
                    vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
                    vol.Optional(CONF_CA_CERTIFICATE): TextSelector(
                        TextSelectorConfig(multiline=True)
                    ),
                }
            ),
            {"collapsed": True},
        ),
    }
)


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


def schema(
    fields: tuple[Field, ...],
    known: Mapping[str, Any],
    kept: Mapping[str, Any],
    entered: Mapping[str, str],
) -> vol.Schema:
    """Build a form with the texts of `known`; a secret that is `kept` may be left empty.

    Of the secrets only what was just `entered` is in it, so that an error elsewhere does not empty
    them.
    """
    form: dict[vol.Marker, TextSelector] = {}
    for field in fields:
        marker = vol.Required if field.required else vol.Optional
        if field.secret and kept.get(field.key):
            marker = vol.Optional
        shown = entered.get(field.key, "") if field.secret else known.get(field.key)
        suggested = shown or field.default
        kind = TextSelectorType.PASSWORD if field.secret else TextSelectorType.TEXT
        form[marker(field.key, description={"suggested_value": suggested})] = TextSelector(
            TextSelectorConfig(type=kind, autocomplete=field.autocomplete)
        )
    return vol.Schema(form)


def merged(
    fields: tuple[Field, ...],
    known: Mapping[str, Any],
    entered: Mapping[str, str],
    kept: Mapping[str, Any],
) -> dict[str, Any]:
    """Put what was entered over what is known; an empty secret means the one that is kept."""
    # A pasted token easily brings a line break along, which no header may contain.
    data = {**known, **{field.key: entered.get(field.key, "").strip() for field in fields}}
    secret = CONF_PASSWORD if data[CONF_USERNAME] else CONF_TOKEN
    if any(field.key == secret for field in fields):
        data[secret] = data[secret] or kept.get(secret, "")
    return data


def credentials_of(data: Mapping[str, Any], url: str) -> dict[str, str]:
    """Return the secrets among `data`, but none that were given for another server."""
    try:
        is_same = CONF_URL in data and origin(data[CONF_URL]) == origin(url)
    except AddressError:  # what is stored is not even an address
        is_same = False
    return {key: data.get(key, "") if is_same else "" for key in (CONF_PASSWORD, CONF_TOKEN)}


def missing(fields: tuple[Field, ...], data: Mapping[str, Any]) -> dict[str, str]:
    """Name the fields that were filled in with nothing."""
    return {field.key: "required" for field in fields if field.required and not data[field.key]}


def blank(known: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Forget the texts that another dialect had and this one does not ask for."""
    keys = {CONF_URL, *(field.key for field in FIELDS[dialect])}
    texts = {key: known.get(key, "") if key in keys else "" for key in TEXTS}
    return {**known, **texts, CONF_DIALECT: dialect.value}


def field_errors(problem: Problem, fields: tuple[Field, ...]) -> dict[str, str]:
    """Put the problem beside the one field that is wrong, if it is one."""
    keys = {field.key for field in fields}
    key = _PROBLEM_FIELDS.get(problem)
    # With a user and a password it is not known which of the two is wrong.
    several = key == CONF_TOKEN and CONF_PASSWORD in keys
    return {key if key in keys and not several else "base": problem.value}


def unique_id(data: Mapping[str, Any]) -> str:
    """Identify a destination: two entries for one database would send every point twice."""
    keys = (CONF_DIALECT, CONF_URL, CONF_ORG, CONF_BUCKET, CONF_DATABASE, CONF_RETENTION_POLICY)
    return "|".join(data[key] for key in keys if data[key])


def title(data: Mapping[str, Any]) -> str:
    """Build the title of an entry."""
    name = data[CONF_BUCKET] or data[CONF_DATABASE] or PRODUCTS[Dialect(data[CONF_DIALECT])]
    return f"{name} on {URL(data[CONF_URL]).host}"
