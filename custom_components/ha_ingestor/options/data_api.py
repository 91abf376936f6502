"""What is asked of a data-api, and what a form says when it does not answer as one."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_API_KEY, CONF_URL, UnitOfTime
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType

from ..clients.data_api.problem import NOT_A_DATA_API
from ..const import CONF_REFRESH
from ..pipeline.export.result import Problem, Result
from .number import Number

# A whole sync makes the server look at every device again.
REFRESH_MIN: Final = 5
REFRESH_MAX: Final = 24 * 60
REFRESH_DEFAULT: Final = 30

REFRESH: Final = Number(REFRESH_MIN, REFRESH_MAX, step=1, unit=UnitOfTime.MINUTES)

API_KEY_SELECTOR: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

# The words for a database say something else here.
ERRORS: Final = {
    Problem.FORBIDDEN: "invalid_auth",
    NOT_A_DATA_API: "wrong_service",
    Problem.PROXY: "wrong_service",
    Problem.TOO_LARGE: "wrong_service",
    Problem.BUSY: "server_error",
}


def probe_errors(verdict: Result) -> dict[str, str]:
    """Say at which field of a form a probe failed."""
    if verdict.problem is Problem.NONE:
        return {}
    error = ERRORS.get(verdict.problem, verdict.problem.value)
    return {CONF_API_KEY if error == "invalid_auth" else CONF_URL: error}


def refresh_minutes(data: Mapping[str, Any]) -> Any:
    """Read after how many minutes everything is sent again; a stored number may be of any kind."""
    return REFRESH.bounded(data.get(CONF_REFRESH, REFRESH_DEFAULT), REFRESH_DEFAULT)


def refresh_seconds(data: Mapping[str, Any]) -> float:
    """Read after how many seconds everything is sent again."""
    return float(refresh_minutes(data)) * 60
