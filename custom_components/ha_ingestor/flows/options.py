"""The dialogue for behaviour: a menu, and one page for each row of a table."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult

from ..connection import try_at_once
from ..health.home_entities import async_preview
from ..health.issues.issues import panel_url
from ..health.texts.place import distinct_title
from ..health.texts.server_text import markdown, plain
from ..options import attributes, events, history, noise, points, spool, weather
from ..options import filter as filter_page
from ..options.page import OptionError, Page
from ..options.selectors import collapsing, offering, offers_names
from .filter_preview import PREVIEWS, SAVE, SAVE_ANYWAY, async_placeholders, save_of, step_of
from .fits_nothing import FITS_NOTHING, async_fits_nothing
from .home_offers import async_offers
from .series_changes import STEPS, Consequence, async_consequences
from .shown import async_sentences
from .steps import add_steps
from .write_history import WRITE_HISTORY, WriteHistoryFlow

# Each page has a key of its own among the options.
PAGES: Final[Mapping[str, Page]] = {
    page.key: page
    for page in (
        *(points.PAGE, *points.PROFILE_PAGES.values(), attributes.PAGE, filter_page.PAGE),
        *(events.PAGE, weather.PAGE, noise.PAGE, spool.PAGE, history.PAGE),
    )
}
# Each menu leads to pages and to other menus.
MENUS: Final[Mapping[str, list[str]]] = {
    "init": [
        *(filter_page.FILTER, "how_points_look", noise.NOISE, "events_and_weather", spool.SPOOL),
        *(history.HISTORY, WRITE_HISTORY),
    ],
    "how_points_look": [points.POINTS, attributes.ATTRIBUTES],
    "events_and_weather": [events.EVENTS, weather.WEATHER],
}
# What can be done where an effect is to be confirmed.
CONFIRM: Final = ["confirmed", "go_back"]


class HaIngestorOptionsFlow(WriteHistoryFlow):
    """Changes one page at a time, and asks before series of the database change.

    The update listener reloads the entry afterwards.
    """

    def __init__(self) -> None:
        """Start without choices."""
        self._chosen: dict[str, Any] = {}
        # What was chosen before the user went back; it is shown, and stored only if chosen again.
        self._before: Mapping[str, Any] = {}
        self._unconfirmed: list[Consequence] = []

    async def _async_menu(
        self, name: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return self.async_show_menu(
            step_id=name,
            menu_options=MENUS[name],
            description_placeholders={
                "title": markdown(distinct_title(self.hass, self.config_entry)),
                "panel": panel_url("entities", self.config_entry.entry_id),
            },
        )

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
                errors, told = (
                    {err.field: err.reason},
                    {"invalid_value": err.invalid_value, **err.more},
                )
            else:
                if page.async_suggest and key not in self.config_entry.options:
                    options = {**self.config_entry.options, **self._chosen}
                    self._chosen |= (await page.async_suggest(self.hass)).beside(options)
                if key == filter_page.FILTER:
                    return await self._async_preview()
                return await self._async_accepted(page.next_page(self._chosen[key]))
        return await self._async_show_page(key, user_input, errors, told)

    async def _async_show_page(
        self,
        key: str,
        entered: Mapping[str, Any] | None,
        errors: dict[str, str],
        told: Mapping[str, str],
    ) -> ConfigFlowResult:
        """Show what was `entered`, or else chosen before, stored or found in the home."""
        page = PAGES[key]
        known = {**self.config_entry.options, **self._before, **self._chosen}.get(key)
        sentences: list[str] = []
        if page.async_suggest and key not in {*self.config_entry.options, *self._chosen}:
            found = await page.async_suggest(self.hass)
            known = known or found.values
            notes = {
                name: {"names": markdown(", ".join(names))} for name, names in found.notes.items()
            }
            sentences = await async_sentences(self.hass, notes)
        words = {"invalid_value": "", **page.placeholders, **told}
        shown = entered or page.shown(page.completed(known or {}))
        schema = page.schema
        if offers_names(schema):
            schema = offering(schema, await async_offers(self.hass))
        return self.async_show_form(
            step_id=key,
            data_schema=self.add_suggested_values_to_schema(collapsing(schema, shown), shown),
            errors=errors,
            description_placeholders={
                **{name: plain(text) for name, text in words.items()},
                "found": " ".join(sentences),
            },
        )

    async def _async_preview(
        self, _step: str = "", _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the filter would record, and go back or save."""
        chosen = self._chosen[filter_page.FILTER]
        preview = await async_preview(self.hass, self.config_entry, chosen)
        return self.async_show_menu(
            step_id=step_of(preview),
            menu_options=[save_of(preview), filter_page.FILTER],
            description_placeholders=await async_placeholders(self.hass, preview),
        )

    async def _async_save_filter(
        self, _step: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return await self._async_accepted("")

    async def _async_accepted(self, next_page: str) -> ConfigFlowResult:
        if next_page:
            return await self._async_page(next_page)
        before = self.config_entry.options
        after = {**before, **self._chosen}
        self._unconfirmed = [
            *await async_fits_nothing(self.hass, before, after),
            *await async_consequences(self.hass, before, after),
        ]
        return self._finish()

    async def _async_consequence(
        self, _step: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return self._finish()

    async def async_step_go_back(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Return to the page that was opened first, with what was entered."""
        first = next(iter(self._chosen))
        self._before, self._chosen = self._chosen, {}
        return await self._async_page(first)

    async def async_step_confirmed(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on to what is not confirmed yet."""
        self._unconfirmed.pop(0)
        return self._finish()

    def _finish(self) -> ConfigFlowResult:
        """Store what was chosen, once everything that it does was confirmed."""
        for consequence in self._unconfirmed:
            return self.async_show_menu(
                step_id=consequence.step,
                menu_options=CONFIRM,
                description_placeholders=consequence.placeholders,
            )
        stored = {
            # What cannot be used stays until its own page was filled in.
            key: PAGES[key].within_bounds(page)
            if key in PAGES and not PAGES[key].lost(self.config_entry.options)
            else page
            for key, page in self.config_entry.options.items()
        }
        data = {**stored, **self._chosen}
        is_changed = data != self.config_entry.options
        # No listener reloads an entry whose set-up failed, maybe for its options.
        if not is_changed or self.config_entry.state is ConfigEntryState.SETUP_ERROR:
            try_it = partial(try_at_once, self.hass, self.config_entry, is_changed=is_changed)
            # Once the options are stored, which Home Assistant does with what this returns.
            self.hass.loop.call_soon(try_it)
        return self.async_create_entry(data=data)


for _method, _names in (
    (HaIngestorOptionsFlow._async_menu, MENUS),  # noqa: SLF001
    (HaIngestorOptionsFlow._async_page, PAGES),  # noqa: SLF001
    (HaIngestorOptionsFlow._async_preview, PREVIEWS),  # noqa: SLF001
    (HaIngestorOptionsFlow._async_save_filter, (SAVE, SAVE_ANYWAY)),  # noqa: SLF001
    (HaIngestorOptionsFlow._async_consequence, (FITS_NOTHING, *STEPS)),  # noqa: SLF001
):
    add_steps(HaIngestorOptionsFlow, _method, {name: name for name in _names})
