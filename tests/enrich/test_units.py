"""In which unit a number is stored."""

from math import isclose, isfinite

import pytest
from homeassistant.components.sensor.const import DEVICE_CLASS_UNITS, UNIT_CONVERTERS
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.enrich.units import metric_units, normal_units

CONVERTED = [
    ("temperature", "°F", 68.0, "°C", 20.0),
    ("temperature_delta", "°F", 9.0, "°C", 5.0),
    ("speed", "mph", 10.0, "km/h", 16.09344),
    ("wind_speed", "mph", 10.0, "km/h", 16.09344),
    ("distance", "mi", 1.0, "km", 1.609344),
    ("weight", "lb", 1.0, "kg", 0.45359237),
    ("weight", "st", 1.0, "kg", 6.35029318),
    ("weight", "oz", 1.0, "g", 28.349523125),
    ("volume", "gal", 1.0, "L", 3.785411784),
    ("volume_storage", "gal", 1.0, "L", 3.785411784),
    ("water", "ft³", 1.0, "m³", 0.028316846592),
    ("pressure", "psi", 1.0, "kPa", 6.894757),
    ("atmospheric_pressure", "inHg", 30.0, "hPa", 1015.9167),
    ("precipitation", "in", 1.0, "mm", 25.4),
    ("power", "BTU/h", 1000.0, "W", 293.07107),
    ("energy", "thm", 1.0, "kWh", 29.3001111),
    ("energy_storage", "thm", 1.0, "kWh", 29.3001111),
    ("energy_distance", "mi/kWh", 4.0, "km/kWh", 6.437376),
]
LEFT = [
    ("temperature", "°C"),
    ("temperature", "K"),
    ("temperature", "furlong"),
    ("power", "W"),
    ("wind_speed", "km/h"),
    ("wind_speed", "Beaufort"),
    ("", "°F"),
    ("no_such_class", "°F"),
    ("battery", "%"),
    ("temperature", ""),
]


@pytest.mark.parametrize(("device_class", "unit", "number", "metric", "converted"), CONVERTED)
def test_what_is_not_metric_becomes_metric(
    device_class: str, unit: str, *, number: float, metric: str, converted: float
) -> None:
    target, convert = metric_units(device_class, unit)
    assert target == metric
    assert type(target) is str
    assert convert
    assert isclose(convert(number), converted, rel_tol=1e-6)


@pytest.mark.parametrize(("device_class", "unit"), LEFT)
def test_metric_and_unknown_units_are_not_converted(device_class: str, unit: str) -> None:
    assert metric_units(device_class, unit) == (unit, None)


def test_one_unit_has_one_spelling() -> None:
    assert normal_units("mass", "\u00b5g") == ("μg", None)
    assert metric_units("reactive_power", "VAr") == ("var", None)
    assert normal_units("temperature", "°F") == ("°F", None)


@given(text=st.text(max_size=4), other=st.text(max_size=4))
def test_any_text_may_be_a_unit(text: str, other: str) -> None:
    for units in (normal_units, metric_units):
        units(text, other)


@pytest.mark.parametrize("device_class", UNIT_CONVERTERS, ids=str)
def test_whatever_home_assistant_knows_can_be_converted(device_class: str) -> None:
    """Also zero, which must not become a divisor."""
    for unit in DEVICE_CLASS_UNITS.get(device_class, ()):  # type: ignore[call-overload]
        _, convert = metric_units(device_class, str(unit))
        assert convert is None or all(isfinite(convert(number)) for number in (0.0, -1.0, 5e6))
