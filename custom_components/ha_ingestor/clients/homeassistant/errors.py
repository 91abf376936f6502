"""What can go wrong with another Home Assistant."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from ..exchange import DETAIL_MAX, Failure, Reply


class Problem(StrEnum):
    """Why there is no connection, in words a user can act on. The values are translated."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    REDIRECT = "redirect"
    # Home Assistant refuses every request from an address with too many failed logins.
    BANNED = "banned"
    NOT_HOME_ASSISTANT = "not_home_assistant"
    INVALID_AUTH = "invalid_auth"
    LOST = "connection_lost"
    TOO_LARGE = "message_too_large"
    PROTOCOL = "protocol_error"
    REFUSED = "command_refused"


class HomeAssistantError(Exception):
    """There is no connection, or none any more; `detail` is text for people, without secrets."""

    def __init__(self, problem: Problem, detail: str = "") -> None:
        """Say what is wrong."""
        super().__init__(f"{problem}: {detail}" if detail else str(problem))
        self.problem = problem
        self.detail = detail[:DETAIL_MAX]


class CommandError(HomeAssistantError):
    """The other side refused a command; `code` is its own word for it."""

    def __init__(self, command: str, code: str, message: str) -> None:
        """Keep what was said."""
        super().__init__(Problem.REFUSED, f"{command}: {code}: {message}")
        self.command = command
        self.code = code


# The other side's word for what only an administrator may ask.
UNAUTHORIZED: Final = "unauthorized"

_FAILURES: Final[Mapping[Failure, Problem]] = {
    Failure.UNREACHABLE: Problem.UNREACHABLE,
    Failure.TLS: Problem.TLS,
    Failure.TIMEOUT: Problem.TIMEOUT,
    Failure.RESET: Problem.LOST,
}
# What the server of the WebSocket API says to a request that is none of a WebSocket.
_IS_THERE: Final = HTTPStatus.BAD_REQUEST
_STATUSES: Final[Mapping[int, Problem]] = {
    HTTPStatus.FORBIDDEN: Problem.BANNED,
    HTTPStatus.REQUEST_TIMEOUT: Problem.TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: Problem.UNREACHABLE,
}


def problem_of(reply: Reply) -> Problem:
    """Say what the reply to a plain request for the WebSocket API means."""
    if reply.failure:
        return _FAILURES[reply.failure]
    if reply.status == _IS_THERE:
        return Problem.NONE
    if reply.status in range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST):
        return Problem.REDIRECT
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem.UNREACHABLE  # a proxy, while there is nobody behind it
    return _STATUSES.get(reply.status, Problem.NOT_HOME_ASSISTANT)
