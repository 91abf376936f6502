"""What is known of the destinations at one moment, for everyone who asks from outside."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry, IngestorRuntimeData
from ..pipeline.snapshot import Snapshot
from .outages import Outage
from .parts import (
    DataApiReading,
    MqttReading,
    RemoteReading,
    data_api_of,
    mqtt_of,
    remotes_of,
)
from .texts.place import product_of

# A monitor wants an answer also while the disk does not give one.
READ_SECONDS: Final = 5.0

LOADED: Final = ConfigEntryState.LOADED.value
# The entry is loaded, and its disk does not answer in time.
NO_ANSWER: Final = "no_answer"

# Why nothing is known of any destination: the keys of texts.
NO_DESTINATION: Final = "no_destination"
ALL_DISABLED: Final = "all_disabled"


class UnknownDestinationError(LookupError):
    """There is no destination of this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One destination; `name` is its title, told apart from others of the same.

    `state` is that of the config entry, or NO_ANSWER. There is a `snapshot` if it is LOADED, and
    what the database is, the `product`. `quarantined` points are in quarantine now; None while that
    is not known.
    """

    entry_id: str
    title: str
    name: str
    state: str
    product: str = ""
    snapshot: Snapshot | None = None
    quarantined: int | None = None
    outages: tuple[Outage, ...] = ()
    data_api: DataApiReading | None = None
    remotes: tuple[RemoteReading, ...] = ()
    mqtt: tuple[MqttReading, ...] = ()


@callback
def async_destinations(
    hass: HomeAssistant, entry_id: str | None = None
) -> list[HaIngestorConfigEntry]:
    """Return the entries that are not disabled, or the one of this id, whatever it is.

    Raises UnknownDestinationError.
    """
    if entry_id is None:
        return hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise UnknownDestinationError
    return [entry]


@callback
def async_why_none(hass: HomeAssistant) -> str:
    """Say why there is no destination that is enabled."""
    there = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return ALL_DISABLED if there else NO_DESTINATION


async def async_readings(
    hass: HomeAssistant, entry_id: str | None = None, previous: Iterable[Reading] = ()
) -> list[Reading]:
    """Read all destinations, or one; raises UnknownDestinationError.

    What has not changed since the `previous` readings is not read again.
    """
    entries = async_destinations(hass, entry_id)
    names = _names(hass)
    seen = {reading.entry_id: reading.snapshot for reading in previous}
    return await asyncio.gather(
        *(_async_read(entry, names[entry.entry_id], seen.get(entry.entry_id)) for entry in entries)
    )


async def _async_read(
    entry: HaIngestorConfigEntry, name: str, previous: Snapshot | None
) -> Reading:
    title, state = entry.title, entry.state.value
    if entry.state is not ConfigEntryState.LOADED:
        return Reading(entry_id=entry.entry_id, title=title, name=name, state=state)
    runtime = entry.runtime_data
    snapshot = previous if previous and _is_at_rest(runtime, previous) else None
    try:
        async with asyncio.timeout(READ_SECONDS):
            snapshot = snapshot or await runtime.coordinator.async_snapshot()
            await runtime.coordinator.refused.async_read_again(snapshot)
    except TimeoutError:
        state = NO_ANSWER
    return Reading(
        entry_id=entry.entry_id,
        title=title,
        name=name,
        state=state,
        product=product_of(entry.data, runtime.coordinator.remembered.server_version),
        snapshot=snapshot,
        quarantined=runtime.coordinator.refused.total,
        outages=runtime.coordinator.remembered.outages.all,
        data_api=data_api_of(runtime),
        remotes=remotes_of(runtime),
        mqtt=mqtt_of(runtime),
    )


def _is_at_rest(runtime: IngestorRuntimeData, previous: Snapshot) -> bool:
    """Whether a new look would see the same: also the rates, which fall for a minute."""
    did = previous.performance
    rates = (did.received_per_minute, did.captured_per_minute, did.written_per_minute)
    return not any(rate is None or rate for rate in rates) and (
        runtime.pipeline.is_unchanged_since(previous)
    )


def _names(hass: HomeAssistant) -> dict[str, str]:
    """Name all destinations so that each name is there once."""
    titles = {entry.entry_id: entry.title for entry in hass.config_entries.async_entries(DOMAIN)}
    seen = Counter(titles.values())
    return {
        entry_id: title if seen[title] == 1 else f"{title} ({entry_id})"
        for entry_id, title in titles.items()
    }
