"""What the exporter needs from outside: a way to the database, and a thread for the disk."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from .result import Result


class Writer(Protocol):
    """The client of one database. Never raises for errors of network or server."""

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result: ...

    async def check(self) -> Result: ...

    async def retention(self) -> float | None: ...


class Run(Protocol):
    """Run a function in the spool's thread."""

    def __call__[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...
