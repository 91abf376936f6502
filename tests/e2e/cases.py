"""States and attributes that Home Assistant allows and databases stumble over."""

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A state, and the number that has to be read from it, if it is one."""

    name: str
    state: str
    value: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] | None = None
    """What is stored of the attributes, when it is not all of them."""
    tags: dict[str, str] = field(default_factory=dict)
    """What the attributes add to the tags."""
    fields: dict[str, Any] = field(default_factory=dict)
    """And to the fields."""

    @property
    def entity_id(self) -> str:
        """An entity of its own."""
        return f"sensor.case_{self.name.replace(' ', '_')}"


def _odd(name: str, state: str, value: float | None = None) -> Case:
    return Case(name=name, state=state, value=value)


def _with(name: str, attributes: dict[str, Any], **more: Any) -> Case:
    return Case(name=name, state="20.5", value=20.5, attributes=attributes, **more)


STATES: Final = (
    _odd("a decimal number", "21.5", 21.5),
    _odd("a negative number", "-0.5", -0.5),
    _odd("a whole number", "7", 7.0),
    _odd("zero", "0", 0.0),
    _odd("an exponent", "1e3", 1000.0),
    _odd("a plus sign", "+3", 3.0),
    _odd("every digit of a double", "0.1234567890123456", 0.1234567890123456),
    _odd("a huge number", "1e300", 1e300),
    _odd("more than a double holds", "1e999"),
    _odd("on", "on", 1.0),
    _odd("off", "off", 0.0),
    _odd("home", "home", 1.0),
    _odd("not home", "not_home", 0.0),
    _odd("unknown", "unknown"),
    _odd("unavailable", "unavailable"),
    _odd("nan", "nan"),
    _odd("infinity", "inf"),
    _odd("digits with underscores", "1_000"),
    _odd("a padded number", " 7 "),
    _odd("a hexadecimal number", "0x10"),
    _odd("a comma as decimal point", "21,5"),
    _odd("digits of another script", "٣"),
    _odd("text", "heating"),
    _odd("nothing", ""),
    _odd("a space", " "),
    _odd("double quotes", 'he said "hi"'),
    _odd("single quotes", "it's"),
    _odd("commas and equal signs", "a,b=c,d = e"),
    _odd("a comment sign", "#comment"),
    _odd("a backslash at the end", "C:\\"),
    _odd("a backslash before a quote", '\\"'),
    _odd("line breaks", "first\nsecond\r\nthird"),
    _odd("a tab and an escape", "a\tb\x1b[0m"),
    _odd("emoji", "🏠 👩‍👩‍👧 🇳🇱"),
    _odd("other scripts", "température κρύο 温度 درجة"),
    _odd("the longest state", "x" * 255),
    _odd("the longest state in emoji", "🔥" * 255),
    _odd("what looks like line protocol", 'cpu,host=a value=1 1\nmem value="x" 2'),
    _odd("braces", "{{ states('x') }}"),
)

ATTRIBUTES: Final = (
    _with("names that databases reserve", {"time": 1, "value": "v", "state": "s", "_field": 2}),
    _with("nesting", {"a": {"b": [{"c": [1, 2.5, None, True]}], "d": {}}}),
    _with("other alphabets", {"größe": "größer", "温度": "🌡️", "q\"'\\": "\n\t\\"}),
    _with("numbers of every size", {"big": 2**53, "small": 1e-300, "negative": -1, "zero": 0}),
    _with("much text", {"forecast": "sunny, " * 3000}),
    _with(
        "too much text",
        {"friendly_name": "Long", "forecast": "sunny, " * 6000},
        kept={"friendly_name": "Long"},
        fields={"left_out": 1.0},
    ),
    _with(
        "a picture with a token",
        {"entity_picture": "/api/camera_proxy/camera.x?token=abc", "access_token": "abc", "a": 1},
        kept={"a": 1},
    ),
    _with("a unit with a comment sign", {"unit_of_measurement": "#/cm³"}),
    _with("a unit with spaces and quotes", {"unit_of_measurement": 'µg / "m³"'}),
    _with(
        "a known device class",
        {"device_class": "temperature"},
        tags={"device_class": "temperature", "event_category": "climate"},
    ),
    _with("an odd device class", {"device_class": "a, b=c é"}, tags={"device_class": "a, b=c é"}),
    _with("a device class with a backslash", {"device_class": "c\\"}, tags={"device_class": "c/"}),
    _with("a device class in two lines", {"device_class": "a\nb"}, tags={"device_class": "a b"}),
    _with("a device class that is a number", {"device_class": 5}, tags={"device_class": "5"}),
    _with("no device class", {"device_class": None}),
)
