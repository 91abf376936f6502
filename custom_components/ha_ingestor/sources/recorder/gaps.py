"""The gaps that are still to be filled, in a small file beside the spool."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.util.json import load_json

from .page import LAST_ROW, MOMENT_MAX, Position

FILE: Final = "gaps.json"
# Of an installation that never finds the time to fill one; the oldest go.
GAPS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What happened between two moments was not captured; it is filled up to a position."""

    until: float
    position: Position


@dataclass(slots=True, kw_only=True)
class Gaps:
    """The gaps of a destination, the oldest first, and of how many entities nothing was found."""

    path: Path
    open: list[Gap] = field(default_factory=list)
    unfillable: int = 0

    def load(self) -> None:
        """Read the file, in a thread; one that cannot be read holds no gaps."""
        try:
            stored: Any = load_json(self.path / FILE, {})
        except HomeAssistantError:
            return
        try:
            self.unfillable = int(stored.get("unfillable", 0))
            self.open = [_gap(each) for each in stored.get("gaps", ())]
        except KeyError, TypeError, ValueError, OverflowError, AttributeError:
            self.open = []

    def save(self) -> None:
        """Replace the file, in a thread; raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.open = self.open[-GAPS_MAX:]
        content = {
            "unfillable": self.unfillable,
            "gaps": [
                {"until": gap.until, "after": gap.position.moment, "row": gap.position.state_id}
                for gap in self.open
            ],
        }
        try:
            save_json(str(self.path / FILE), content, private=True, atomic_writes=True)
        except HomeAssistantError as err:
            raise OSError(str(err)) from err


def _gap(stored: Mapping[str, Any]) -> Gap:
    until, after = float(stored["until"]), float(stored["after"])
    row = int(stored.get("row", LAST_ROW))
    if not (0 <= until <= MOMENT_MAX and 0 <= after <= MOMENT_MAX and 0 <= row <= LAST_ROW):
        raise ValueError
    return Gap(until=until, position=Position(after, row))
