"""Attributes that Home Assistant keeps out of its history, by the domain of an entity.

The states of this home say it themselves. Those of another one do not, but for what belongs to a
domain it is the same everywhere.
"""

from collections.abc import Mapping
from typing import Any, Final

UNRECORDED: Final[Mapping[str, str]] = {
    "automation": "current id last_triggered max mode",
    "calendar": "description",
    "camera": "access_token entity_picture",
    "climate": (
        "fan_modes hvac_modes max_humidity max_temp min_humidity min_temp preset_modes swing_modes"
        " target_humidity_step target_temp_step"
    ),
    "cover": "supported_speeds",
    "event": "event_types",
    "fan": "preset_modes",
    "group": "auto entity_id group_entities order",
    "humidifier": "available_modes max_humidity min_humidity target_humidity_step",
    "image": "access_token entity_picture",
    "input_boolean": "editable",
    "input_button": "editable",
    "input_datetime": "editable has_date has_time",
    "input_number": "editable max min mode step",
    "input_select": "editable",
    "input_text": "editable max min mode pattern",
    "light": (
        "brightness color_mode color_temp_kelvin effect effect_list hs_color max_color_temp_kelvin"
        " min_color_temp_kelvin rgb_color rgbw_color rgbww_color supported_color_modes xy_color"
    ),
    "media_player": (
        "entity_picture entity_picture_local media_position media_position_updated_at"
        " sound_mode_list source_list"
    ),
    "number": "max min mode step",
    "person": "device_trackers",
    "schedule": "editable next_event",
    "script": "current last_action last_triggered max mode",
    "select": "options",
    "sensor": "options",
    "siren": "available_tones",
    "sun": (
        "azimuth elevation next_dawn next_dusk next_midnight next_noon next_rising next_setting"
        " rising"
    ),
    "text": "max min mode pattern",
    "update": "display_precision entity_picture in_progress release_summary update_percentage",
    "vacuum": "fan_speed_list",
    "water_heater": "max_temp min_temp operation_list target_temp_step",
}

_INFO: Final[Mapping[str, Mapping[str, Any]]] = {
    domain: {"unrecorded_attributes": frozenset(names.split())}
    for domain, names in UNRECORDED.items()
}


def state_info(entity_id: str) -> Mapping[str, Any] | None:
    """Return what the states of this home would say of themselves."""
    return _INFO.get(entity_id.partition(".")[0])
