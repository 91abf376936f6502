"""What a rejected point is about, from its line and the database's message."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..pipeline.encode.columns import CORE, core_field_name, core_number_name, field_name
from ..pipeline.spool.quarantine.records import RejectedPoint
from .line import read_line

UNKNOWN: Final = "?"

# What fits a phone.
_SUBJECT_SHOWN: Final = 120
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


def subject_of(line: str) -> str:
    """Return what a line is about: its entity, else its measurement with its tags."""
    if entity_id := entity_of(line):
        return entity_id
    try:
        point = read_line(line)
    except ValueError:
        return UNKNOWN
    text = ", ".join((point.measurement, *(f"{name}={tag}" for name, tag in point.tags.items())))
    return text if len(text) <= _SUBJECT_SHOWN else f"{text[:_SUBJECT_SHOWN]}\u2026"


def entities_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the entities of quarantined points that were refused for what they are, newest first.

    Those that are only older than the database keeps have no number of an answer.
    """
    return _newest_first(records, entity_of)


def subjects_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what these points are about, newest first."""
    return _newest_first(records, subject_of)


def _newest_first(records: Iterable[Mapping[str, Any]], read: Callable[[str], str]) -> list[str]:
    lines = [str(record.get("line", "")) for record in records if record.get("status")]
    return [found for found in dict.fromkeys(map(read, reversed(lines))) if found]


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
