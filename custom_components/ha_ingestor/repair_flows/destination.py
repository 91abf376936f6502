"""Creates what a destination lacks, once the user agrees."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.repairs import RepairsFlowResult
from homeassistant.const import CONF_URL

from ..connection import async_administrator
from ..const import CONF_BUCKET, CONF_DATABASE, CONF_RETENTION_POLICY
from ..coordinator import HaIngestorConfigEntry
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown, plain
from ..health.texts.words import async_words, problem_word
from ..options.number import OptionError, accepted_numbers
from ..options.retention import CONF_RETENTION_DAYS, RETENTION_SCHEMA
from ..pipeline.export.result import Kind, Problem, Result
from ..tasks.shielded import async_shielded
from .loaded import LoadedRepair

_NAMED_BY: Final[Mapping[Problem, str]] = {
    Problem.BUCKET_NOT_FOUND: CONF_BUCKET,
    Problem.DATABASE_NOT_FOUND: CONF_DATABASE,
    Problem.RETENTION_POLICY_NOT_FOUND: CONF_RETENTION_POLICY,
}


class RepairDestination(LoadedRepair):
    """Ask once, then create what is missing."""

    def __init__(self, entry_id: str, problem: Problem) -> None:
        """Prepare the repair of one destination."""
        super().__init__(entry_id)
        self._problem = problem

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and repair."""
        if (entry := self._entry) is None:
            return self.async_abort(reason="not_loaded")
        placeholders = {
            "title": plain(entry.title),
            "name": markdown(_missing_name(entry.data, self._problem)),
            "url": markdown(entry.data[CONF_URL]),
            "detail": "",
        }
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                wanted = accepted_numbers(RETENTION_SCHEMA, RETENTION_SCHEMA(user_input))
            except OptionError as err:
                errors = {err.field: err.reason}
                placeholders |= err.more
            else:
                create = self._create(entry, wanted[CONF_RETENTION_DAYS])
                result = await async_shielded(self.hass, create, "ha_ingestor repair")
                if result.kind is Kind.ACCEPTED:
                    return self.async_create_entry(data={})
                errors["base"] = "not_created"
                problem = problem_word(await async_words(self.hass), result.problem)
                placeholders["detail"] = plain(
                    ": ".join(filter(None, (problem, async_said(self.hass, result.detail))))
                )
        return self.async_show_form(
            step_id="confirm",
            data_schema=RETENTION_SCHEMA,
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _create(self, entry: HaIngestorConfigEntry, days: int) -> Result:
        """Create what is missing, and deliver at once when it is there."""
        # Before the first wait: the entry may be unloaded meanwhile.
        pipeline = entry.runtime_data.pipeline
        administrator = await async_administrator(self.hass, entry.data)
        result = await administrator.create_missing(days)
        if result.kind is Kind.ACCEPTED:
            await pipeline.flush()
        return result


def _missing_name(data: Mapping[str, Any], problem: Problem) -> str:
    """Return the name of what is missing."""
    key = _NAMED_BY.get(problem)
    return str(data[key]) if key else ""
