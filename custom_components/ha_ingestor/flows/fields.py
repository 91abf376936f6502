"""The texts that name a database and the credentials for it: one table for each dialect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.helpers.selector import (
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ..clients.address import AddressError, origin
from ..clients.influx.dialect import Dialect
from ..connection import TEXTS
from ..const import CONF_BUCKET, CONF_DATABASE, CONF_DIALECT, CONF_ORG, CONF_RETENTION_POLICY
from ..pipeline.export.result import Problem

# No server takes a longer name; a token may be a JSON web token.
NAME_MAX: Final = 255
SECRET_MAX: Final = 4_096
# Also halves of characters, which no request can carry.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One text the user enters; a secret is never shown again."""

    key: str
    required: bool = False
    default: str = ""
    autocomplete: str = "off"
    credential: bool = False
    secret: bool = False

    @property
    def max_length(self) -> int:
        """How long the text may be."""
        return SECRET_MAX if self.secret else NAME_MAX


_NAME: Final = "home_assistant"
_USERNAME: Final = Field(key=CONF_USERNAME, credential=True, autocomplete="username")
_PASSWORD: Final = Field(
    key=CONF_PASSWORD, credential=True, secret=True, autocomplete="current-password"
)
_TOKEN: Final = Field(key=CONF_TOKEN, credential=True, secret=True)
_TOKEN_REQUIRED: Final = Field(key=CONF_TOKEN, credential=True, secret=True, required=True)
_DATABASE: Final = Field(key=CONF_DATABASE, required=True, default=_NAME)

# What is asked for first; with it the names of the second form are listed.
CREDENTIALS: Final[Mapping[Dialect, tuple[Field, ...]]] = {
    Dialect.V1: (_USERNAME, _PASSWORD),
    Dialect.V2: (_TOKEN_REQUIRED,),
    # A server may run without authentication.
    Dialect.V3: (_TOKEN,),
    # There is one database only; a name becomes a label.
    Dialect.VICTORIAMETRICS: (_USERNAME, _PASSWORD, _TOKEN, Field(key=CONF_DATABASE)),
}
PLACES: Final[Mapping[Dialect, tuple[Field, ...]]] = {
    Dialect.V1: (_DATABASE, Field(key=CONF_RETENTION_POLICY)),
    Dialect.V2: (
        Field(key=CONF_ORG, required=True),
        Field(key=CONF_BUCKET, required=True, default=_NAME),
    ),
    Dialect.V3: (_DATABASE,),
    Dialect.VICTORIAMETRICS: (),
}

# What may mean that the credentials are wrong, so that they are not used once more.
REFUSED: Final = frozenset({Problem.INVALID_AUTH, Problem.FORBIDDEN})

_PROBLEM_FIELDS: Final = {
    Problem.INVALID_AUTH: CONF_TOKEN,
    Problem.FORBIDDEN: CONF_TOKEN,
    Problem.ORG_NOT_FOUND: CONF_ORG,
    Problem.BUCKET_NOT_FOUND: CONF_BUCKET,
    Problem.DATABASE_NOT_FOUND: CONF_DATABASE,
    Problem.RETENTION_POLICY_NOT_FOUND: CONF_RETENTION_POLICY,
}


def schema(
    fields: tuple[Field, ...],
    known: Mapping[str, Any],
    kept: Mapping[str, Any],
    entered: Mapping[str, str],
    offered: Mapping[str, tuple[str, ...]],
) -> vol.Schema:
    """Build a form with the texts of `known`; a secret that is `kept` may be left empty.

    Of the secrets only what was just `entered` is in it, so that an error elsewhere does not empty
    them. A name may be chosen from those that are `offered`, or typed.
    """
    form: dict[vol.Marker, Selector[Any]] = {}
    for field in fields:
        marker = vol.Required if field.required else vol.Optional
        if field.secret and kept.get(field.key):
            marker = vol.Optional
        names = offered.get(field.key, ())
        shown = entered.get(field.key) if field.secret else known.get(field.key)
        only = names[0] if len(names) == 1 and field.required else ""
        suggested = shown or field.default or only
        form[marker(field.key, description={"suggested_value": suggested})] = _selector(
            field, names
        )
    return vol.Schema(form)


def _selector(field: Field, names: tuple[str, ...]) -> Selector[Any]:
    if names:
        return SelectSelector(
            SelectSelectorConfig(
                options=list(names), custom_value=True, mode=SelectSelectorMode.DROPDOWN
            )
        )
    kind = TextSelectorType.PASSWORD if field.secret else TextSelectorType.TEXT
    return TextSelector(TextSelectorConfig(type=kind, autocomplete=field.autocomplete))


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


def text_errors(fields: tuple[Field, ...], data: Mapping[str, Any]) -> dict[str, str]:
    """Name the fields that cannot be sent as they were filled in."""
    errors: dict[str, str] = {}
    for field in fields:
        text = data[field.key]
        if field.required and not text:
            errors[field.key] = "required"
        elif len(text) > field.max_length:
            errors[field.key] = "secret_too_long" if field.secret else "text_too_long"
        elif _CONTROL.search(text):
            errors[field.key] = "control_characters"
        elif field.key == CONF_TOKEN and not text.isascii():
            # No database makes such a token, and no header may hold it.
            errors[field.key] = Problem.INVALID_AUTH.value
    both = {CONF_USERNAME, CONF_TOKEN}
    if both <= {field.key for field in fields} and all(data[key] for key in both):
        errors.setdefault(CONF_TOKEN, "token_beside_username")
    return errors


def blank(known: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Forget the texts that another dialect had and this one does not ask for."""
    fields = CREDENTIALS[dialect] + PLACES[dialect]
    keys = {CONF_URL, *(field.key for field in fields)}
    texts = {key: known.get(key, "") if key in keys else "" for key in TEXTS}
    return {**known, **texts, CONF_DIALECT: dialect.value}


def field_errors(problem: Problem, fields: tuple[Field, ...]) -> dict[str, str]:
    """Put the problem beside the one field that is wrong, if it is one."""
    keys = {field.key for field in fields}
    key = _PROBLEM_FIELDS.get(problem)
    # With a user and a password it is not known which of the two is wrong.
    several = key == CONF_TOKEN and CONF_PASSWORD in keys
    return {key if key in keys and not several else "base": problem.value}
