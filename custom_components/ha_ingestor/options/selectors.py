"""How a page asks for names and choices."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorField,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

TEXTS: Final = TextSelector(TextSelectorConfig(multiple=True))


def choice(
    key: str, options: Iterable[str], *, multiple: bool = False, as_list: bool = False
) -> SelectSelector:
    """Ask for one of some options, or several; their labels are translated under the key."""
    config = SelectSelectorConfig(options=list(options), translation_key=key, multiple=multiple)
    if as_list:
        config["mode"] = SelectSelectorMode.LIST
    return SelectSelector(config)


def suggestions(options: Iterable[str]) -> SelectSelector:
    """Ask for any names, and offer some."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(options),
            multiple=True,
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


# What a home has, by which a page can offer names: each name with the number of entities.
DOMAINS: Final = "domains"
DEVICE_CLASSES: Final = "device_classes"
INTEGRATIONS: Final = "integrations"
ATTRIBUTES: Final = "attributes"

type Offers = Mapping[str, Mapping[str, int]]


class Offered(SelectSelector):
    """Ask for any names, and offer those that the home has of a kind."""

    def __init__(self, kind: str, names: Mapping[str, int] | None = None) -> None:
        """Name the kind; `names` are the offered ones, each with a count."""
        self.kind = kind
        super().__init__(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=name, label=f"{name} ({count})")
                    for name, count in sorted((names or {}).items())
                ],
                multiple=True,
                custom_value=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )


def offers_names(schema: vol.Schema) -> bool:
    """Whether a form offers what the home has."""
    return any(_offers(selector) for selector in schema.schema.values())


def _offers(selector: Any) -> bool:
    if isinstance(selector, section):
        return offers_names(selector.schema)
    if isinstance(selector, ObjectSelector):
        fields = selector.config.get("fields", {}).values()
        return any(isinstance(field["selector"], Offered) for field in fields)
    return isinstance(selector, Offered)


def offering(schema: vol.Schema, offers: Offers) -> vol.Schema:
    """Return a form that offers what the home has, also in its sections and lists of objects."""
    return vol.Schema(
        {marker: _offering(selector, offers) for marker, selector in schema.schema.items()}
    )


def _offering(selector: Any, offers: Offers) -> Any:
    if isinstance(selector, Offered):
        return Offered(selector.kind, offers.get(selector.kind))
    if isinstance(selector, section):
        return section(offering(selector.schema, offers), selector.options)
    if isinstance(selector, ObjectSelector) and _offers(selector):
        config = selector.config
        fields = {
            name: ObjectSelectorField({**field, "selector": _offering(field["selector"], offers)})
            for name, field in config["fields"].items()
        }
        return ObjectSelector({**config, "fields": fields})
    return selector


def collapsing(schema: vol.Schema, shown: Mapping[str, Any]) -> vol.Schema:
    """Return a form whose sections are open where there is something to see."""
    return vol.Schema(
        {
            marker: section(field.schema, {"collapsed": not any(shown.get(marker, {}).values())})
            if isinstance(field, section)
            else field
            for marker, field in schema.schema.items()
        }
    )
