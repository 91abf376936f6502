"""Entity and attribute of a rejected point, from its line and the database's message."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..pipeline.encode.columns import CORE, core_field_name, core_number_name, field_name
from ..pipeline.spool.quarantine_records import RejectedPoint

_TAG: Final = r"(?<!\\),{}=([^, ]+)"
_ENTITY: Final = re.compile(_TAG.format("entity_id"))
_DOMAIN: Final = re.compile(_TAG.format("domain"))


def entity_of(line: str) -> str:
    """Return the id of the entity of a line; empty when it is about none."""
    entity = _ENTITY.search(line)
    if entity is None or "." in entity[1]:
        return entity[1] if entity else ""
    domain = _DOMAIN.search(line)
    return f"{domain[1]}.{entity[1]}" if domain else ""


def entities_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the entities of quarantined points that were refused for what they are, newest first.

    Those that are only older than the database keeps have no number of an answer.
    """
    lines = [str(record.get("line", "")) for record in records if record.get("status")]
    return [entity_id for entity_id in dict.fromkeys(map(entity_of, reversed(lines))) if entity_id]


def attribute_of(rejection: RejectedPoint, attributes: Iterable[str], prefix: str) -> str:
    """Return which of an entity's attributes is refused; empty when it is something else.

    `prefix` is what the profile puts in front of the names of attributes.
    """
    # InfluxDB 1 and 2 put names of fields into double quotes, InfluxDB 3 into single ones.
    reason = rejection.reason.replace("\\", "").replace("'", '"')
    for is_text in (False, True):
        for name in attributes:
            fields = {field_name(prefix, name, is_text=is_text)}
            if not prefix:
                # The `core` profile's; the last as numbers were called before they were told apart.
                fields |= {
                    core_field_name(f"{name}_str" if is_text else core_number_name(name)),
                    core_field_name(name),
                } - CORE.fields.keys()
            if any(f'"{field}"' in reason and f"{field}=" in rejection.line for field in fields):
                return name
    return ""
