"""The weather that points are enriched with."""

import time
from datetime import timedelta
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.ha_ingestor.enrich.weather import WeatherWatch
from custom_components.ha_ingestor.pipeline.model import Weather

HOME = "weather.home"
IMPERIAL = {
    "temperature": 68,
    "temperature_unit": "°F",
    "humidity": 40,
    "pressure": 29.53,
    "pressure_unit": "inHg",
    "wind_speed": 10,
    "wind_speed_unit": "mph",
}


@pytest.fixture
def watch(hass: HomeAssistant) -> Any:
    """Follow an entity."""
    watch = WeatherWatch(hass, HOME)
    stop = watch.async_start()
    yield watch
    stop()


async def report(hass: HomeAssistant, state: str, attributes: dict[str, Any]) -> None:
    """Let the entity say something."""
    hass.states.async_set(HOME, state, attributes)
    await hass.async_block_till_done()


def values(weather: Weather | None) -> tuple[Any, ...]:
    """Read a weather."""
    assert weather
    measured = (weather.temperature, weather.humidity, weather.pressure, weather.wind_speed)
    return (weather.condition, *(value and round(value, 3) for value in measured))


async def test_numbers_are_metric_whatever_the_user_looks_at(
    hass: HomeAssistant, watch: WeatherWatch
) -> None:
    await report(hass, "sunny", IMPERIAL)
    assert values(watch.current) == ("sunny", 20.0, 40.0, 1000.001, 4.47)
    metric = {
        "temperature": 20.5,
        "temperature_unit": "°C",
        "pressure": 1013.2,
        "pressure_unit": "hPa",
        "wind_speed": 36,
        "wind_speed_unit": "km/h",
    }
    await report(hass, "rainy", metric)
    assert values(watch.current) == ("rainy", 20.5, None, 1013.2, 10.0)


async def test_weather_from_before_the_start_is_used(hass: HomeAssistant) -> None:
    await report(hass, "sunny", IMPERIAL)
    watch = WeatherWatch(hass, HOME)
    stop = watch.async_start()
    assert watch.current
    assert watch.current.condition == "sunny"
    stop()


@pytest.mark.parametrize("state", ["unavailable", "unknown", None])
async def test_an_entity_that_goes_away_takes_the_weather_with_it(
    hass: HomeAssistant, watch: WeatherWatch, state: str | None
) -> None:
    await report(hass, "sunny", IMPERIAL)
    if state:
        await report(hass, state, {})
    else:
        hass.states.async_remove(HOME)
        await hass.async_block_till_done()
    assert watch.current is None
    await report(hass, "sunny", IMPERIAL)
    assert watch.current


async def test_the_weather_object_is_replaced_only_when_a_used_value_changes(
    hass: HomeAssistant, watch: WeatherWatch
) -> None:
    await report(hass, "sunny", IMPERIAL)
    first = watch.current
    await report(hass, "sunny", {**IMPERIAL, "attribution": "a service", "visibility": 3})
    assert watch.current is first
    await report(hass, "cloudy", IMPERIAL)
    second = watch.current
    assert second is not first
    await report(hass, "cloudy", {**IMPERIAL, "humidity": 41})
    assert watch.current is not second


def known(watch: WeatherWatch) -> bool:
    """Whether there is a weather."""
    return watch.current is not None


async def test_weather_that_is_too_old_is_left_out_until_it_is_reported_again(
    hass: HomeAssistant, watch: WeatherWatch, freezer: FrozenDateTimeFactory
) -> None:
    """A report that says the same is no change, but it is a report."""
    await report(hass, "sunny", IMPERIAL)
    await pass_time(hass, freezer, timedelta(hours=2))
    await report(hass, "sunny", IMPERIAL)
    await pass_time(hass, freezer, timedelta(hours=2))
    assert known(watch)
    await pass_time(hass, freezer, timedelta(hours=1, seconds=1))
    assert not known(watch)
    await report(hass, "sunny", IMPERIAL)
    assert known(watch)
    await pass_time(hass, freezer, timedelta(hours=3, seconds=1))
    assert not known(watch)


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
async def test_a_clock_that_is_set_makes_no_weather_older_or_younger(
    hass: HomeAssistant, watch: WeatherWatch, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    now, monotonic, passed = time.time, time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed)
    await report(hass, "sunny", IMPERIAL)
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    passed = 2 * 3600.0
    async_fire_time_changed(hass, fire_all=True)
    assert known(watch)
    passed += 3601.0
    async_fire_time_changed(hass, fire_all=True)
    assert not known(watch)
    await report(hass, "sunny", IMPERIAL)
    assert known(watch)


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, span: timedelta) -> None:
    """Let time go by."""
    freezer.tick(span)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


ODD: list[dict[str, Any]] = [
    {"temperature": "warm", "temperature_unit": "°C"},
    {"temperature": True, "temperature_unit": "°C"},
    {"temperature": float("nan"), "temperature_unit": "°C"},
    {"temperature": 10**400, "temperature_unit": "°C"},
    {"temperature": 1, "temperature_unit": "furlong"},
    {"temperature": 1, "temperature_unit": ["°C"]},
    {"temperature": 1},
    {},
]


@pytest.mark.parametrize("odd", ODD)
async def test_what_is_no_number_with_a_known_unit_is_left_out(
    hass: HomeAssistant, watch: WeatherWatch, odd: dict[str, Any]
) -> None:
    await report(hass, "sunny", odd)
    assert values(watch.current) == ("sunny", None, None, None, None)


async def test_without_an_entity_there_is_nothing_to_do(hass: HomeAssistant) -> None:
    before = dict(hass.bus.async_listeners())
    watch = WeatherWatch(hass)
    stop = watch.async_start()
    assert hass.bus.async_listeners() == before
    stop()
    assert watch.current is None


async def test_nothing_is_left_running(hass: HomeAssistant) -> None:
    before = dict(hass.bus.async_listeners())
    watch = WeatherWatch(hass, HOME)
    stop = watch.async_start()
    await report(hass, "sunny", IMPERIAL)
    stop()
    assert watch.current is None
    assert hass.bus.async_listeners() == before
