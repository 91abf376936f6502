"""Topic patterns: a filter of topics whose levels may have names.

    zigbee2mqtt/{device}                  the tag `device`
    home/{domain}/{object}/{field}        `field` names the field
    meters/+/power/#                      wildcards as in any filter of topics
    meters/gas                            one topic

A point has the tag `topic` too if the pattern has wildcards or no tags, so that no two topics are
one series.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FIELD: Final = "field"
TOPIC: Final = "topic"

_ONE: Final = "+"
_REST: Final = "#"
_NAMED: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}", re.ASCII)
_SPECIAL: Final = re.compile(r"[{}+#]")


class PatternError(ValueError):
    """A pattern that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPattern:
    """`filter` is what is subscribed to, `tags` are the names of the tags of a point.

    `names` are those of the levels, empty where a level has none.
    """

    filter: str
    names: tuple[str, ...]
    tags: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> TopicPattern:
        """Read a pattern; raises PatternError."""
        levels: list[str] = []
        names: list[str] = []
        parts = text.split("/")
        for position, part in enumerate(parts):
            named = _NAMED.fullmatch(part)
            is_wildcard = part == _ONE or (part == _REST and position == len(parts) - 1)
            if not (named or is_wildcard) and _SPECIAL.search(part):
                raise PatternError(text)
            levels.append(_ONE if named else part)
            names.append(named[1] if named else "")
        known = [name for name in names if name]
        if len(set(known)) != len(known):
            raise PatternError(text)
        tags = [name for name in known if name != FIELD]
        if not tags or {_ONE, _REST} & set(parts):
            tags.append(TOPIC)
        return cls(filter="/".join(levels), names=tuple(names), tags=tuple(tags))

    def matches(self, topic: str) -> bool:
        """Whether a broker would send what is published there."""
        wanted = self.filter.split("/")
        # A level more than there may be tells enough.
        given = topic.split("/", len(wanted))
        if topic.startswith("$") and wanted[0] in {_ONE, _REST}:
            return False
        if wanted[-1] == _REST:
            wanted.pop()
            if len(given) < len(wanted):
                return False
            del given[len(wanted) :]
        return len(wanted) == len(given) and all(
            level in {_ONE, part} for level, part in zip(wanted, given, strict=True)
        )

    def tag_values(self, topic: str) -> Iterator[tuple[str, str]]:
        """Yield the tags of a topic that matches."""
        for name, part in zip(self.names, topic.split("/"), strict=False):
            if name and name != FIELD:
                yield name, part
        if TOPIC in self.tags:
            yield TOPIC, topic

    def field_of(self, topic: str) -> str:
        """Return what the level for it calls the field; empty without such a level."""
        if FIELD not in self.names:
            return ""
        return topic.split("/")[self.names.index(FIELD)]
