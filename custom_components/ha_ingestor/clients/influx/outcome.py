"""The raw outcome of one write attempt, before it is classified."""

from dataclasses import dataclass

from ..exchange import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The reply to one request, or the failure that stood in its place.

    `body` is cut to a few KiB. `from_database` tells a database's own reply from that of a proxy;
    for a success that is proof, for a refusal it may be the words alone. `retry_after` is the raw
    header. `ahead` is by how many seconds the server's clock is ahead of ours, where it tells.
    Nothing here may hold a credential.
    """

    status: int = 0
    body: str = ""
    retry_after: str = ""
    from_database: bool = False
    failure: Failure | None = None
    detail: str = ""
    ahead: float | None = None
