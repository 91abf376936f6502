"""The steps that choose a bucket or database, or create it."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_URL
from homeassistant.helpers.selector import BooleanSelector

from ..clients.influx.dialect import Dialect
from ..connection import ADDRESS_PROBLEMS, CONNECTION_PROBLEMS, async_administrator
from ..const import CONF_BUCKET, CONF_DATABASE, CONF_ORG, CONF_RETENTION_POLICY
from ..health.texts.server_text import markdown, plain
from ..options.number import OptionError, accepted_numbers, grouped
from ..options.retention import CONF_RETENTION_DAYS, RETENTION_MAX, RETENTION_SCHEMA
from ..pipeline.export.result import Kind, Problem, Result
from .address import said
from .credentials import CredentialsFlow
from .destination import place_name
from .fields import PLACES, REFUSED, field_errors, merged, text_errors
from .steps import add_steps

PLACE: Final = "_place"

CONF_SUMMARY: Final = "daily_summary"

# What can be missing, and the field that names it.
MISSING: Final[Mapping[Problem, str]] = {
    Problem.BUCKET_NOT_FOUND: CONF_BUCKET,
    Problem.DATABASE_NOT_FOUND: CONF_DATABASE,
    Problem.RETENTION_POLICY_NOT_FOUND: CONF_RETENTION_POLICY,
}

# The menus after a refusal: the form that was filled in may not be the one to correct.
MAY_NOT_WRITE: Final = "may_not_write"
MAY_NOT_CREATE: Final = "may_not_create"
NOT_CREATED: Final = "not_created"
CREATION_REFUSED: Final = frozenset({MAY_NOT_CREATE, NOT_CREATED})

CREATE_SCHEMAS: Final[Mapping[str, vol.Schema]] = {
    CONF_BUCKET: RETENTION_SCHEMA.extend(
        {vol.Required(CONF_SUMMARY, default=False): BooleanSelector()}
    ),
    CONF_DATABASE: RETENTION_SCHEMA,
    CONF_RETENTION_POLICY: RETENTION_SCHEMA,
}


class PlaceFlow(CredentialsFlow):
    """Offers the names that the credentials may list, and creates what is missing."""

    def __init__(self) -> None:
        """Start without a missing name."""
        super().__init__()
        self._missing = ""
        self._detail = ""

    async def _async_connected(self) -> ConfigFlowResult:
        """Go on once a write of nothing works."""
        raise NotImplementedError

    async def _async_with_credentials(self) -> ConfigFlowResult:
        """List what the credentials may see, and let the user choose."""
        if not PLACES[self._dialect]:
            return await self._async_judged(await self._async_check())
        result = await self._async_offer()
        if result.problem is Problem.INVALID_AUTH:
            return self._refuse_credentials(result)
        if result.problem in CONNECTION_PROBLEMS:
            return self._show_address({CONF_URL: result.problem}, detail=result.detail)
        self._entered = dict(self._data)
        return self._show_place()

    async def _async_offer(self) -> Result:
        """Note the names that may be listed; where none may, they have to be typed."""
        administrator = await async_administrator(self.hass, self._data)
        databases = await administrator.list_databases()
        if databases.result.kind is Kind.ACCEPTED:
            key = CONF_BUCKET if self._dialect is Dialect.V2 else CONF_DATABASE
            self._offered = {
                key: databases.names,
                CONF_ORG: (await administrator.list_orgs()).names,
                CONF_RETENTION_POLICY: (await administrator.list_policies(databases.names)).names,
            }
        return databases.result

    async def async_step_choose(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go back to the names, or where there are none to the credentials."""
        return self._show_place() if PLACES[self._dialect] else self._show_credentials()

    async def _async_place(
        self, dialect: Dialect, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Accept the names with which a write of nothing works."""
        fields = PLACES[dialect]
        if user_input is None:
            return self._show_place()
        self._data = merged(fields, self._data, user_input, {})
        if errors := text_errors(fields, self._data):
            return self._show_place(errors)
        return await self._async_judged(await self._async_check())

    async def _async_judged(self, result: Result) -> ConfigFlowResult:
        """Go on, or go to the step in which the problem can be solved."""
        problem = result.problem
        if problem is Problem.NONE and self._is_created_by_writing:
            problem = Problem.DATABASE_NOT_FOUND
        if problem is Problem.NONE:
            return await self._async_connected()
        if problem in ADDRESS_PROBLEMS:
            return self._show_address({CONF_URL: problem}, detail=result.detail)
        if key := MISSING.get(problem):
            self._missing = key
            return self._show_missing()
        fields = PLACES[self._dialect]
        if not fields or problem is Problem.INVALID_AUTH:
            return self._refuse_credentials(result)
        # The permissions of a token cannot be changed everywhere: another one may be needed.
        if problem is Problem.FORBIDDEN:
            return self._show_refusal(MAY_NOT_WRITE, result)
        return self._show_place(field_errors(problem, fields), result.detail)

    @property
    def _is_created_by_writing(self) -> bool:
        """Whether InfluxDB 3 would create the database for ever, without having been asked to."""
        names = self._offered.get(CONF_DATABASE)
        return (
            self._dialect is Dialect.V3
            and names is not None
            and self._data[CONF_DATABASE] not in names
        )

    def _show_place(
        self, errors: dict[str, str] | None = None, detail: str = ""
    ) -> ConfigFlowResult:
        step = f"{self._dialect}{PLACE}"
        return self._show_fields(step, PLACES[self._dialect], None, errors, detail)

    def _show_missing(self) -> ConfigFlowResult:
        return self.async_show_menu(
            step_id=f"missing_{self._missing}",
            menu_options=[f"create_{self._missing}", "choose", "change_address"],
            description_placeholders=self._missing_placeholders(),
        )

    def _show_refusal(self, step: str, result: Result | None = None) -> ConfigFlowResult:
        """Offer every step in which the reason of a refusal can be removed."""
        self._detail = result.detail if result else self._detail
        name = self._data[self._missing] if step in CREATION_REFUSED else place_name(self._data)
        return self.async_show_menu(
            step_id=step,
            menu_options=["try_again", "choose", "credentials", "change_address"],
            description_placeholders={
                "name": markdown(name),
                "url": plain(self._data[CONF_URL]),
                "detail": said(self.hass, self._detail),
            },
        )

    async def _async_refused(
        self, step: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return self._show_refusal(step)

    async def async_step_try_again(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Check once more: the permission may be there meanwhile, or what was missing."""
        return await self._async_judged(await self._async_check())

    async def async_step_credentials(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go back to the credentials."""
        return self._show_credentials()

    def _missing_placeholders(self) -> dict[str, str]:
        return {
            "name": markdown(self._data[self._missing]),
            "database": markdown(self._data[CONF_DATABASE]),
            "url": plain(self._data[CONF_URL]),
            "detail": "",
        }

    async def _async_missing(
        self, key: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        self._missing = key
        return self._show_missing()

    async def _async_create_missing(
        self, key: str, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create what is missing, with a retention."""
        errors: dict[str, str] = {}
        told = {**self._missing_placeholders(), "min": "0", "max": grouped(RETENTION_MAX)}
        if user_input is not None:
            try:
                wanted = accepted_numbers(CREATE_SCHEMAS[key], user_input)
            except OptionError as err:
                errors = {err.field: err.reason}
            else:
                error, result = await self._async_created(wanted)
                if not error:
                    return await self._async_judged(await self._async_check())
                if error in CREATION_REFUSED:
                    return self._show_refusal(error, result)
                errors, told = {"base": error}, {**told, "detail": said(self.hass, result.detail)}
        return self.async_show_form(
            step_id=f"create_{key}",
            data_schema=self.add_suggested_values_to_schema(CREATE_SCHEMAS[key], user_input or {}),
            errors=errors,
            description_placeholders=told,
        )

    async def _async_created(self, wanted: Mapping[str, Any]) -> tuple[str, Result]:
        """Create what is wanted; returns what went wrong, if anything did."""
        administrator = await async_administrator(self.hass, self._data)
        result = await administrator.create_missing(wanted[CONF_RETENTION_DAYS])
        if result.kind is not Kind.ACCEPTED:
            return MAY_NOT_CREATE if result.problem in REFUSED else NOT_CREATED, result
        if names := self._offered.get(self._missing):
            self._offered = {**self._offered, self._missing: (*names, self._data[self._missing])}
        elif self._missing in self._offered:
            self._offered = {**self._offered, self._missing: (self._data[self._missing],)}
        if wanted.get(CONF_SUMMARY):
            result = await administrator.create_summary(self.hass.config.time_zone)
        return "" if result.kind is Kind.ACCEPTED else "summary_not_created", result


for _method, _steps in (
    (PlaceFlow._async_place, {f"{dialect}{PLACE}": dialect for dialect in Dialect}),  # noqa: SLF001
    (PlaceFlow._async_refused, {step: step for step in (MAY_NOT_WRITE, *CREATION_REFUSED)}),  # noqa: SLF001
    (PlaceFlow._async_missing, {f"missing_{key}": key for key in CREATE_SCHEMAS}),  # noqa: SLF001
    (PlaceFlow._async_create_missing, {f"create_{key}": key for key in CREATE_SCHEMAS}),  # noqa: SLF001
):
    add_steps(PlaceFlow, _method, _steps)
