"""The messages of one destination: started and stopped with its pipeline."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN, SUBENTRY_MQTT
from ...health.issues.mqtt import async_update_mqtt_issue
from ...options.mqtt import shapes_of
from ...pipeline.pipeline import Pipeline
from ..kept_link import KeptLink
from .capture import MqttCapture
from .coordinator import MqttCoordinator
from .link import MqttLink

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry

# By entry.
MQTT_LINKS: HassKey[dict[str, KeptLink[MqttLink]]] = HassKey(f"{DOMAIN}_mqtt_links")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mqtt:
    """What a destination with messages has."""

    subentry: ConfigSubentry
    link: MqttLink
    coordinator: MqttCoordinator


class MqttSource:
    """Captures messages where the destination has a subentry for them; else it does nothing."""

    def __init__(
        self, hass: HomeAssistant, entry: HaIngestorConfigEntry, pipeline: Pipeline
    ) -> None:
        """Find the subscriptions of the set-up before, or prepare new ones."""
        self._hass = hass
        self._entry = entry
        self._pipeline = pipeline
        self._links = hass.data.setdefault(MQTT_LINKS, {})
        self.mqtt: Mqtt | None = None
        subentry = next(iter(entry.get_subentries_of_type(SUBENTRY_MQTT)), None)
        if subentry:
            kept = self._links.get(entry.entry_id)
            link = kept.link if kept else MqttLink(hass)
            coordinator = MqttCoordinator(hass, entry, subentry, link, name="mqtt")
            self.mqtt = Mqtt(subentry=subentry, link=link, coordinator=coordinator)

    async def async_start(self) -> None:
        """Capture messages, also those that came since the destination was unloaded."""
        entry_id = self._entry.entry_id
        if self.mqtt is None:
            async_forget_mqtt(self._hass, entry_id)
            return
        new = KeptLink(link=self.mqtt.link, entry_id=entry_id)
        self._links.setdefault(entry_id, new).async_cancel_end()
        self.mqtt.coordinator.async_start()
        shapes = shapes_of(self.mqtt.subentry.data)
        capture = MqttCapture(self._pipeline, self.mqtt.link.health)
        await self.mqtt.link.async_attach(shapes, capture)

    async def async_stop(self, *, hand_over: bool) -> None:
        """Capture nothing more. Safe to call twice.

        The subscriptions wait for the next set-up, or end.
        """
        kept = self._links.get(self._entry.entry_id)
        if self.mqtt is None or kept is None or kept.link is not self.mqtt.link:
            return
        self.mqtt.coordinator.async_stop()
        if not hand_over:
            del self._links[self._entry.entry_id]
            kept.link.async_stop()
        elif not kept.is_ending:
            kept.link.async_detach()
            end = partial(_async_expire, self._hass, self._entry.entry_id)
            kept.async_end_later(self._hass, end)

    async def async_capture_waiting(self, pipeline: Pipeline) -> None:
        """Capture what waits into a pipeline that stores it, because Home Assistant stops."""
        if self.mqtt:
            link = self.mqtt.link
            shapes = shapes_of(self.mqtt.subentry.data)
            await link.async_capture_waiting(shapes, MqttCapture(pipeline, link.health))


@callback
def _async_expire(hass: HomeAssistant, entry_id: str, _now: object) -> None:
    if kept := hass.data.get(MQTT_LINKS, {}).pop(entry_id, None):
        kept.link.async_stop()


@callback
def async_forget_mqtt(hass: HomeAssistant, entry_id: str) -> None:
    """End the subscriptions of a destination that is removed, or wants no messages any more."""
    if kept := hass.data.get(MQTT_LINKS, {}).pop(entry_id, None):
        kept.async_cancel_end()
        kept.link.async_stop()
    async_update_mqtt_issue(hass, entry_id=entry_id, title="", is_set_up=True)
