"""The data of an event, whatever its type."""

from collections.abc import Mapping
from typing import Any, Final

# Deeper than any event; what refers to itself has to end somewhere.
_DEPTH_MAX: Final = 8


def copied(data: Any, depth: int = _DEPTH_MAX) -> Any:
    """Copy the data of an event, because its sender may go on using them. Never raises.

    What cannot be read stays as it is.
    """
    if not depth:
        return data
    try:
        if isinstance(data, Mapping):
            return {key: copied(value, depth - 1) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [copied(value, depth - 1) for value in data]
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        return data
    return data


def named_entity_id(data: Mapping[str, Any]) -> str | None:
    """Return the ID of the one entity that an event names, if it names one."""
    entity_id = data.get("entity_id")
    if entity_id is None and isinstance(call := data.get("service_data"), Mapping):
        entity_id = call.get("entity_id")
    if isinstance(entity_id, list) and len(entity_id) == 1:
        entity_id = entity_id[0]
    return entity_id if isinstance(entity_id, str) else None
