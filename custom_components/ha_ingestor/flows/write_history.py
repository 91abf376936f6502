"""The page that writes history: what is there, how far it is, and what to do with it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    DateTimeSelector,
    StatisticSelector,
    StatisticSelectorConfig,
    TargetSelector,
)
from homeassistant.util import dt as dt_util

from ..actions.backfill import (
    ATTR_CONTENT,
    ATTR_END,
    ATTR_START,
    ATTR_STATISTICS,
    asked_for,
    async_begin,
    async_cancel_backfill,
    async_counted,
    async_pause_backfill,
    async_resume_backfill,
    is_open,
    most_first,
    targeted,
)
from ..health.texts.words import async_words, backfill_content_word, common_word
from ..options.selectors import choice
from ..pipeline.snapshot import Backfill as Shown
from ..sources.recorder.counts import Counts
from ..sources.recorder.job import Content, Request
from .shown import UNKNOWN, listed, number
from .steps import add_steps

WRITE_HISTORY: Final = "write_history"
ATTR_TARGET: Final = "target"
# What is shown of what was counted, by whether there are states and statistics in it.
COUNTED: Final[Mapping[tuple[bool, bool], str]] = {
    (True, False): "history_counted",
    (False, True): "statistics_counted",
    (True, True): "both_counted",
}

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_START): DateTimeSelector(),
        vol.Optional(ATTR_END): DateTimeSelector(),
        vol.Required(ATTR_CONTENT, default=[Content.STATES.value]): choice(
            "history_content", Content, multiple=True, as_list=True
        ),
        vol.Optional(ATTR_TARGET): TargetSelector(),
        vol.Optional(ATTR_STATISTICS): StatisticSelector(StatisticSelectorConfig(multiple=True)),
    }
)
# Templates pass the selector.
_TARGET: Final = vol.Schema(cv.TARGET_FIELDS)

# What is shown while history is written, and what can be done then.
PROGRESS: Final[Mapping[str, list[str]]] = {
    "history_running": [WRITE_HISTORY, "pause_history", "cancel_history"],
    "history_waiting": [WRITE_HISTORY, "pause_history", "cancel_history"],
    "history_paused": ["resume_history", "cancel_history"],
}
ACTIONS: Final[Mapping[str, Callable[..., Awaitable[None]]]] = {
    "pause_history": async_pause_backfill,
    "resume_history": async_resume_backfill,
    "cancel_history": async_cancel_backfill,
}
# Little enough to try it, and it shows every part of a day.
_SUGGESTED: Final = timedelta(days=1)
# As the frontend writes a time, to the minute.
_ENTERED: Final = "%Y-%m-%d %H:%M:00"
# The field that an error is shown at.
_FIELDS: Final[Mapping[str, str]] = {
    "backfill_time": ATTR_START,
    "backfill_no_entity": ATTR_TARGET,
}


class WriteHistoryFlow(OptionsFlow):
    """Asks, counts, begins when the user confirms it, and shows how far it is.

    It changes no options.
    """

    _asked: Mapping[str, Any] | None = None
    _counted: tuple[Request, Counts] | None = None
    # Whether the user saw that history is written, and wants to know its end.
    _is_watching = False

    async def async_step_write_history(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show how far it is, or ask what to write."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        job = self.config_entry.runtime_data.backfill.job
        if job and job.is_open:
            self._is_watching = True
            return await self._async_show_progress(job.status)
        if job and self._is_watching:
            return self._told_end(job.status)
        if user_input is None:
            return await self._async_ask({})
        self._asked = user_input
        return await self._async_count(user_input)

    async def async_step_start_history(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin with what was counted."""
        if self._counted and self.config_entry.state is ConfigEntryState.LOADED:
            (request, counts), self._counted = self._counted, None
            try:
                await async_begin(self.config_entry, request, counts)
            except HomeAssistantError as err:
                return await self._async_ask({"base": str(err.translation_key)})
        return await self.async_step_write_history()

    async def _async_count(self, asked: Mapping[str, Any]) -> ConfigFlowResult:
        if not asked[ATTR_CONTENT]:
            return await self._async_ask({ATTR_CONTENT: "backfill_no_content"})
        try:
            request = self._request(asked)
            counts = await async_counted(self.config_entry, request)
        except HomeAssistantError as err:
            key = str(err.translation_key)
            return await self._async_ask({_FIELDS.get(key, "base"): key})
        except vol.Invalid:
            return await self._async_ask({ATTR_TARGET: "backfill_no_entity"})
        if not counts.recorded:
            return await self._async_ask(
                {"base": "all_excluded" if counts.excluded else "nothing_recorded"}
            )
        self._counted = request, counts
        return await self._async_show_again()

    def _request(self, asked: Mapping[str, Any]) -> Request:
        """Read the form; raises vol.Invalid and HomeAssistantError."""
        start = cv.datetime(asked[ATTR_START])
        end = cv.datetime(asked[ATTR_END]) if asked.get(ATTR_END) else None
        target = _TARGET(asked.get(ATTR_TARGET) or {})
        names = targeted(self.hass, asked.get(ATTR_STATISTICS) or (), target)
        return asked_for(start, end, names, asked[ATTR_CONTENT])

    async def _async_ask(self, errors: dict[str, str]) -> ConfigFlowResult:
        shown = self._asked or {ATTR_START: f"{dt_util.now() - _SUGGESTED:{_ENTERED}}"}
        return self.async_show_form(
            step_id=WRITE_HISTORY,
            data_schema=self.add_suggested_values_to_schema(SCHEMA, shown),
            errors=errors,
            description_placeholders={"last": await self._async_last()},
        )

    async def _async_last(self) -> str:
        """Say what became of the last run; empty if there was none, or one is open."""
        job = self.config_entry.runtime_data.backfill.job
        if job is None or job.is_open:
            return ""
        ended = _time(dt_util.utc_from_timestamp(job.ended)) if job.ended else UNKNOWN
        words = await async_words(self.hass)
        told = {**_progress(self._shown), "ended": ended}
        return common_word(words, f"history_{job.status}").format(**told)

    def _show_counts(self, request: Request, counts: Counts) -> ConfigFlowResult:
        span, contents = request.span, request.contents
        entities, statistics = most_first(counts.entities), most_first(counts.statistics)
        return self.async_show_menu(
            step_id=COUNTED[Content.STATES in contents, Content.STATISTICS in contents],
            menu_options=["start_history", WRITE_HISTORY],
            description_placeholders={
                "after": _time(dt_util.utc_from_timestamp(span.after)),
                "until": _time(dt_util.utc_from_timestamp(span.until)),
                "rows": number(sum(counts.entities.values())),
                "entities": number(len(entities)),
                "hours": number(sum(counts.statistics.values())),
                "statistics": number(len(statistics)),
                "excluded": number(counts.excluded),
                "too_old": number(counts.too_old),
                "top": listed(f"{name} ({number(count)})" for name, count in entities),
                "top_statistics": listed(f"{name} ({number(count)})" for name, count in statistics),
            },
        )

    async def _async_show_progress(self, status: str) -> ConfigFlowResult:
        shown, words = self._shown, await async_words(self.hass)
        # Whether it waits is not a state of the job, but of the moment.
        is_waiting = status == "running" and shown.status == "waiting"
        step = "history_waiting" if is_waiting else f"history_{status}"
        return self.async_show_menu(
            step_id=step,
            menu_options=PROGRESS[step],
            description_placeholders={
                "content": backfill_content_word(words, shown.content or ""),
                **_progress(shown),
            },
        )

    async def _async_show_again(
        self, _step: str = "", _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        if self._counted:
            return self._show_counts(*self._counted)
        return await self.async_step_write_history()

    async def _async_act(
        self, name: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        if self.config_entry.state is ConfigEntryState.LOADED and is_open(self.config_entry):
            await ACTIONS[name](self.config_entry)
        return await self.async_step_write_history()

    def _told_end(self, status: str) -> ConfigFlowResult:
        return self.async_abort(
            reason="history_done" if status == "done" else "history_cancelled",
            description_placeholders=_progress(self._shown),
        )

    @property
    def _shown(self) -> Shown:
        shown: Shown = self.config_entry.runtime_data.pipeline.past_events.backfill
        return shown


def _progress(shown: Shown) -> dict[str, str]:
    return {
        "percent": number(shown.percent or 0),
        "after": _time(shown.after),
        "until": _time(shown.until),
        "position": _time(shown.position),
        "rows": number(shown.rows),
        "total": number(shown.total),
        "points": number(shown.points),
    }


def _time(moment: datetime | None) -> str:
    return f"{dt_util.as_local(moment):%Y-%m-%d %H:%M}" if moment else ""


for _method, _names in (
    (WriteHistoryFlow._async_act, ACTIONS),  # noqa: SLF001
    (WriteHistoryFlow._async_show_again, (*COUNTED.values(), *PROGRESS)),  # noqa: SLF001
):
    add_steps(WriteHistoryFlow, _method, {name: name for name in _names})
