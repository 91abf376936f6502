"""What is shown in Settings, System, Repairs, System information."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.loader import async_get_loaded_integration

from .clients.address import AddressError
from .clients.influx.probe import Probe, probe
from .connection import CertificateError, async_ssl
from .const import DOMAIN
from .health.condition import Concern, condition_of, problem_of
from .health.readings import (
    NO_ANSWER,
    Reading,
    async_destinations,
    async_readings,
    async_why_none,
)
from .health.texts.words import Words, async_words, common_word, condition_word, problem_word
from .pipeline.export.result import Problem
from .tasks.shielded import SharedTask

MANAGE_URL: Final = f"/config/integrations/integration/{DOMAIN}"

_UNKNOWN: Final = "?"

# By entry.
type Probes = dict[str, Probe]
type AsyncProbes = Callable[[], Awaitable[Probes]]


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(async_info, MANAGE_URL)


async def async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is known; what a server is asked for comes later."""
    readings = await async_readings(hass)
    words = await async_words(hass)
    found: dict[str, Any] = {
        "version": str(async_get_loaded_integration(hass, DOMAIN).version),
        "destinations": len(readings),
        "delivery": "; ".join(f"{each.name}: {_delivery(each, words)}" for each in readings)
        or common_word(words, f"system_health_{async_why_none(hass)}"),
    }
    if readings:
        # Home Assistant waits for both of them, and each server is asked once.
        shared = SharedTask[Probes]()
        async_probes = partial(shared.async_run, partial(_async_probe, hass))
        found |= {
            "pending_points": _each(readings, _pending),
            "lag": _each(readings, _lag),
            "can_reach_server": _async_reached(async_probes, readings, words),
            "server_version": _async_versions(async_probes, readings),
        }
    return found


def _delivery(reading: Reading, words: Words) -> str:
    """Name the status, and the problem if there is one."""
    if reading.state == NO_ANSWER:
        return problem_word(words, Concern.NO_ANSWER)
    if (snapshot := reading.snapshot) is None:
        return common_word(words, "system_health_not_loaded")
    status = condition_word(words, condition_of(snapshot))
    return ", ".join(filter(None, (status, problem_word(words, problem_of(snapshot)))))


def _pending(reading: Reading) -> str:
    snapshot = reading.snapshot
    return str(snapshot.backlog) if snapshot and snapshot.is_open else _UNKNOWN


def _lag(reading: Reading) -> str:
    snapshot = reading.snapshot
    if snapshot and snapshot.is_open and not snapshot.backlog:
        return "0 s"
    age = snapshot.oldest_age if snapshot else None
    return _UNKNOWN if age is None else f"{age:.0f} s"


def _each(
    readings: Sequence[Reading], value: Callable[[Reading], str], *, is_named: bool = False
) -> str:
    """Show a value, with the name of the destination if there are several."""
    if len(readings) == 1 and not is_named:
        return value(readings[0])
    return "; ".join(f"{reading.name}: {value(reading)}" for reading in readings)


async def _async_reached(
    async_probes: AsyncProbes, readings: Sequence[Reading], words: Words
) -> str | dict[str, str]:
    """Say whether every server answers, in Home Assistant's own form."""
    probes = await async_probes()
    gone = [each for each in readings if probes[each.entry_id].dialect is None]
    if not gone:
        return "ok"
    error = _each(
        gone,
        lambda each: problem_word(words, probes[each.entry_id].problem),
        is_named=len(readings) > len(gone),
    )
    return {"type": "failed", "error": error}


async def _async_versions(async_probes: AsyncProbes, readings: Sequence[Reading]) -> str:
    probes = await async_probes()
    return _each(readings, lambda each: probes[each.entry_id].version or _UNKNOWN)


async def _async_probe(hass: HomeAssistant) -> Probes:
    """Ask each server what it is."""
    session = async_get_clientsession(hass)
    # A destination may be removed meanwhile.
    found: Probes = defaultdict(partial(Probe, problem=Problem.UNREACHABLE))
    for entry in async_destinations(hass):
        try:
            ssl = await async_ssl(hass, entry.data)
            found[entry.entry_id] = await probe(session, entry.data[CONF_URL], ssl=ssl)
        except CertificateError:
            found[entry.entry_id] = Probe(problem=Problem.TLS)
        except AddressError:
            found[entry.entry_id] = Probe(problem=Problem.UNREACHABLE)
    return found
