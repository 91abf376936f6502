"""Classify the reply of a data-api, as the pipeline's result."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from ...pipeline.export.result import Kind, Problem, Result
from ..encoding import decode, decode_object
from ..exchange import Failure, Reply, parse_retry_after
from .problem import NOT_A_DATA_API

_FAILURES: Final[Mapping[Failure, Problem]] = {
    Failure.UNREACHABLE: Problem.UNREACHABLE,
    Failure.TLS: Problem.TLS,
    Failure.TIMEOUT: Problem.TIMEOUT,
    Failure.RESET: Problem.UNREACHABLE,
}

# The meaning of a status, from any server.
_STATUSES: Final[Mapping[int, tuple[Kind, Problem]]] = {
    401: (Kind.BLOCKED, Problem.INVALID_AUTH),
    403: (Kind.BLOCKED, Problem.FORBIDDEN),
    404: (Kind.BLOCKED, NOT_A_DATA_API),
    405: (Kind.BLOCKED, NOT_A_DATA_API),
    410: (Kind.BLOCKED, NOT_A_DATA_API),
    413: (Kind.TOO_LARGE, Problem.TOO_LARGE),
    **dict.fromkeys((408, 425, 429, 499, 503, 504, 507), (Kind.KEPT, Problem.BUSY)),
}

# Only an answer that says how many rows are stored is one.
_STORED: Final = frozenset({200, 201})
# A row that breaks the table fails its whole batch. The same is said by a server whose own database
# is gone. With these it is said in any form but a page: a server that fails at a row may have no
# message for it.
_ABOUT_ROWS: Final = frozenset({422, 500})
# With these it is said in JSON; in another form they are of a proxy that refuses the request.
_ABOUT_ROWS_IN_JSON: Final = frozenset({400, 409})
# Where the message is, in today's servers and in older ones. In an object it is one level down.
_WORDS: Final = ("detail", "error", "errors", "message", "msg", "title")
_DEPTH_MAX: Final = 4

# Behind the reason a database repeats its statement, with all values, and links to a manual.
_STATEMENT: Final = "[SQL:"
_MARKUP: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")
_DETAIL_MAX: Final = 300


def classify_reply(reply: Reply, rows: int | None = None) -> Result:
    """Judge a storing of so many rows; None where the server counts in its own way."""
    content = decode_object(reply.body)
    if reply.status in _STORED and content.get("success") is not False:
        stored = content.get("upserted") if content.get("success") is True else None
        if type(stored) is not int or (rows is not None and stored > rows):
            # A login page served with 200 stored nothing.
            return _verdict(reply, Kind.KEPT, Problem.PROXY)
        if rows is not None and stored < rows:
            return Result(
                kind=Kind.REJECTED, problem=Problem.REJECTED, detail=f"{rows - stored} skipped"
            )
        return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
    if _is_about_rows(reply):
        return _verdict(reply, Kind.REJECTED, Problem.REJECTED)
    return _general(reply)


def _is_about_rows(reply: Reply) -> bool:
    """Whether one of the rows may be why nothing is stored."""
    if reply.status in _ABOUT_ROWS:
        return not reply.is_html
    if reply.status in _ABOUT_ROWS_IN_JSON:
        return isinstance(decode(reply.body), (dict, list))
    return reply.status in _STORED and decode_object(reply.body).get("success") is False


def classify_read_reply(reply: Reply, table: str = "") -> Result:
    """Judge an answer that should be an object, with a list in it if a table is named."""
    if reply.status == HTTPStatus.OK and listed(reply, table) is not None:
        return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
    if reply.status == HTTPStatus.OK and decode(reply.body) is None:
        # A login page or a maintenance page instead of the server's answer.
        return _verdict(reply, Kind.KEPT, Problem.PROXY)
    if reply.status in {HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _verdict(reply, Kind.BLOCKED, NOT_A_DATA_API)
    return _general(reply)


def listed(reply: Reply, table: str = "") -> list[dict[str, Any]] | None:
    """Read the rows out of an answer; none where no table is named, None if it is no answer."""
    if reply.status != HTTPStatus.OK or (content := decode_object(reply.body)) == {}:
        return None
    rows = content.get(table) if table else []
    is_right = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    return rows if is_right else None


def _general(reply: Reply) -> Result:
    """Judge by the status alone."""
    if reply.failure is not None:
        return _verdict(reply, Kind.KEPT, _FAILURES[reply.failure])
    if found := _STATUSES.get(reply.status):
        return _verdict(reply, *found)
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        return _verdict(reply, Kind.BLOCKED, Problem.REDIRECT)
    is_server = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _verdict(reply, Kind.KEPT, Problem.SERVER_ERROR if is_server else Problem.PROXY)


def _verdict(reply: Reply, kind: Kind, problem: Problem) -> Result:
    return Result(
        kind=kind,
        problem=problem,
        retry_after=parse_retry_after(reply.headers.get("Retry-After", ""), datetime.now(UTC)),
        detail=_explanation(reply)[:_DETAIL_MAX],
    )


def _explanation(reply: Reply) -> str:
    """Return the server's message, without HTML, markup and values."""
    words = _words(decode(reply.body)).partition(_STATEMENT)[0].rstrip()
    if not words and reply.is_html:
        return f"An HTML page (HTTP {reply.status})"
    text = " ".join(_MARKUP.sub("", words or reply.detail or reply.body).split())
    return text or (f"HTTP {reply.status}" if reply.status else "")


def _words(content: Any, depth: int = 0) -> str:
    """Find the message of an error."""
    match content:
        case str():
            return content
        case [first, *_] if depth < _DEPTH_MAX:
            return _words(first, depth + 1)
        case {"msg": str(message), "loc": [*where]}:
            return f"{message} ({'.'.join(map(str, where))})"
        case dict() if depth < _DEPTH_MAX:
            found = (_words(content.get(name), depth + 1) for name in _WORDS)
            return next(filter(None, found), "")
        case _:
            return ""
