"""What follows from a change of an entity's description: events that mark it, and heartbeats."""

from collections.abc import Iterator
from typing import Final

from ..pipeline.model import ContextLike, EntityContext, OtherEvent

ENTITY_RENAMED: Final = "entity_renamed"
ENTITY_MOVED: Final = "entity_moved"


def markers(
    before: EntityContext, after: EntityContext, time: float, context: ContextLike
) -> Iterator[OtherEvent]:
    """Compare two descriptions of one entity."""
    if before.entity_id != after.entity_id:
        renamed = {
            "old_entity_id": before.entity_id,
            "new_entity_id": after.entity_id,
            "registry_id": after.registry_id,
        }
        yield OtherEvent(ENTITY_RENAMED, renamed, time, context, after)
    if before.area_id != after.area_id:
        moved = {
            "old_area": before.area,
            "new_area": after.area,
            "old_area_id": before.area_id,
            "new_area_id": after.area_id,
        }
        yield OtherEvent(ENTITY_MOVED, moved, time, context, after)


def begins_heartbeats(before: EntityContext, after: EntityContext) -> bool:
    """Whether the heartbeats of a silent entity begin."""
    had_heartbeats = before.rules.heartbeat and not before.filtered
    return bool(after.rules.heartbeat) and not (had_heartbeats or after.filtered)
