"""Make a home: `python -m tests.golden.record DIRECTORY`, in the runtime environment.

A real Home Assistant runs in the empty directory with its demo entities, which are put into rooms;
then people, an automation and a script use them.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from homeassistant.bootstrap import async_setup_hass
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.runner import RuntimeConfig

from custom_components.ha_ingestor.enrich.catalog import Catalog
from custom_components.ha_ingestor.enrich.weather import WeatherWatch
from custom_components.ha_ingestor.pipeline.filter.intake import Intake
from custom_components.ha_ingestor.pipeline.model import OtherEvent, StateEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.sources.local import LocalSource
from scripts.rig.configuration import write_configuration
from scripts.rig.home_assistant import free_port

from .odd import odd_captures
from .store import HOME, dump

_MORE: Final = """
sun:
input_boolean:
  guests:
    name: Guests
input_number:
  target:
    min: 0
    max: 100
counter:
  visitors:
timer:
  eggs:
    duration: "00:05:00"
automation:
  - id: lamp_follows_lock
    alias: Lamp follows lock
    triggers:
      - trigger: state
        entity_id: lock.front_door
        to: unlocked
    actions:
      - action: light.turn_on
        target:
          entity_id: light.ceiling_lights
        data:
          brightness: 99
script:
  good_night:
    sequence:
      - action: cover.close_cover
        target:
          entity_id: cover.hall_window
"""

_ROOMS: Final = (
    *(("Kitchen", "Ground floor"), ("Living room, north", "Ground floor")),
    *(("Bath=room", "1. Stock"), ("Garden", None)),
)
_EVENTS: Final = ("automation_triggered", "script_started", "call_service", "doorbell")
_CALLS: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("lock", "unlock", "lock.front_door", {}),
    ("light", "turn_on", "light.bed_light", {"brightness": 128, "hs_color": [30, 70]}),
    ("light", "turn_off", "light.kitchen_lights", {}),
    ("climate", "set_temperature", "climate.hvac", {"temperature": 23.5}),
    ("climate", "set_hvac_mode", "climate.heatpump", {"hvac_mode": "off"}),
    ("cover", "set_cover_position", "cover.living_room_window", {"position": 30}),
    ("fan", "set_percentage", "fan.living_room_fan", {"percentage": 66}),
    ("media_player", "media_play", "media_player.bedroom", {}),
    ("media_player", "volume_set", "media_player.bedroom", {"volume_level": 0.3}),
    ("media_player", "turn_off", "media_player.walkman", {}),
    ("number", "set_value", "number.volume", {"value": 55}),
    ("select", "select_option", "select.speed", {"option": "ludicrous_speed"}),
    ("humidifier", "set_humidity", "humidifier.humidifier", {"humidity": 44}),
    ("alarm_control_panel", "alarm_arm_away", "alarm_control_panel.security", {"code": "1234"}),
    ("vacuum", "start", "vacuum.demo_vacuum_0_ground_floor", {}),
    ("lawn_mower", "start_mowing", "lawn_mower.mower_1", {}),
    ("valve", "close_valve", "valve.front_garden", {}),
    ("water_heater", "set_temperature", "water_heater.demo_water_heater", {"temperature": 50}),
    ("siren", "turn_on", "siren.siren", {}),
    ("switch", "turn_on", "switch.ac", {}),
    ("text", "set_value", "text.text", {"value": 'Text with "quotes", \\ and 🥚'}),
    ("date", "set_value", "date.date", {"date": "2026-11-21"}),
    ("time", "set_value", "time.time", {"time": "06:30:00"}),
    ("button", "press", "button.push", {}),
    ("remote", "turn_off", "remote.remote_one", {}),
    ("input_boolean", "turn_on", "input_boolean.guests", {}),
    ("input_number", "set_value", "input_number.target", {"value": 42.5}),
    ("counter", "increment", "counter.visitors", {}),
    ("timer", "start", "timer.eggs", {}),
    ("script", "turn_on", "script.good_night", {}),
)


class Collector:
    """Takes captures where a pipeline would."""

    def __init__(self) -> None:
        self.state_events: list[StateEvent | OtherEvent] = []
        self.intake = Intake()

    def offer(self, state_event: StateEvent | OtherEvent) -> None:
        self.state_events.append(state_event)

    def expect(self, state_events: object) -> None:
        """Let no heart beat."""


def furnish(hass: HomeAssistant) -> None:
    """Put devices and entities into rooms by turns, and label some."""
    floors, areas = fr.async_get(hass), ar.async_get(hass)
    stages: dict[str | None, str | None] = {None: None}
    rooms = []
    for name, stage in _ROOMS:
        if stage not in stages:
            stages[stage] = floors.async_create(str(stage)).floor_id
        rooms.append(areas.async_create(name, floor_id=stages[stage]).id)
    labels = [lr.async_get(hass).async_create(name).label_id for name in ("Party", "a|b, c")]
    for number, device in enumerate(list(dr.async_get(hass).devices)):
        dr.async_get(hass).async_update_device(
            device.id,
            area_id=rooms[number % len(rooms)],
            labels=set(labels[: number % 3]),
            sw_version=None if number % 2 else f"1.{number}",
            manufacturer="Demo \\ Söhne" if number % 3 else None,
        )
    for number, entity_id in enumerate(list(er.async_get(hass).entities)):
        if number % 5 == 0:
            with suppress(ValueError):  # one that is the whole device is where that is
                er.async_get(hass).async_update_entity(entity_id, area_id=rooms[number % 4])


@callback
def wear_and_tear(hass: HomeAssistant) -> None:
    """Do what integrations and owners do to entities."""
    states, registry = hass.states, er.async_get(hass)
    before = states.get("sensor.outside_temperature")
    if before is None:
        raise RuntimeError("The demo has no sensor any more")
    name, attributes = before.entity_id, dict(before.attributes)
    states.async_set(name, "unavailable")
    states.async_set(name, "unknown", attributes)
    states.async_set(name, "59.9", {**attributes, "unit_of_measurement": "°F"})
    hass.bus.async_fire("doorbell", {"entity_id": name, "volume": 3, "who": "?", "pin": "0000"})
    registry.async_update_entity(name, new_entity_id="sensor.outdoors")
    registry.async_update_entity("sensor.outside_humidity", area_id=None)
    states.async_remove("counter.visitors")


async def record(directory: Path) -> str:
    """Let Home Assistant run, use it, and write down what there was to capture."""
    write_configuration(directory, port=free_port(), demo=True)
    with (directory / "configuration.yaml").open("a", encoding="utf-8") as file:
        file.write(_MORE)
    hass = await async_setup_hass(RuntimeConfig(config_dir=str(directory), skip_pip=True))
    if hass is None:
        raise RuntimeError("Home Assistant did not start")
    try:
        return dump([*await used(hass), *odd_captures()])
    finally:
        await hass.async_stop(force=True)


async def used(hass: HomeAssistant) -> list[StateEvent | OtherEvent]:
    """Furnish a home and live in it; returns what there was to capture."""
    await hass.async_start()
    await hass.async_block_till_done()
    furnish(hass)
    collector = Collector()
    source = LocalSource(
        hass,
        Catalog(hass),
        cast("Pipeline", collector),
        event_types=_EVENTS,
        weather=WeatherWatch(hass, "weather.demo_weather_south"),
    )
    await source.async_start()
    user = await hass.auth.async_create_user("Ada")
    for domain, action, entity_id, data in _CALLS:
        target: dict[str, Any] = {"entity_id": entity_id, **data}
        context = Context(user_id=user.id)
        await hass.services.async_call(domain, action, target, blocking=True, context=context)
        await hass.async_block_till_done()
    wear_and_tear(hass)
    await hass.async_block_till_done()
    await source.async_stop()
    return collector.state_events


if __name__ == "__main__":
    HOME.write_text(asyncio.run(record(Path(sys.argv[1]))), encoding="utf-8")
