"""The entities of the messages of a broker."""

from typing import Any, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass

from ..sources.mqtt.health import MqttState
from .base import IngestorBinarySensorDescription, IngestorSensorDescription

MqttSensor = IngestorSensorDescription[MqttState]
MqttBinarySensor = IngestorBinarySensorDescription[MqttState]


def _reasons(state: MqttState) -> dict[str, Any]:
    return {"reasons": dict(state.filtered)}


MQTT_SENSORS: Final[tuple[MqttSensor, ...]] = (
    MqttSensor(
        key="messages_per_minute",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda state: state.messages_per_minute,
    ),
    MqttSensor(
        key="last_message",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda state: state.last_message,
    ),
    MqttSensor(
        key="message_points",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda state: state.points,
    ),
    MqttSensor(
        key="messages_filtered",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda state: sum(state.filtered.values()),
        attributes_fn=_reasons,
    ),
)

MQTT_BINARY_SENSORS: Final[tuple[MqttBinarySensor, ...]] = (
    MqttBinarySensor(
        key="broker_connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        value_fn=lambda state: state.connected,
    ),
)
