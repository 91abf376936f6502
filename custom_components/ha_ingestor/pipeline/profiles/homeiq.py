"""The `homeiq` profile: one measurement that HomeIQ's readers and plain dashboards both understand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..attributes import JsonDumps, attributes_json
from ..line_protocol import quote, series_key
from ..model import Capture, EntityContext, StateLike
from ..numbers import number_of

MEASUREMENT: Final = "home_assistant_events"
STATE_CHANGED: Final = "state_changed"
ENTITY_REMOVED: Final = "entity_removed"

_CATEGORY_BY_DOMAIN: Final = {
    "alarm_control_panel": "security",
    "lock": "security",
    "climate": "climate",
    "light": "lighting",
    "switch": "appliance",
    "fan": "appliance",
    "vacuum": "appliance",
}
_CATEGORY_BY_DEVICE_CLASS: Final = {
    "door": "security",
    "window": "security",
    "motion": "security",
    "lock": "security",
    "temperature": "climate",
    "humidity": "climate",
    "power": "appliance",
    "energy": "appliance",
}
_CATEGORY_FALLBACK: Final = {"sensor": "monitoring", "binary_sensor": "monitoring"}


def event_category(domain: str, device_class: str) -> str:
    """HomeIQ's coarse grouping; the domain decides before the device class."""
    return (
        _CATEGORY_BY_DOMAIN.get(domain)
        or _CATEGORY_BY_DEVICE_CLASS.get(device_class)
        or _CATEGORY_FALLBACK.get(domain)
        or "general"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeIQ:
    """Encodes captures; `numbers_only` is for stores that turn text into zeros."""

    dumps: JsonDumps
    location: str = ""
    numbers_only: bool = False
    aliases: bool = True

    def encode(self, capture: Capture) -> tuple[str, str] | None:
        """Encode series and fields of a capture, or None when nothing of it can be stored."""
        entity, new, old, _, context = capture
        subject = new or old
        if subject is None:
            return None
        event_type = STATE_CHANGED if new else ENTITY_REMOVED
        device_class = subject.attributes.get("device_class") or ""
        if not isinstance(device_class, str):
            device_class = str(device_class)
        key = (event_type, device_class)
        series = entity.memo.get(key)
        if series is None:
            series = entity.memo[key] = self._series(entity, event_type, device_class)

        parts: list[str] = []
        if new is not None:
            if (value := number_of(new.state)) is not None:
                parts.append(f"value={value!r}")
            if not self.numbers_only:
                parts.append(self._state("state", "state_value", new))
                parts.append(self._attributes(entity, new.attributes))
        if old is not None:
            if new is not None:
                # Nothing is spent in a state that stayed: HomeIQ reads 0 for attribute changes.
                seconds = max(
                    new.last_changed_timestamp - old.last_changed_timestamp, 0.0
                )
                parts.append(f"duration_in_state_seconds={seconds!r}")
            if not self.numbers_only:
                parts.append(self._state("old_state", "previous_state", old))
        if not self.numbers_only:
            parts.append(f"context_id={quote(context.id)}")
            if context.parent_id:
                parts.append(f"context_parent_id={quote(context.parent_id)}")
            if context.user_id:
                parts.append(f"context_user_id={quote(context.user_id)}")
            if device := self._device(entity):
                parts.append(device)
        return (series, ",".join(parts)) if parts else None

    def _series(self, entity: EntityContext, event_type: str, device_class: str) -> str:
        return series_key(
            MEASUREMENT,
            (
                ("entity_id", entity.entity_id),
                ("domain", entity.domain),
                ("event_type", event_type),
                ("event_category", event_category(entity.domain, device_class)),
                ("device_class", device_class),
                ("device_id", entity.device_id),
                ("area_id", entity.area_id),
                ("area", entity.area),
                ("integration", entity.integration),
                ("location", self.location),
            ),
        )

    def _state(self, name: str, alias: str, state: StateLike) -> str:
        text = quote(state.state)
        return f"{name}={text},{alias}={text}" if self.aliases else f"{name}={text}"

    def _attributes(self, entity: EntityContext, attributes: Mapping[str, Any]) -> str:
        """Encode attributes and unit; Home Assistant shares the object while they do not change."""
        known: tuple[Mapping[str, Any], str] | None = entity.memo.get("attributes")
        if known is not None and known[0] is attributes:
            return known[1]
        text = f"attributes={quote(attributes_json(attributes, self.dumps))}"
        if unit := attributes.get("unit_of_measurement"):
            text += f",unit_of_measurement={quote(str(unit))}"
        entity.memo["attributes"] = (attributes, text)
        return text

    @staticmethod
    def _device(entity: EntityContext) -> str:
        text: str | None = entity.memo.get("device")
        if text is None:
            text = entity.memo["device"] = ",".join(
                f"{name}={quote(value)}"
                for name, value in (
                    ("manufacturer", entity.manufacturer),
                    ("model", entity.model),
                    ("sw_version", entity.sw_version),
                )
                if value
            )
        return text
