"""The page of the `core` profile: the settings of the built-in `influxdb` integration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config import async_hass_config_yaml
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    ObjectSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)

from ..core_import import core_settings_from
from ..pipeline.profiles.core_settings import MEASUREMENT_ATTRS, CoreOverride, CoreSettings
from .page import Found, OptionError, Page

if TYPE_CHECKING:
    import probatio as vol  # what Home Assistant's signatures name, and what vol is at run time
else:
    import voluptuous as vol

CORE: Final = "core"

CONF_IGNORE: Final = "ignore_attributes"

_BUILT_IN: Final = "influxdb"
_NOTHING: Final = "-"


def _page_of(settings: CoreSettings) -> dict[str, Any]:
    """Write settings as the built-in integration's YAML has them."""
    return {
        "measurement_attr": settings.measurement_attr,
        "default_measurement": settings.default_measurement,
        "override_measurement": settings.override_measurement,
        "tags": dict(settings.tags),
        "tags_attributes": sorted(settings.tags_attributes),
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


_DEFAULTS: Final[Mapping[str, Any]] = _page_of(CoreSettings())


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    read = core_settings_from(entered)
    if read.left_out:
        raise OptionError(read.left_out[0].partition(".")[0], "not_understood")
    return _page_of(read.settings)


async def _async_found(hass: HomeAssistant) -> Found:
    """Read what the built-in integration is told; what says nothing to us is named."""
    try:
        section = (await async_hass_config_yaml(hass)).get(_BUILT_IN)
    except HomeAssistantError, FileNotFoundError:
        section = None  # Home Assistant says itself what is wrong with its configuration
    read = core_settings_from(section if isinstance(section, Mapping) else {})
    placeholders = {"left_out": ", ".join(read.left_out) or _NOTHING}
    return Found(values=_page_of(read.settings), placeholders=placeholders)


_LIST: Final = TextSelector(TextSelectorConfig(multiple=True))

PAGE: Final = Page(
    schema=vol.Schema(
        {
            vol.Required("measurement_attr"): SelectSelector(
                SelectSelectorConfig(
                    options=list(MEASUREMENT_ATTRS), translation_key="measurement_attr"
                )
            ),
            vol.Optional("default_measurement"): TextSelector(),
            vol.Optional("override_measurement"): TextSelector(),
            vol.Optional("tags"): ObjectSelector(),
            vol.Optional("tags_attributes"): _LIST,
            vol.Optional(CONF_IGNORE): _LIST,
            vol.Optional("component_config"): ObjectSelector(),
            vol.Optional("component_config_domain"): ObjectSelector(),
            vol.Optional("component_config_glob"): ObjectSelector(),
        }
    ),
    defaults=_DEFAULTS,
    accept=_accepted,
    placeholders={"left_out": _NOTHING},
    async_found=_async_found,
    in_menu=False,
)


def core_settings(options: Mapping[str, Any]) -> CoreSettings:
    """Read the settings."""
    return core_settings_from(options.get(CORE, {})).settings


def ignoring(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return options that leave out one more attribute."""
    page = {**_DEFAULTS, **options.get(CORE, {})}
    ignored = sorted({*page[CONF_IGNORE], name})
    return {**options, CORE: {**page, CONF_IGNORE: ignored}}
