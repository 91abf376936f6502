"""The `homeiq` profile: one measurement for HomeIQ's readers and plain dashboards alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..attributes import JsonDumps, attributes_json, text_of
from ..line_protocol import quote, series_key
from ..model import Capture, EntityContext, Point
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


class _Face(NamedTuple):
    """What stays the same from point to point while an entity's attributes do.

    Home Assistant shares the object of the attributes while they do not change.
    """

    attributes: Mapping[str, Any]
    is_removed: bool
    series: str
    attributes_text: str
    device_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeIQ:
    """Encodes captures; `numbers_only` is for stores that turn text into zeros."""

    dumps: JsonDumps
    location: str = ""
    numbers_only: bool = False
    aliases: bool = True

    def encode(self, capture: Capture) -> Point | None:  # noqa: C901  each call would cost
        """Encode a capture, or None when nothing of it can be stored."""
        entity, new, old, time, context, _, _ = capture
        subject = new or old
        if subject is None:
            return None
        attributes = subject.attributes
        face: _Face | None = entity.memo.get("face")
        if face is None or face.attributes is not attributes or face.is_removed != (new is None):
            face = entity.memo["face"] = self._face(entity, attributes, is_removed=new is None)
        value = duration = now = was = who = ""
        if new is not None:
            time = new.last_updated_timestamp
            if (number := number_of(new.state)) is not None:
                value = f"value={number!r},"
            if old is not None:
                # Nothing is spent in a state that stayed: HomeIQ reads 0 for attribute changes.
                # Digits past a microsecond are noise of the subtraction.
                seconds = new.last_changed_timestamp - old.last_changed_timestamp
                spent = f"{seconds:.6f}" if seconds > 0 else "0.0"
                duration = f"duration_in_state_seconds={spent},"
        if self.numbers_only:
            fields = f"{value}{duration}"
            return (face.series, fields[:-1], time) if fields else None
        if new is not None:
            text = quote(new.state)
            alias = f",state_value={text}" if self.aliases else ""
            now = f"state={text}{alias},{face.attributes_text},"
        if old is not None:
            text = quote(old.state)
            alias = f",previous_state={text}" if self.aliases else ""
            was = f"old_state={text}{alias},"
        if context.parent_id:
            who = f",context_parent_id={quote(context.parent_id)}"
        if context.user_id:
            who += f",context_user_id={quote(context.user_id)}"
        cause = f"context_id={quote(context.id)}{who}{face.device_text}"
        return face.series, f"{value}{duration}{now}{was}{cause}", time

    def _face(
        self, entity: EntityContext, attributes: Mapping[str, Any], *, is_removed: bool
    ) -> _Face:
        device_class = attributes.get("device_class") or ""
        if not isinstance(device_class, str):
            device_class = text_of(device_class)
        key = (ENTITY_REMOVED if is_removed else STATE_CHANGED, device_class)
        series = entity.memo.get(key)
        if series is None:
            series = entity.memo[key] = self._series(entity, *key)
        text = ""
        if not (is_removed or self.numbers_only):
            text = f"attributes={quote(attributes_json(attributes, self.dumps))}"
            if unit := attributes.get("unit_of_measurement"):
                text += f",unit_of_measurement={quote(text_of(unit))}"
        return _Face(attributes, is_removed, series, text, self._device(entity))

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

    @staticmethod
    def _device(entity: EntityContext) -> str:
        text: str | None = entity.memo.get("device")
        if text is None:
            text = entity.memo["device"] = "".join(
                f",{name}={quote(value)}"
                for name, value in (
                    ("manufacturer", entity.manufacturer),
                    ("model", entity.model),
                    ("sw_version", entity.sw_version),
                )
                if value
            )
        return text
