"""A custom integration whose states are numbers that never come twice.

The action `start` makes changes at a steady rate, and kills the process after the last one if it
is told to: with the same numbers at the same moments, two homes have the same life. What was made
is appended to `numbered_changes.txt` in the configuration directory, which no kill can take back.
"""

import asyncio
import os
import signal
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall

DOMAIN: Final = "numbered_changes"
RECORD: Final = "numbered_changes.txt"
UNIT: Final = "changes"
ENTITIES: Final = 20

_TICK_SECONDS: Final = 0.01


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _write(record: int, word: str, number: int) -> None:
    """Note what happens and when, by the clock that all processes of a machine share."""
    os.write(record, f"{word} {number} {time.monotonic():.6f}\n".encode())


def _change(hass: HomeAssistant, record: int, number: int) -> None:
    # Noted first: a change that a kill prevents may be missed, one that is not noted may not.
    _write(record, "made", number)
    hass.states.async_set(
        f"sensor.numbered_{number % ENTITIES}",
        str(number),
        {"unit_of_measurement": UNIT, "friendly_name": f"Numbered {number % ENTITIES}"},
    )


async def _run(
    hass: HomeAssistant, record: int, *, first: int, count: int, rate: float, at: float, kill: bool
) -> None:
    made = 0
    while made < count:
        await asyncio.sleep(max(at - time.monotonic(), _TICK_SECONDS))
        due = min(count, int((time.monotonic() - at) * rate) + 1)
        for number in range(first + made, first + due):
            _change(hass, record, number)
        made = max(made, due)
    if kill:
        _write(record, "killed", first + made - 1)
        os.kill(os.getpid(), signal.SIGKILL)


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Offer the action."""
    record = await hass.async_add_executor_job(_open, hass.config.path(RECORD))
    entry.async_on_unload(lambda: os.close(record))

    async def start(call: ServiceCall) -> None:
        entry.async_create_background_task(
            hass,
            _run(
                hass,
                record,
                first=int(call.data["first"]),
                count=int(call.data["count"]),
                rate=float(call.data["rate"]),
                at=float(call.data["at"]),
                kill=bool(call.data["kill"]),
            ),
            "numbered changes",
        )

    hass.services.async_register(DOMAIN, "start", start)
    return True


async def async_unload_entry(hass: HomeAssistant, _entry: ConfigEntry) -> bool:
    """Take the action away."""
    hass.services.async_remove(DOMAIN, "start")
    return True
