"""What credentials may see of a server, and what they created there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ...pipeline.export.result import Kind, Problem, Result

DONE: Final = Result(kind=Kind.ACCEPTED, problem=Problem.NONE)

# More would be no help in a form.
NAMES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Names in alphabetical order; none where the credentials may not list them.

    `result` says why there is no list, if there is none.
    """

    names: tuple[str, ...] = ()
    result: Result = field(default=DONE)


class Administrator(Protocol):
    """Lists and creates, with the credentials of one destination."""

    async def list_orgs(self) -> Listing:
        """List the organizations, where the dialect has any."""

    async def list_databases(self) -> Listing:
        """List the databases or buckets."""

    async def list_policies(self, databases: Sequence[str]) -> Listing:
        """List the retention policies of databases, where the dialect has any."""

    async def create_missing(self, retention_days: int = 0) -> Result:
        """Create what the destination names; what exists stays as it is. 0 days is for ever."""

    async def create_summary(self, time_zone: str) -> Result:
        """Create a bucket for daily summaries and the task that fills it; what exists stays."""


def sorted_names(names: list[str]) -> tuple[str, ...]:
    """Order names for a form."""
    return tuple(sorted(dict.fromkeys(names), key=str.casefold)[:NAMES_MAX])
