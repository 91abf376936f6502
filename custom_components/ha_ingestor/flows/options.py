"""The dialogue for behaviour: a menu, and one page for each row of a table."""

from collections.abc import Mapping
from functools import partialmethod
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..connection import try_at_once
from ..health.server_text import plain
from ..options import attributes, events, exclude, noise, points, spool, weather
from ..options.page import OptionError, Page
from .series_changes import STEPS, Consequence, async_consequences

# Each page has a key of its own among the options.
PAGES: Final[Mapping[str, Page]] = {
    page.key: page
    for page in (
        *(points.PAGE, *points.PROFILE_PAGES.values(), attributes.PAGE, exclude.PAGE),
        *(events.PAGE, weather.PAGE, noise.PAGE, spool.PAGE),
    )
}
MENU: Final = [key for key, page in PAGES.items() if page.in_menu]


class HaIngestorOptionsFlow(OptionsFlow):
    """Changes one page at a time, and asks before series of the database change.

    The update listener reloads the entry afterwards.
    """

    def __init__(self) -> None:
        """Start without choices."""
        self._chosen: dict[str, Any] = {}
        self._unconfirmed: list[Consequence] = []

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu of pages."""
        return self.async_show_menu(step_id="init", menu_options=MENU)

    async def _async_page(
        self, key: str, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        page = PAGES[key]
        errors: dict[str, str] = {}
        told: dict[str, str] = {}
        if user_input is not None:
            try:
                self._chosen[key] = page.accepted(user_input)
            except OptionError as err:
                errors, told = {err.field: err.reason}, {"wrong": err.invalid_value, **err.more}
            else:
                if page.async_suggest and key not in self.config_entry.options:
                    options = {**self.config_entry.options, **self._chosen}
                    self._chosen |= (await page.async_suggest(self.hass)).beside(options)
                return await self._async_accepted(page.next_page(self._chosen[key]))
        known, placeholders = self.config_entry.options.get(key), page.placeholders
        if known is None and page.async_suggest:
            found = await page.async_suggest(self.hass)
            known, placeholders = found.values, found.placeholders
        shown = user_input or page.shown(page.completed(known or {}))
        return self.async_show_form(
            step_id=key,
            data_schema=self.add_suggested_values_to_schema(page.schema, shown),
            errors=errors,
            description_placeholders={
                name: plain(text) for name, text in {"wrong": "", **placeholders, **told}.items()
            },
        )

    async def _async_accepted(self, next_page: str) -> ConfigFlowResult:
        if next_page:
            return await self._async_page(next_page)
        before = self.config_entry.options
        after = {**before, **self._chosen}
        self._unconfirmed = await async_consequences(self.hass, before, after)
        return self._finish()

    async def _async_confirmed(
        self, _step: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        self._unconfirmed.pop(0)
        return self._finish()

    def _finish(self) -> ConfigFlowResult:
        """Store what was chosen, once everything that it does was confirmed."""
        for consequence in self._unconfirmed:
            return self.async_show_form(
                step_id=consequence.step,
                data_schema=vol.Schema({}),
                description_placeholders=consequence.placeholders,
            )
        stored = {
            key: PAGES[key].within_bounds(page) if key in PAGES else page
            for key, page in self.config_entry.options.items()
        }
        data = {**stored, **self._chosen}
        if data == self.config_entry.options:
            try_at_once(self.hass, self.config_entry, is_changed=False)
        return self.async_create_entry(data=data)


# Home Assistant finds a step by the name of its method.
for _names, _method in (
    (PAGES, HaIngestorOptionsFlow._async_page),  # noqa: SLF001
    (STEPS, HaIngestorOptionsFlow._async_confirmed),  # noqa: SLF001
):
    for _name in _names:
        setattr(HaIngestorOptionsFlow, f"async_step_{_name}", partialmethod(_method, _name))
