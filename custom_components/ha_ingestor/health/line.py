"""Reads a line of line protocol back, as it is written by `pipeline/encode`."""

import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(r"((?:\\.|[^ \\])+) (.+) (-?\d+)", re.DOTALL)
_PART: Final = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_TAG: Final = re.compile(r"((?:\\.|[^=\\])+)=(.*)", re.DOTALL)
_FIELD: Final = re.compile(r'((?:\\.|[^=\\])+)=("(?:\\.|[^"\\])*"|[^,]*)(?:,|\Z)', re.DOTALL)
_NAME_ESCAPE: Final = re.compile(r"\\([,= ])")
_STRING_ESCAPE: Final = re.compile(r'\\(["\\])')

_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPoint:
    """A point; `time` in seconds since 1970."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, str | float | bool]
    time: float

    @property
    def entity_id(self) -> str:
        """The entity that it is about; empty when it is about none."""
        entity, domain = self.tags.get("entity_id", ""), self.tags.get("domain", "")
        # The measurements of the built-in integration have the two apart.
        return f"{domain}.{entity}" if entity and domain and "." not in entity else entity


def read_line(line: str) -> ReadPoint:
    """Read one line; raises ValueError for what is none."""
    if (parts := _LINE.fullmatch(line)) is None:
        raise ValueError("No line of line protocol")
    measurement, *tags = _PART.findall(parts[1])
    return ReadPoint(
        measurement=_unescaped(measurement),
        tags={
            _unescaped(pair[1]): _unescaped(pair[2])
            for tag in tags
            if (pair := _TAG.fullmatch(tag))
        },
        fields={_unescaped(name): _value(text) for name, text in _FIELD.findall(parts[2])},
        time=int(parts[3]) / 1e9,
    )


def _unescaped(name: str) -> str:
    return _NAME_ESCAPE.sub(r"\1", name)


def _value(text: str) -> str | float | bool:
    if text.startswith('"'):
        return _STRING_ESCAPE.sub(r"\1", text[1:-1])
    return _BOOLEANS[text] if text in _BOOLEANS else float(text)
