"""State changes for tests of the pipeline, without Home Assistant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_components.ha_ingestor.pipeline.model import EntityContext, StateEvent

NOON = 1_795_262_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeState:
    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    last_changed_timestamp: float = NOON
    last_updated_timestamp: float = NOON


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeContext:
    id: str = "01JD8YQ2V9A1B2C3D4E5F6G7H8"
    parent_id: str | None = None
    user_id: str | None = None


def entity(entity_id: str = "sensor.kitchen", **described: Any) -> EntityContext:
    domain = entity_id.split(".", maxsplit=1)[0]
    return EntityContext(entity_id=entity_id, domain=domain, **described)


def change(
    new: FakeState | None,
    old: FakeState | None = None,
    *,
    of: EntityContext | None = None,
    context: FakeContext | None = None,
    time: float = NOON,
) -> StateEvent:
    return StateEvent(of or entity(), new, old, time, context or FakeContext())
