"""The weather around the home, from one weather entity."""

import time
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import UnitOfPressure, UnitOfSpeed, UnitOfTemperature
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    PressureConverter,
    SpeedConverter,
    TemperatureConverter,
)

from ..pipeline.encode.plain import as_finite_number
from ..pipeline.model import UNAVAILABLE, UNKNOWN, Weather

# Weather services report every few minutes to every hour.
MAX_AGE: Final = 3 * 3600.0

# Users choose the units of a weather entity; points have the same ones for years.
_MEASURED: Final[Mapping[str, tuple[type[BaseUnitConverter], str]]] = {
    "temperature": (TemperatureConverter, UnitOfTemperature.CELSIUS),
    "pressure": (PressureConverter, UnitOfPressure.HPA),
    "wind_speed": (SpeedConverter, UnitOfSpeed.METERS_PER_SECOND),
}


class WeatherWatch:
    """Follows an entity; `current` is None while nothing is known that is recent enough.

    Without an entity it does nothing.
    """

    def __init__(self, hass: HomeAssistant, entity_id: str = "", max_age: float = MAX_AGE) -> None:
        """Prepare; what is older than `max_age` seconds is not the weather any more."""
        self.current: Weather | None = None
        self._hass = hass
        self._entity_id = entity_id
        self._max_age = max_age
        self._reported_at = 0.0
        self._values: dict[str, float | None] = {}
        self._next_check: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow the entity until the returned function is called."""
        if not self._entity_id:
            return _nothing
        # A repeated report is recent too.
        stops = [
            async_track_state_change_event(self._hass, self._entity_id, self._async_reported),
            async_track_state_report_event(self._hass, self._entity_id, self._async_reported),
        ]
        age = 0.0
        if state := self._hass.states.get(self._entity_id):
            age = max(time.time() - state.last_reported_timestamp, 0.0)
        self._reported_at = time.monotonic() - age
        self._async_read_weather()

        @callback
        def async_stop() -> None:
            for stop in stops:
                stop()
            self._wait_for(None)
            self.current = None

        return async_stop

    @callback
    def _async_reported(self, _event: object) -> None:
        self._reported_at = time.monotonic()
        self._async_read_weather()

    @callback
    def _async_read_weather(self, _now: object = None) -> None:
        """Read the state now, and again when it is too old."""
        self._wait_for(None)
        state = self._hass.states.get(self._entity_id)
        left = self._reported_at + self._max_age - time.monotonic()
        if state is None or state.state in {UNAVAILABLE, UNKNOWN} or left <= 0:
            self.current = None
            return
        self._show(state)
        read_again = HassJob(self._async_read_weather, cancel_on_shutdown=True)
        self._wait_for(async_call_later(self._hass, left, read_again))

    def _wait_for(self, next_check: CALLBACK_TYPE | None) -> None:
        if self._next_check:
            self._next_check()
        self._next_check = next_check

    def _show(self, state: State) -> None:
        values = _measured(state.attributes)
        if self.current is None or values != self._values or state.state != self.current.condition:
            self.current = Weather(condition=state.state, **values)
            self._values = values


def _nothing() -> None:
    """Do nothing."""


def _measured(attributes: Mapping[str, Any]) -> dict[str, float | None]:
    values = {"humidity": _number(attributes.get("humidity"))}
    for name, (converter, unit) in _MEASURED.items():
        number = _number(attributes.get(name))
        values[name] = _converted(number, attributes.get(f"{name}_unit"), converter, unit)
    return values


def _number(value: object) -> float | None:
    return None if isinstance(value, bool) else as_finite_number(value)


def _converted(
    number: float | None, unit: object, converter: type[BaseUnitConverter], target: str
) -> float | None:
    if number is None or not isinstance(unit, str):
        return None
    try:
        return converter.convert(number, unit, target)
    except HomeAssistantError:
        return None
