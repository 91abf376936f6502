"""The outages of a destination, and what became of the points that waited, across restarts."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.util.json import load_json

from ..const import LOGGER
from ..pipeline.export.export_state import Status, StatusChange
from ..pipeline.snapshot import Snapshot
from .texts.server_text import plain

FILE: Final = "outages.json"
# More than anybody reads; the oldest go.
OUTAGES_MAX: Final = 30
# A connection that comes and goes must not wear out the disk.
SAVE_SECONDS: Final = 60.0

_NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which the database accepted nothing; it goes on without `until`.

    The problem is the first that was told. `settled` and `failed` are the counts of the ledger at
    its beginning: points that were settled, and those of them that were not written. `captured` is
    the count at its end: up to there points waited. Once these are settled there is a `delivered`,
    and `not_written` counts those that were refused or given up meanwhile.
    """

    since: datetime
    status: str
    problem: str
    detail: str
    settled: int
    failed: int
    until: datetime | None = None
    captured: int = 0
    delivered: datetime | None = None
    not_written: int = 0

    @property
    def points(self) -> int | None:
        """How many points waited; None while it goes on."""
        return max(self.captured - self.settled, 0) if self.until else None

    def as_dict(self) -> dict[str, Any]:
        """Return what there is to say of it as JSON."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat() if self.until else None,
            "status": self.status,
            "problem": self.problem,
            "detail": self.detail,
            "points": self.points,
            "delivered": self.delivered.isoformat() if self.delivered else None,
            "not_written": self.not_written,
        }


@dataclass(slots=True, kw_only=True)
class Outages:
    """Notes outages from what the health shows; the oldest first in `all`.

    One that an earlier process left open goes on until the database accepts something.
    """

    folder: Path
    all: tuple[Outage, ...] = ()
    _is_loaded: bool = False
    _seen: StatusChange | None = None
    _stored: tuple[Outage, ...] = ()
    _stored_at: float = field(default=-SAVE_SECONDS)

    @property
    def is_due(self) -> bool:
        """Whether it is time to save."""
        return self.all != self._stored and time.monotonic() >= self._stored_at + SAVE_SECONDS

    def note(self, snapshot: Snapshot) -> None:
        """Take what has changed; before the disk was read the counts are not known."""
        if not snapshot.is_open:
            return
        history = snapshot.history
        begin = history.index(self._seen) + 1 if self._seen in history else 0
        for change in history[begin:]:
            self._note(change, snapshot)
            self._seen = change
        settled, failed = _counts(snapshot)
        self.all = tuple(
            replace(each, delivered=datetime.now(UTC), not_written=failed - each.failed)
            if each.until and not each.delivered and settled >= each.captured
            else each
            for each in self.all
        )

    def _note(self, change: StatusChange, snapshot: Snapshot) -> None:
        last = self.all[-1] if self.all and self.all[-1].until is None else None
        if change.status is Status.OK or _is_resumed(change, last):
            if last:
                captured = snapshot.ledger["captured"]
                self._replace_last(replace(last, until=change.time, captured=captured))
        elif change.status is Status.STARTING:
            return  # nothing is known of the database yet
        elif last is None:
            settled, failed = _counts(snapshot)
            outage = Outage(
                since=change.time,
                status=str(change.status),
                problem=str(change.problem),
                detail=plain(change.detail),
                settled=settled,
                failed=failed,
            )
            self.all = (*self.all, outage)[-OUTAGES_MAX:]
        elif last.problem == _NONE:
            problem, detail = str(change.problem), plain(change.detail)
            self._replace_last(replace(last, problem=problem, detail=detail))

    def _replace_last(self, outage: Outage) -> None:
        self.all = (*self.all[:-1], outage)

    def load(self) -> None:
        """Read the file once, in a thread; one that cannot be read holds no outages."""
        if self._is_loaded:
            return
        self._is_loaded = True
        try:
            stored: Any = load_json(self.folder / FILE, [])
            self.all = self._stored = tuple(map(_outage, stored[-OUTAGES_MAX:]))
        except HomeAssistantError, AttributeError, KeyError, TypeError, ValueError:
            LOGGER.warning("The outages in %s cannot be read", self.folder / FILE)

    def save(self) -> None:
        """Replace the file, in a thread, if there is news; a disk that fails is told elsewhere."""
        found = self.all
        if found == self._stored:
            return
        self._stored_at = time.monotonic()
        content = [
            {name: _json_value(value) for name, value in asdict(each).items()} for each in found
        ]
        try:
            save_json(str(self.folder / FILE), content, private=True)
        except HomeAssistantError, OSError:
            return
        self._stored = found


def _is_resumed(change: StatusChange, last: Outage | None) -> bool:
    """Whether a pause has ended, of which nothing else is known."""
    is_pause = last is not None and last.status == Status.PAUSED and last.problem == _NONE
    return is_pause and change.status is Status.STARTING


def _counts(snapshot: Snapshot) -> tuple[int, int]:
    """Return how many points are settled, and how many of them were not written."""
    ledger = snapshot.ledger
    failed = ledger["quarantined"] + ledger["evicted"] + sum(ledger["lost"].values())
    return ledger["written"] + failed, failed


def _outage(stored: Mapping[str, Any]) -> Outage:
    return Outage(
        since=datetime.fromisoformat(stored["since"]),
        status=str(stored["status"]),
        problem=str(stored["problem"]),
        detail=str(stored["detail"]),
        settled=int(stored["settled"]),
        failed=int(stored["failed"]),
        until=_moment(stored["until"]),
        captured=int(stored["captured"]),
        delivered=_moment(stored["delivered"]),
        not_written=int(stored["not_written"]),
    )


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def _json_value(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
