"""What is remembered of the health of a destination: longer than its pipeline runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..pipeline.export.breaker import CHANGES, BreakerChange
from ..pipeline.export.export_state import HISTORY, ExportState, StatusChange
from ..pipeline.snapshot import Snapshot
from ..pipeline.spool.quarantine.records import RejectedPoint
from .last_hour import LastHour
from .outages import Outages


@dataclass(slots=True, kw_only=True)
class RememberedHealth:
    """What stays true over a reload, if the connection in `data` is the same.

    `is_rejection_known`: whether the quarantine was read for a point that is left of earlier.
    """

    data: Mapping[str, Any]
    outages: Outages
    is_rejection_known: bool = False
    rejection: RejectedPoint | None = None
    last_hour: LastHour = field(default_factory=LastHour)
    server_version: str = ""
    _history: tuple[StatusChange, ...] = ()
    _breaker_changes: tuple[BreakerChange, ...] = ()
    _export: ExportState = field(default_factory=ExportState)

    def completed(self, snapshot: Snapshot) -> Snapshot:
        """Add what was before a reload, and what is seen over time."""
        if snapshot.is_open:
            self.last_hour.note(snapshot)
        export = snapshot.export
        if export.last_write is None:
            last_write, latency = self._export.last_write, self._export.write_latency
            export = replace(export, last_write=last_write, write_latency=latency)
        return replace(
            snapshot,
            export=export,
            history=_changes((*self._history, *snapshot.history))[-HISTORY:],
            breaker_changes=(*self._breaker_changes, *snapshot.breaker_changes)[-CHANGES:],
            rejection=snapshot.rejection or self.rejection,
        )

    def forget_rejection(self) -> None:
        """Note that the user handled the points that were rejected so far."""
        self.rejection, self.is_rejection_known = None, True

    @callback
    def async_hand_over(self, hass: HomeAssistant, entry_id: str, last: Snapshot) -> None:
        """Keep this for whatever runs next for an entry; `last` is complete."""
        hass.data[_REMEMBERED][entry_id] = replace(
            self,
            rejection=last.rejection,
            _history=last.history,
            _breaker_changes=last.breaker_changes,
            _export=last.export,
        )


# By entry id, between an unload and the next setup.
_REMEMBERED: HassKey[dict[str, RememberedHealth]] = HassKey(f"{DOMAIN}_remembered_health")


@callback
def async_remember(
    hass: HomeAssistant, entry_id: str, data: Mapping[str, Any], folder: Path
) -> RememberedHealth:
    """Return what was handed over; with another connection in `data` the last hour alone.

    The outages are in the `folder`, whatever the connection is.
    """
    before = hass.data.setdefault(_REMEMBERED, {}).pop(entry_id, None)
    if before is None:
        return RememberedHealth(data=data, outages=Outages(folder=folder))
    if before.data == data:
        return before
    # The counts go on, so the charts of them do, too.
    outages, hour = Outages(folder=folder), before.last_hour
    return RememberedHealth(data=data, outages=outages, last_hour=hour)


@callback
def async_forget_health(hass: HomeAssistant, entry_id: str) -> None:
    """Forget what was handed over."""
    hass.data.get(_REMEMBERED, {}).pop(entry_id, None)


def _changes(history: Iterable[StatusChange]) -> tuple[StatusChange, ...]:
    """Leave out what a reload repeats."""
    kept: list[StatusChange] = []
    for change in history:
        if not kept or (change.status, change.problem) != (kept[-1].status, kept[-1].problem):
            kept.append(change)
    return tuple(kept)
