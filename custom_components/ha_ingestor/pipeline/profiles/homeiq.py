"""The `homeiq` profile: one measurement for HomeIQ's readers and plain dashboards alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..attributes import JsonDumps, attributes_json, text_of
from ..line_protocol import quote, series_key
from ..model import Capture, ContextLike, EntityContext, StateLike
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
        parts = _numbers(new, old)
        if not self.numbers_only:
            parts += self._texts(entity, new, old, context)
        if not parts:
            return None
        device_class = subject.attributes.get("device_class") or ""
        if not isinstance(device_class, str):
            device_class = text_of(device_class)
        key = (STATE_CHANGED if new else ENTITY_REMOVED, device_class)
        series = entity.memo.get(key)
        if series is None:
            series = entity.memo[key] = self._series(entity, *key)
        return series, ",".join(parts)

    def _texts(
        self,
        entity: EntityContext,
        new: StateLike | None,
        old: StateLike | None,
        context: ContextLike,
    ) -> list[str]:
        parts: list[str] = []
        if new is not None:
            parts.append(self._state("state", "state_value", new))
            parts.append(self._attributes(entity, new.attributes))
        if old is not None:
            parts.append(self._state("old_state", "previous_state", old))
        parts.append(f"context_id={quote(context.id)}")
        if context.parent_id:
            parts.append(f"context_parent_id={quote(context.parent_id)}")
        if context.user_id:
            parts.append(f"context_user_id={quote(context.user_id)}")
        if device := self._device(entity):
            parts.append(device)
        return parts

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
            text += f",unit_of_measurement={quote(text_of(unit))}"
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


def _numbers(new: StateLike | None, old: StateLike | None) -> list[str]:
    parts: list[str] = []
    if new is not None:
        if (value := number_of(new.state)) is not None:
            parts.append(f"value={value!r}")
        if old is not None:
            # Nothing is spent in a state that stayed: HomeIQ reads 0 for attribute changes. The
            # digits past a microsecond are noise of the subtraction.
            seconds = round(new.last_changed_timestamp - old.last_changed_timestamp, 6)
            parts.append(f"duration_in_state_seconds={max(seconds, 0.0)!r}")
    return parts
