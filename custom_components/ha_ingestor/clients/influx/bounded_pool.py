"""Bounds what the client library of InfluxDB 2 reads: left alone it reads whole answers."""

import time
from importlib import import_module
from io import BytesIO
from typing import Any, Final

# A page of a hundred buckets has some hundred KiB.
ANSWER_MAX: Final = 4 * 1024 * 1024
_CHUNK: Final = 64 * 1024
# They tell how the answer came, and it is handed on as it is.
_TRANSFER: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class AnswerTooLongError(ValueError):
    """No database answers at such length."""


def bound(client: Any, seconds: float) -> None:
    """Let all requests of a client of the library together take so long, and each so much."""
    rest = client.api_client.rest_client
    rest.pool_manager = _BoundedPool(rest.pool_manager, seconds)


class _BoundedPool:
    """Stands in for the connections that the library asks with."""

    def __init__(self, pool: Any, seconds: float) -> None:
        self._pool = pool
        self._deadline = time.monotonic() + seconds

    def request(self, method: str, url: str, *, preload_content: bool = True, **more: Any) -> Any:
        """Send a request; raises AnswerTooLongError, and what urllib3 raises."""
        answer = self._pool.request(method, url, preload_content=False, **more)
        try:
            body = self._read(answer)
        finally:
            # Not released for another request: more of the answer may come.
            answer.close()
        headers = {name: text for name, text in answer.headers.items() if _is_kept(name)}
        return import_module("urllib3").HTTPResponse(
            body=BytesIO(body),
            headers=headers,
            status=answer.status,
            reason=answer.reason,
            preload_content=preload_content,
        )

    def clear(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _read(self, answer: Any) -> bytes:
        body = bytearray()
        while chunk := answer.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > ANSWER_MAX:
                raise AnswerTooLongError
            if time.monotonic() > self._deadline:
                raise import_module("urllib3.exceptions").TimeoutError
        return bytes(body)


def _is_kept(name: str) -> bool:
    return name.lower() not in _TRANSFER
