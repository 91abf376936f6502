"""The dialogue for behaviour: a menu, and one page for each row of a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partialmethod
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import UnitOfInformation, UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)

from .options import (
    CONF_COMPRESS,
    CONF_DURABILITY,
    CONF_MAX_AGE,
    CONF_MAX_SIZE,
    CONF_MIN_FREE,
    MIN_SIZE,
    SPOOL,
    SPOOL_DEFAULTS,
    OptionError,
    accepted_spool,
)
from .pipeline.durability import Durability

if TYPE_CHECKING:
    import probatio as vol  # what Home Assistant's signatures name, and what vol is at run time
else:
    import voluptuous as vol


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A form, what it shows before anything was chosen, and what becomes of an input.

    `accept` returns what is stored under the key of the page, or raises OptionError; its sentences
    may use `placeholders`.
    """

    schema: vol.Schema
    defaults: Mapping[str, Any]
    accept: Callable[[Mapping[str, Any]], dict[str, Any]]
    placeholders: Mapping[str, str] = field(default_factory=dict)


_SIZE: Final = NumberSelector(
    NumberSelectorConfig(
        min=0,
        step=1,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement=UnitOfInformation.MEBIBYTES,
    )
)

PAGES: Final[Mapping[str, Page]] = {
    SPOOL: Page(
        schema=vol.Schema(
            {
                vol.Required(CONF_DURABILITY): SelectSelector(
                    SelectSelectorConfig(options=list(Durability), translation_key=CONF_DURABILITY)
                ),
                vol.Required(CONF_MAX_SIZE): _SIZE,
                vol.Optional(CONF_MAX_AGE): NumberSelector(
                    NumberSelectorConfig(
                        min=0,
                        step="any",
                        mode=NumberSelectorMode.BOX,
                        unit_of_measurement=UnitOfTime.DAYS,
                    )
                ),
                vol.Required(CONF_MIN_FREE): _SIZE,
                vol.Required(CONF_COMPRESS): BooleanSelector(),
            }
        ),
        defaults=SPOOL_DEFAULTS,
        accept=accepted_spool,
        placeholders={"min_size": str(MIN_SIZE)},
    ),
}


class HaIngestorOptionsFlow(OptionsFlow):
    """Changes one page at a time; the update listener reloads the entry afterwards."""

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which page."""
        return self.async_show_menu(step_id="init", menu_options=list(PAGES))

    async def _async_page(
        self, key: str, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        page, options = PAGES[key], self.config_entry.options
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return self.async_create_entry(data={**options, key: page.accept(user_input)})
            except OptionError as err:
                errors = {err.field: err.reason}
        shown = user_input or {**page.defaults, **options.get(key, {})}
        return self.async_show_form(
            step_id=key,
            data_schema=self.add_suggested_values_to_schema(page.schema, shown),
            errors=errors,
            description_placeholders=page.placeholders,
        )


# Home Assistant finds a step by the name of its method.
for _key in PAGES:
    _step = partialmethod(HaIngestorOptionsFlow._async_page, _key)  # noqa: SLF001
    setattr(HaIngestorOptionsFlow, f"async_step_{_key}", _step)
