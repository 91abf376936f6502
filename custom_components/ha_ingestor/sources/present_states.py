"""What the recovery of a gap has in memory, for the next pipeline."""

from dataclasses import dataclass, field

from homeassistant.core import State


@dataclass(slots=True, kw_only=True)
class PresentStates:
    """The states at the end of the newest gap, which the next pipeline goes on with in a reload.

    `deferred` are still to be captured. `captured` were captured before they were found, by entity.
    `unfound` entities changed in the gap, and the recorder leaves them out.
    """

    gap_end: float | None = None
    deferred: dict[str, State] = field(default_factory=dict)
    captured: dict[str, float] = field(default_factory=dict)
    unfound: int = 0
