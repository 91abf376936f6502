"""What a refused point is about, as far as its line and the database's words tell."""

import re
from collections.abc import Iterable
from typing import Final

from .pipeline.attributes import RESERVED
from .pipeline.line_protocol import escape_key
from .pipeline.quarantine import Rejection

_TAG: Final = r"(?<!\\),{}=([^, ]+)"
_ENTITY: Final = re.compile(_TAG.format("entity_id"))
_DOMAIN: Final = re.compile(_TAG.format("domain"))
_TEXT_SUFFIX: Final = "_str"


def entity_of(rejection: Rejection) -> str:
    """Return the id of the entity; empty when the point is about none."""
    entity = _ENTITY.search(rejection.line)
    if entity is None or "." in entity[1]:
        return entity[1] if entity else ""
    domain = _DOMAIN.search(rejection.line)
    return f"{domain[1]}.{entity[1]}" if domain else ""


def attribute_of(rejection: Rejection, attributes: Iterable[str], prefix: str) -> str:
    """Return which of an entity's attributes is refused; empty when it is something else.

    `prefix` is what the profile puts in front of the names of attributes.
    """
    # InfluxDB 1 and 2 put names of fields into double quotes, InfluxDB 3 into single ones.
    reason = rejection.reason.replace("\\", "").replace("'", '"')
    for suffix in ("", _TEXT_SUFFIX):
        for name in attributes:
            # Without a prefix, an attribute named as one of our own fields has one all the same.
            own = prefix or ("attr_" if name in RESERVED else "")
            field = escape_key(f"{own}{name}{suffix}")
            if f'"{field}"' in reason and f"{field}=" in rejection.line:
                return name
    return ""
