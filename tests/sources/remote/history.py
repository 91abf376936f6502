"""The recorder of a remote home, and gaps that are filled out of it."""

import time
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, points, set_up, until

from .conftest import entry_with, remote
from .following import balanced, connected, link_of

HISTORY = "history/history_during_period"


class Recorder:
    """The recorder of a home: rows by entity, and what it was asked."""

    def __init__(self, home: Home) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[Any] = []
        home.answers[HISTORY] = self.answer

    def wrote(self, entity_id: str, state: str, at: float, **attributes: Any) -> None:
        self.rows.setdefault(entity_id, []).append({"s": state, "a": attributes, "lu": at})

    def answer(self, asked: Any) -> Any:
        self.asked.append(asked)
        # Whole microseconds, and neither of the bounds.
        after, until_ = (
            datetime.fromisoformat(asked[name]).astimezone(UTC).timestamp()
            for name in ("start_time", "end_time")
        )
        return {
            name: [
                *(self._before(name, after) if asked["include_start_time_state"] else ()),
                *(row for row in self.rows[name] if after < row["lu"] < until_),
            ]
            for name in asked["entity_ids"]
            if name in self.rows
        }

    def _before(self, entity_id: str, moment: float) -> list[dict[str, Any]]:
        """Date the state at a moment as if it was set then, as Home Assistant does."""
        before = [row for row in self.rows[entity_id] if row["lu"] <= moment]
        return [{**before[-1], "lu": moment}] if before else []


def told(database: Emulator, entity_id: str) -> list[Any]:
    return [
        (each.fields["state"], each.fields.get("old_state")) for each in points(database, entity_id)
    ]


async def interrupted(hass: HomeAssistant, home: Home, entry: MockConfigEntry, count: int) -> None:
    await set_up(hass, entry)
    await connected(entry)
    await until(lambda: link_of(entry).health.events >= count)
    await home.stop()


async def filled(entry: MockConfigEntry, home: Home, successes: int = 2) -> None:
    asked = home.commands[HISTORY]
    await home.start()
    await connected(entry, successes)
    await until(lambda: home.commands[HISTORY] > asked)
    await until(lambda: not link_of(entry).home.gaps)


async def lost_at_zero(
    hass: HomeAssistant, home: Home, database: Emulator, *entity_ids: str
) -> tuple[MockConfigEntry, Recorder, float]:
    """Follow a home whose entities, or `sensor.a`, are 0, and lose the connection.

    Returns the destination, the recorder there, and since when the first one is 0: each of the
    others came a second later.
    """
    recorder, start = Recorder(home), time.time() - 1000
    names = entity_ids or ("sensor.a",)
    for number, name in enumerate(names):
        home.changing(name, "0", start + number)
    entry = entry_with(database, remote(home))
    await interrupted(hass, home, entry, len(names))
    return entry, recorder, start


async def filled_and_delivered(
    hass: HomeAssistant, home: Home, entry: MockConfigEntry
) -> dict[str, Any]:
    """Connect again, fill the gap and deliver; returns the counts."""
    await filled(entry, home)
    ledger = await balanced(entry)
    await deliver(hass, entry)
    return ledger
