"""The dialogue for behaviour: a menu, and one page for each row of a table."""

from collections.abc import Mapping
from functools import partialmethod
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from .options import spool
from .options.page import OptionError, Page

# Each page has a key of its own among the options.
PAGES: Final[Mapping[str, Page]] = {
    spool.SPOOL: spool.PAGE,
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
