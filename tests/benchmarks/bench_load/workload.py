"""A home of 200 sensors whose states change in turn, the same in every process."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

SENSORS: Final = 200
_AREAS: Final = 20
_DEVICES: Final = 50
_KINDS: Final = (
    ("temperature", "°C", "measurement"),
    ("humidity", "%", "measurement"),
    ("power", "W", "measurement"),
    ("energy", "kWh", "total_increasing"),
    ("illuminance", "lx", "measurement"),
)


def entity_id(sensor: int) -> str:
    """Name a sensor."""
    return f"sensor.room_{sensor % _AREAS}_{_KINDS[sensor % len(_KINDS)][0]}_{sensor}"


def next_state(count: int) -> tuple[str, str, dict[str, Any]]:
    """Return entity, state and attributes of the `count`th change, which differ from the last.

    One sensor in four reports its radio with every change, as Zigbee2MQTT's do; the attributes of
    the others stay as they are, as those of most entities.
    """
    sensor, turn = count % SENSORS, count // SENSORS
    device_class, unit, state_class = _KINDS[sensor % len(_KINDS)]
    attributes: dict[str, Any] = {
        "state_class": state_class,
        "unit_of_measurement": unit,
        "device_class": device_class,
        "friendly_name": f"Room {sensor % _AREAS} {device_class}",
    }
    if sensor % 4 == 0:
        attributes |= {
            "battery": 80 + turn % 20,
            "linkquality": 40 + turn % 200,
            "last_seen": f"2026-11-21T12:00:{turn % 60:02d}.{turn % 1000:03d}Z",
            "voltage": 2900 + turn % 150,
        }
    return entity_id(sensor), f"{20 + (turn * 7 + sensor) % 1000 / 100:.2f}", attributes


@callback
def furnish(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Enter the sensors, their devices and areas into the registries."""
    areas, devices, entities = ar.async_get(hass), dr.async_get(hass), er.async_get(hass)
    rooms = [areas.async_get_or_create(f"Room {number}") for number in range(_AREAS)]
    made = []
    for number in range(_DEVICES):
        device = devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(entry.domain, str(number))},
            name=f"Device {number}",
            manufacturer="Aqara",
            model="Weather sensor WSDCGQ11LM",
            sw_version="3000-0001",
        )
        made.append(devices.async_update_device(device.id, area_id=rooms[number % _AREAS].id))
    for sensor in range(SENSORS):
        device_entry = made[sensor % _DEVICES]
        entities.async_get_or_create(
            "sensor",
            entry.domain,
            str(sensor),
            suggested_object_id=entity_id(sensor).partition(".")[2],
            config_entry=entry,
            device_id=device_entry.id if device_entry else None,
        )


@callback
def burst(hass: HomeAssistant, entry: ConfigEntry, number: int) -> None:
    """Make a large home: so many entities more, six on a device, each with a state."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for count in range(number):
        device = devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(entry.domain, f"entities {count // 6}")},
            name=f"Device {count // 6}",
            manufacturer=f"Maker {count // 6 % 20}",
            model="Weather sensor WSDCGQ11LM",
            sw_version="3000-0001",
        )
        made = entities.async_get_or_create(
            "sensor",
            entry.domain,
            f"00:15:8d:00:02:{count:06x}-1-1026",
            suggested_object_id=f"added_{count}",
            config_entry=entry,
            device_id=device.id,
            original_name="Temperature",
            original_icon="mdi:thermometer",
            capabilities={"state_class": "measurement"},
            original_device_class="temperature",
            unit_of_measurement="°C",
        )
        attributes = {
            "state_class": "measurement",
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "friendly_name": f"Device {count // 6} Temperature",
        }
        hass.states.async_set(made.entity_id, f"{count % 300 / 10}", attributes)
