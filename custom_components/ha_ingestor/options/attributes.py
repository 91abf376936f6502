"""The page of the attributes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from glob import escape
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers.selector import BooleanSelector

from ..pipeline.encode.attributes import AttributesPolicy, Shape
from ..pipeline.encode.privacy.secrets import is_secret
from .page import OptionError, Page
from .selectors import ATTRIBUTES as NAMES
from .selectors import Offered, choice

ATTRIBUTES: Final = "attributes"

CONF_SHAPE: Final = "shape"
CONF_ONLY: Final = "only"
CONF_DROP: Final = "drop"
CONF_RECORDER: Final = "recorder"
CONF_COORDINATES: Final = "coordinates"
CONF_MEDIA: Final = "media"

# Leaves the shape, and which attributes there are, to the profile.
STANDARD: Final = "standard"

_SHOWN_MAX: Final = 40
_POLICY: Final = AttributesPolicy()
_DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_SHAPE: STANDARD,
    CONF_ONLY: [],
    CONF_DROP: [],
    CONF_RECORDER: _POLICY.recorder,
    CONF_COORDINATES: _POLICY.coordinates,
    CONF_MEDIA: _POLICY.media,
}


def _names(field: str, entered: Iterable[str]) -> list[str]:
    """Tidy a list of names and globs; raises OptionError for what can be neither."""
    names = list(dict.fromkeys(name.strip() for name in entered))
    for name in names:
        if not name or not name.isprintable():
            raise OptionError(field, "bad_name", name[:_SHOWN_MAX])
    return names


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    page = dict(entered)
    only = page[CONF_ONLY] = _names(CONF_ONLY, page[CONF_ONLY])
    drop = page[CONF_DROP] = _names(CONF_DROP, page[CONF_DROP])
    for name in drop:
        if not name.strip("*"):
            raise OptionError(CONF_DROP, "everything_dropped", name)
    for name in only:
        if is_secret(name):
            raise OptionError(CONF_ONLY, "secret_name", name)
    if only and all(any(fnmatchcase(name, glob) for glob in drop) for name in only):
        raise OptionError(CONF_ONLY, "only_what_is_dropped")
    return page


PAGE: Final = Page(
    key=ATTRIBUTES,
    schema=vol.Schema(
        {
            vol.Required(CONF_SHAPE): choice(CONF_SHAPE, [STANDARD, *Shape]),
            vol.Optional(CONF_ONLY): Offered(NAMES),
            vol.Optional(CONF_DROP): Offered(NAMES),
            vol.Required(CONF_RECORDER): BooleanSelector(),
            vol.Required(CONF_COORDINATES): BooleanSelector(),
            vol.Required(CONF_MEDIA): BooleanSelector(),
        }
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
)


def attributes_policy(options: Mapping[str, Any], standard: AttributesPolicy) -> AttributesPolicy:
    """Read the policy; `standard` is what the profile does of itself."""
    page = PAGE.read(options)
    only = frozenset(page[CONF_ONLY])
    policy = replace(
        standard,
        only=only or standard.only,
        drop=frozenset(page[CONF_DROP]),
        recorder=page[CONF_RECORDER],
        coordinates=page[CONF_COORDINATES],
        media=page[CONF_MEDIA],
    )
    if page[CONF_SHAPE] == STANDARD:
        return policy
    return replace(policy, shape=Shape(page[CONF_SHAPE]), only=only)


def dropping(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return options that leave out one more attribute."""
    drop = dict.fromkeys([*PAGE.read(options)[CONF_DROP], escape(name)])
    return PAGE.changed(options, {CONF_DROP: list(drop)})
