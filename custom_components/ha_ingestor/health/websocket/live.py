"""What is sent to those who watch the health or the points, as long as they do.

A subscription outlives the reloads of its destinations: it says that one is not loaded, and goes on
once it is. Nothing is done while nobody watches.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval

from ...const import DOMAIN, LOGGER
from ...coordinator import HaIngestorConfigEntry
from ...pipeline.pipeline import Pipeline
from ..parts import store_of
from ..readings import LOADED, Reading, UnknownDestinationError, async_destinations, async_readings
from ..texts.own_reasons import async_said
from .report import reports
from .sample import SAMPLE_POINTS, Sample

# Home Assistant cuts the whole connection of a user who is sent too much.
EVERY: Final = timedelta(seconds=1)

type Send = Callable[[dict[str, Any]], None]


@dataclass(slots=True, kw_only=True)
class Live:
    """Sends news of all destinations, or of one, at most once in a second."""

    hass: HomeAssistant
    entry_id: str | None
    send: Send
    _stops: list[CALLBACK_TYPE] = field(default_factory=list)

    @callback
    def async_start(self) -> None:
        """Begin."""
        hass = self.hass
        self._stops += (
            async_track_time_interval(hass, self._async_tick, EVERY, cancel_on_shutdown=True),
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed),
        )

    @callback
    def async_stop(self) -> None:
        """End."""
        while self._stops:
            self._stops.pop()()

    @callback
    def _async_tick(self, _now: datetime) -> None:
        raise NotImplementedError

    @callback
    def _async_entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain == DOMAIN and self.entry_id in {None, entry.entry_id}:
            self._async_changed()

    @callback
    def _async_changed(self) -> None:
        raise NotImplementedError

    def _destinations(self) -> list[HaIngestorConfigEntry]:
        """Return the entries that there are now."""
        try:
            return async_destinations(self.hass, self.entry_id)
        except UnknownDestinationError:
            return []


@dataclass(slots=True, kw_only=True)
class LiveHealth(Live):
    """Sends the reports of the destinations whenever they are others."""

    _readings: list[Reading] = field(default_factory=list)
    _sent: object = None
    _is_reading: bool = False

    @callback
    def async_start(self) -> None:
        """Send what there is, and then what changes."""
        Live.async_start(self)
        self._async_begin_reading()

    @callback
    def _async_tick(self, _now: datetime) -> None:
        # Who looks at the panel wants to see at once whether points arrive.
        for entry in filter(_is_loaded, self._destinations()):
            entry.runtime_data.pipeline.send_waiting()
        self._async_begin_reading()

    @callback
    def _async_changed(self) -> None:
        # A reload may be over before the next second. That it is loaded again can wait.
        loaded = {each.entry_id for each in self._readings if each.state == LOADED}
        now = {each.entry_id for each in self._destinations() if _is_loaded(each)}
        if loaded - now:
            self._async_begin_reading()

    @callback
    def _async_begin_reading(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self.hass.async_create_background_task(self._async_read(), "ha_ingestor live health")

    async def _async_read(self) -> None:
        try:
            self._readings = await async_readings(self.hass, self.entry_id, self._readings)
        except UnknownDestinationError:
            self._readings = []
        except Exception:  # noqa: BLE001  the next second is another chance
            LOGGER.exception("The health could not be read")
            return
        finally:
            self._is_reading = False
        store = store_of(self.hass)
        news = (store, self._readings, [_counted(each) for each in self._readings])
        if self._stops and news != self._sent:
            self._sent = news
            self.send(reports(self._readings, store, partial(async_said, self.hass)))


@dataclass(slots=True, kw_only=True)
class LivePoints(Live):
    """Sends a sample of the points that are captured, with the states of the destinations.

    It begins with some that were stored last.
    """

    new_sample: Callable[[], Sample]
    _samples: dict[str, Sample] = field(default_factory=dict)
    _watched: dict[str, tuple[Pipeline, CALLBACK_TYPE]] = field(default_factory=dict)
    _sent: list[dict[str, Any]] | None = None

    @callback
    def async_start(self) -> None:
        """Send which destinations there are and what they stored last, and then their points."""
        Live.async_start(self)
        self._async_changed()

    @callback
    def async_stop(self) -> None:
        """End, so that the pipelines show their points no more."""
        Live.async_stop(self)
        while self._watched:
            self._watched.popitem()[1][1]()

    @callback
    def _async_changed(self) -> None:
        """Watch the pipelines that there are now, and tell which destinations are loaded."""
        entries = self._destinations()
        pipelines = {
            each.entry_id: each.runtime_data.pipeline for each in entries if _is_loaded(each)
        }
        for entry_id, (pipeline, stop) in list(self._watched.items()):
            if pipelines.get(entry_id) is not pipeline:
                stop()
                del self._watched[entry_id]
        for entry_id, pipeline in pipelines.items():
            if entry_id not in self._watched:
                sample = self._samples.setdefault(entry_id, self.new_sample())
                # A home may be quiet for minutes; what was stored last is there at once.
                sample.see(pipeline.sample)
                self._watched[entry_id] = (pipeline, pipeline.watch_lines(sample.see))
        states = [{"config_entry_id": each.entry_id, "state": each.state.value} for each in entries]
        if states != self._sent:
            self._sent = states
            self.send(self._taken())

    @callback
    def _async_tick(self, _now: datetime) -> None:
        taken = self._taken()
        if taken["points"] or taken["left_out"]:
            self.send(taken)

    def _taken(self) -> dict[str, Any]:
        """Return the points since the last time, of all destinations."""
        points: list[dict[str, Any]] = []
        left_out = 0
        share = SAMPLE_POINTS // max(len(self._samples), 1)
        for entry_id, sample in self._samples.items():
            seen, more = sample.take()
            points += [{"config_entry_id": entry_id, **point} for point in seen[:share]]
            left_out += more + len(seen[share:])
        return {"destinations": self._sent, "points": points, "left_out": left_out}


def _counted(reading: Reading) -> tuple[object, ...]:
    """Return what a snapshot is not compared by, without what changes because it is looked at."""
    if (snapshot := reading.snapshot) is None:
        return ()
    did = snapshot.performance
    rates = did.received_per_minute, did.captured_per_minute, did.written_per_minute
    return *rates, did.requests, did.failures, snapshot.recovery


def _is_loaded(entry: HaIngestorConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED
