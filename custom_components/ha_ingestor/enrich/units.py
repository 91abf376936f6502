"""In which unit a number is stored."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from homeassistant.components.sensor.const import (
    AMBIGUOUS_UNITS,
    UNIT_CONVERTERS,
    SensorDeviceClass,
)
from homeassistant.const import (
    UnitOfEnergy,
    UnitOfEnergyDistance,
    UnitOfMass,
    UnitOfPower,
    UnitOfSpeed,
    UnitOfTemperature,
)
from homeassistant.util.unit_system import METRIC_SYSTEM

from ..pipeline.model import Convert

# Where Home Assistant's metric system leaves the unit to the integration.
_METRIC: Final[Mapping[tuple[str, str], str]] = {
    (SensorDeviceClass.TEMPERATURE, UnitOfTemperature.FAHRENHEIT): UnitOfTemperature.CELSIUS,
    (SensorDeviceClass.TEMPERATURE_DELTA, UnitOfTemperature.FAHRENHEIT): UnitOfTemperature.CELSIUS,
    (SensorDeviceClass.WEIGHT, UnitOfMass.OUNCES): UnitOfMass.GRAMS,
    (SensorDeviceClass.WEIGHT, UnitOfMass.POUNDS): UnitOfMass.KILOGRAMS,
    (SensorDeviceClass.WEIGHT, UnitOfMass.STONES): UnitOfMass.KILOGRAMS,
    (SensorDeviceClass.POWER, UnitOfPower.BTU_PER_HOUR): UnitOfPower.WATT,
    (SensorDeviceClass.ENERGY, UnitOfEnergy.THERM): UnitOfEnergy.KILO_WATT_HOUR,
    (
        SensorDeviceClass.ENERGY_DISTANCE,
        UnitOfEnergyDistance.MILES_PER_KILO_WATT_HOUR,
    ): UnitOfEnergyDistance.KM_PER_KILO_WATT_HOUR,
}
# Home Assistant tells these apart by their state classes, not by their units.
_SAME_UNITS: Final[Mapping[str, str]] = {
    SensorDeviceClass.VOLUME_STORAGE: SensorDeviceClass.VOLUME,
    SensorDeviceClass.ENERGY_STORAGE: SensorDeviceClass.ENERGY,
}


def normal_units(_device_class: str, unit: str) -> tuple[str, Convert | None]:
    """Leave numbers as they are, and spell units as Home Assistant does today."""
    return AMBIGUOUS_UNITS.get(unit, unit), None


@lru_cache(maxsize=1024)
def metric_units(device_class: str, unit: str) -> tuple[str, Convert | None]:
    """Convert to what Home Assistant would show in a metric home; what it does not know stays."""
    unit = AMBIGUOUS_UNITS.get(unit, unit)
    if unit == UnitOfSpeed.BEAUFORT:
        return unit, None  # steps of a scale, and none of them is below zero
    kind = _SAME_UNITS.get(device_class, device_class)
    target = _METRIC.get((kind, unit)) or METRIC_SYSTEM.get_converted_unit(kind, unit)
    converter = UNIT_CONVERTERS.get(kind)
    if target is None or converter is None:
        return unit, None
    return str(target), converter.converter_factory(unit, target)
