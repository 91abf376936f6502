"""Where a spool goes on: by what was stored of its progress, and by what its files hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .segments.frame import Frame


class SpoolPosition(NamedTuple):
    """How far an earlier spool of this process came: known even where it could not be stored."""

    acked: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What an earlier spool knew, `before`, and what its files say.

    `found_seq` is the newest number in them. `synced` and `durable_acked` are what was on the disk
    for certain.
    """

    before: SpoolPosition
    acked: int
    found_seq: int
    synced: int
    durable_acked: int

    @property
    def last_seq(self) -> int:
        """The newest number that was given out."""
        return max(self.before.last_seq, self.found_seq)


def recover(
    stored: Mapping[str, Any] | None, frames: Iterable[Frame], position: SpoolPosition | None
) -> Recovered:
    """Compare them; `position` is of this process, and better than what was `stored`.

    Where there is neither, nobody knows what became of the settled points: they count as before.
    """
    acked = found = 0
    for frame in frames:
        acked = max(acked, frame.acked)
        found = max(found, frame.last_seq)
    known = {"acked": acked, "synced": acked} if stored is None else stored
    synced, durable_acked = int(known.get("synced", 0)), int(known.get("acked", 0))
    before = position or SpoolPosition(acked=durable_acked, last_seq=int(known.get("last", synced)))
    acked = max(acked, before.acked)
    return Recovered(
        before=before,
        acked=acked,
        found_seq=max(found, acked),
        synced=synced,
        durable_acked=durable_acked,
    )
