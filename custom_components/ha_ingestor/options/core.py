"""The page of the `core` profile: the settings of the built-in `influxdb` integration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import voluptuous as vol
from homeassistant.config import async_hass_config_yaml
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    ObjectSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)

from ..pipeline.encode.columns import CORE as COLUMNS
from ..pipeline.encode.line_protocol import TAGS_MAX
from ..pipeline.encode.profiles.core_settings import (
    MEASUREMENT_ATTRS,
    CoreOverride,
    CoreSettings,
    MeasurementAttr,
)
from .core_import import core_settings_from
from .criteria import CONF_DOMAINS, CONF_ENTITIES, CONF_GLOBS
from .exclude import excluding_all, including_all
from .filter import FILTER
from .filter import PAGE as FILTER_PAGE
from .page import OptionError, Page, Suggestion
from .selectors import ATTRIBUTES, Offered

CORE: Final = "core"
# The domain of the built-in integration.
BUILT_IN: Final = "influxdb"

CONF_IGNORE: Final = "ignore_attributes"
CONF_TAGS_ATTRIBUTES: Final = "tags_attributes"

# Of fixed tags and those of attributes together: points of another home have one more.
TAGS_ROOM: Final = TAGS_MAX - len(COLUMNS.entity_tags) - 1

_INCLUDE: Final = "include"
_EXCLUDE: Final = "exclude"
_PARTS: Final = (_INCLUDE, _EXCLUDE)
# What the built-in integration calls its lists, and what ours are called.
_LISTS: Final[Mapping[str, str]] = {
    "domains": CONF_DOMAINS,
    "entities": CONF_ENTITIES,
    "entity_globs": CONF_GLOBS,
}
# The translation of an option cannot have the key of one of them, so all have their label here.
_MEASUREMENT_LABELS: Final[Mapping[MeasurementAttr, str]] = {
    "unit_of_measurement": "Unit of measurement",
    "domain__device_class": "Domain and device class",
    "entity_id": "Entity ID",
}


def _page_of(settings: CoreSettings) -> dict[str, Any]:
    """Write settings as the built-in integration's YAML has them."""
    return {
        "measurement_attr": settings.measurement_attr,
        "default_measurement": settings.default_measurement,
        "override_measurement": settings.override_measurement,
        "tags": dict(settings.tags),
        CONF_TAGS_ATTRIBUTES: sorted(settings.tags_attributes),
        CONF_IGNORE: sorted(settings.ignore_attributes),
        "component_config": _overrides(settings.component_config),
        "component_config_domain": _overrides(settings.component_config_domain),
        "component_config_glob": _overrides(settings.component_config_glob),
    }


def _overrides(said: Mapping[str, CoreOverride]) -> dict[str, dict[str, Any]]:
    return {name: _override(override) for name, override in said.items()}


def _override(override: CoreOverride) -> dict[str, Any]:
    page: dict[str, Any] = {}
    if override.override_measurement is not None:
        page["override_measurement"] = override.override_measurement
    if override.ignore_attributes is not None:
        page[CONF_IGNORE] = sorted(override.ignore_attributes)
    return page


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    read = core_settings_from(entered)
    if read.left_out:
        where = read.left_out[0]
        field, _, inner = where.partition(".")
        reason = "part_not_understood" if inner else "not_a_mapping"
        raise OptionError(field, reason, where)
    if not _has_room(read.settings):
        field = CONF_TAGS_ATTRIBUTES if read.settings.tags_attributes else "tags"
        raise OptionError(field, "too_many_tags", more={"room": str(TAGS_ROOM)})
    return _page_of(read.settings)


def _has_room(settings: CoreSettings) -> bool:
    """Whether a point has room for all tags; what is too much would be missing in it."""
    return len(settings.tags) + len(settings.tags_attributes) <= TAGS_ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Settings of the built-in integration, and the names of what is taken over and what is not."""

    values: Mapping[str, Any]
    taken: tuple[str, ...]
    left_out: tuple[str, ...]
    filter_lists: Mapping[str, Mapping[str, list[str]]]

    def beside(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is stored of the page of what is recorded, if its lists say anything."""
        if not any(self.filter_lists.values()):
            return {}
        changed = including_all(options, self.filter_lists[_INCLUDE])
        return {FILTER: excluding_all(changed, self.filter_lists[_EXCLUDE])[FILTER]}


async def async_built_in_yaml(hass: HomeAssistant) -> Mapping[str, Any] | None:
    """Read the section of the built-in integration, if there is one that can be read."""
    try:
        section = (await async_hass_config_yaml(hass)).get(BUILT_IN)
    except HomeAssistantError, FileNotFoundError:
        return None  # Home Assistant says itself what is wrong with its configuration
    return section if isinstance(section, Mapping) else None


async def async_found(hass: HomeAssistant) -> Found:
    """Read the settings of the built-in integration."""
    read = core_settings_from(await async_built_in_yaml(hass) or {})
    lists = _filter_lists({_INCLUDE: read.include, _EXCLUDE: read.exclude})
    refused: list[str] = []
    if lists is None:
        refused += (key for key in _PARTS if key in read.taken)
    settings = read.settings
    if not _has_room(settings):
        # Then they are fields.
        settings = replace(settings, tags_attributes=frozenset())
        refused.append(CONF_TAGS_ATTRIBUTES)
    return Found(
        values=_page_of(settings),
        taken=tuple(key for key in read.taken if key not in refused),
        left_out=(*read.left_out, *refused),
        filter_lists=lists or {part: {} for part in _PARTS},
    )


async def _async_suggest(hass: HomeAssistant) -> Suggestion:
    """Suggest those settings; those that are not taken over are named."""
    found = await async_found(hass)
    notes = {
        "built_in_filled_in": found.taken,
        "built_in_left_out": found.left_out,
        **{
            key: [name for names in found.filter_lists[part].values() for name in names]
            for key, part in (("built_in_included", _INCLUDE), ("built_in_excluded", _EXCLUDE))
        },
    }
    return Suggestion(
        values=found.values,
        notes={key: names for key, names in notes.items() if names},
        beside=found.beside,
    )


def _filter_lists(
    parts: Mapping[str, Mapping[str, Iterable[str]]],
) -> dict[str, dict[str, list[str]]] | None:
    """Return lists for the page of what is recorded; None where they would say another thing.

    That page takes names in any case, the built-in integration does not.
    """
    lists = {
        part: {_LISTS[name]: list(names) for name, names in of.items()}
        for part, of in parts.items()
    }
    try:
        accepted = FILTER_PAGE.validate(lists)
    except OptionError:
        return None
    stored = {_INCLUDE: accepted[_INCLUDE], _EXCLUDE: accepted}
    found = {part: {name: stored[part].get(name, []) for name in of} for part, of in lists.items()}
    is_same = all(
        set(values) == set(found[part][name])
        for part, of in lists.items()
        for name, values in of.items()
    )
    return found if is_same else None


PAGE: Final = Page(
    key=CORE,
    schema=vol.Schema(
        {
            vol.Required("measurement_attr"): SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=name, label=_MEASUREMENT_LABELS[name])
                        for name in MEASUREMENT_ATTRS
                    ]
                )
            ),
            vol.Optional("default_measurement"): TextSelector(),
            vol.Optional("override_measurement"): TextSelector(),
            vol.Optional("tags"): ObjectSelector(),
            vol.Optional(CONF_TAGS_ATTRIBUTES): Offered(ATTRIBUTES),
            vol.Optional(CONF_IGNORE): Offered(ATTRIBUTES),
            vol.Optional("component_config"): ObjectSelector(),
            vol.Optional("component_config_domain"): ObjectSelector(),
            vol.Optional("component_config_glob"): ObjectSelector(),
        }
    ),
    defaults=_page_of(CoreSettings()),
    validate=_accepted,
    async_suggest=_async_suggest,
)


def core_settings(options: Mapping[str, Any]) -> CoreSettings:
    """Read the settings."""
    return core_settings_from(PAGE.read(options)).settings


def ignoring(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return options that leave out one more attribute."""
    ignored = sorted({*PAGE.read(options)[CONF_IGNORE], name})
    return PAGE.changed(options, {CONF_IGNORE: ignored})
