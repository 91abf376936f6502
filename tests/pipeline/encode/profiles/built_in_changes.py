"""Settings and changes of state as the built-in `influxdb` integration meets them, by chance."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, Event, State
from homeassistant.util.read_only_dict import ReadOnlyDict

NOON: Final = 1_795_262_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of state, as the event bus has it."""

    entity_id: str
    state: str
    attributes: ReadOnlyDict[Any, Any]
    time: float = NOON

    def event(self) -> Event[Any]:
        """Return it as Home Assistant's own objects."""
        new = State(
            self.entity_id,
            self.state,
            self.attributes,
            last_updated=datetime.fromtimestamp(self.time, UTC),
            context=Context(),
        )
        data = {"entity_id": self.entity_id, "old_state": None, "new_state": new}
        return Event(EVENT_STATE_CHANGED, data, time_fired_timestamp=self.time)


class _Color(Enum):
    RED = "red"


class _Mode(StrEnum):
    ECO = "eco"
    TWO = "2"


class _Level(IntEnum):
    HIGH = 3


_UNITS: Final = (
    *("°C", "%", "W", "kWh", "µg/m³", "m/s", "W h", "a,b", "€/kWh", 'in"', "lx", "", "kWh", "W"),
    *(None, 5, 0, False, ["a"], 'x"y', "a=b", "mm/h\n", "two\nlines", "ε\u2028x", " ", "a  b"),
    *("#/cm3", "_", "\n", "a\\b", "a\tb"),
)
_CLASSES: Final = ("temperature", "energy", "door", "", None, "a b", "a,b=c", 7, _Mode.ECO)
_STATES: Final = (
    *("on", "off", "open", "closed", "home", "not_home", "locked", "unlocked", "above_horizon"),
    *("below_horizon", "unknown", "unavailable", "", "true", "false", "playing", "21.5", "-3"),
    *("1_000", " 7", "7 ", "1e5", "1e999", "-1e-400", "nan", "inf", "-Infinity", "٣", "0x10"),
    *("5.", ".5", "-0.0", "1e22", "123456789012345678", "a\nb", "a\r\nb\n", "\u2028", "1,5", "On"),
    *('say "hi"', "back\\slash", "C:\\", "a=b,c d", "2026-11-21T12:00:00+00:00", "12:34", "NaN"),
    *("None", "0.1", "99999999999999999999", "😀", "\x85", "1 1", "infinite", "i7", "nano", "+5"),
)
_TEXTS: Final = (
    *_STATES,
    *("v1.2", "v1.2.3", "12 W", "12.5 W", "1.5.2", "a1", "a12", "1.", "12.", ".12", "x1.2y"),
    *("192.168.1.2", "00:11:22:33", "#ff00ff", "(255, 0)", "5 of 10", "\u0663\u0664", "1..2"),
    *("\u0661.\u0662", "12\n.5", "1\n2", "9" * 400, "9" * 400 + " W", "1" * 50 + ".", "²³", "_"),
    *("a" * 300, "1.5\u2028", "12\u066b5", "#", "a\tb", "\x1f", "x" * 2000, "é" * 20_000, "\n"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(0, 1, -1, 2**53 + 1, 10**300, True, False, None, 0.1, -0.0, 1e22, 5e-324, 1e308),
    *(math.nan, math.inf, -math.inf, [], [1], [1, 2], [1.5], ["a", 'b"'], (255, 12), {}),
    *({"a": 1}, {"a": 1.5}, {"a": {"b": [1, 2]}}, {1}, b"12", b"ab", bytearray(b"1.5"), 1j),
    *(Decimal("1.50"), Decimal("NaN"), Decimal("sNaN"), Decimal("1E+400"), timedelta(seconds=5)),
    *(datetime(2026, 11, 21, 12, tzinfo=UTC), _Color.RED, _Mode.ECO, _Mode.TWO, _Level.HIGH),
    *(["a\nb"], [[1, 2], [3, 4]], range(3), frozenset(), memoryview(b"7"), "\\", "a\\", '"'),
)
_NAMES: Final = (
    *("friendly_name", "unit_of_measurement", "device_class", "state", "value", "state_"),
    *("time", "time_", "time__", "time_str", "value_", "value_str", "state_str", "state__str"),
    *("value__str", "brightness", "brightness_str", "brightness_", "rgb_color", "source", "x"),
    *("a b", "a,b", "a=b", "name", "measurement", "room", "floor", "ä", "😀", "Battery", "1"),
    *("domain", "entity_id", "icon"),
)
_ODD_NAMES: Final = ("_hidden", "#", 'in"', "a\\b", "a\nb", "", "n" * 300, "a\tb")
_ENTITIES: Final = (
    *("sensor.kitchen", "sensor.attic", "binary_sensor.door", "light.kitchen", "cover.gate"),
    *("sun.sun", "device_tracker.phone", "lock.front", "media_player.tv", "climate.room_2"),
)
_MEASUREMENTS: Final = ("", "all", "a b", "a,b", "°C", "home assistant", "two\nlines", "k=v")
_GLOBS: Final = ("sensor.*", "*.kitchen", "light.k?tchen", "*", "[sl]*.[!a]*", "binary_*", "*_2")
_TAG_VALUES: Final[tuple[Any, ...]] = (
    "x",
    "two words",
    "a,b=c",
    "",
    "two\nlines",
    "é",
    5,
    1.5,
    True,
    "C:\\",
)


def random_config(chance: random.Random) -> dict[str, Any]:
    """Make settings of the built-in integration, as its YAML says them."""

    def names() -> list[str]:
        return chance.sample(_NAMES, chance.choice((0, 0, 1, 3, 8)))

    def override() -> dict[str, Any]:
        said: dict[str, Any] = {}
        if chance.random() < 0.6:
            said["override_measurement"] = chance.choice(_MEASUREMENTS)
        if chance.random() < 0.5:
            said["ignore_attributes"] = names()
        return said

    def overrides(of: tuple[str, ...]) -> dict[str, Any]:
        return {each: override() for each in chance.sample(of, chance.choice((0, 0, 1, 2, 4)))}

    config: dict[str, Any] = {
        "tags": {name: chance.choice(_TAG_VALUES) for name in names()[:3]},
        "tags_attributes": names(),
        "ignore_attributes": names(),
        "component_config": overrides(_ENTITIES),
        "component_config_domain": overrides(("sensor", "light", "binary_sensor", "cover")),
        "component_config_glob": overrides(_GLOBS),
    }
    if chance.random() < 0.7:
        config["measurement_attr"] = chance.choice(
            ("unit_of_measurement", "domain__device_class", "entity_id")
        )
    for key in ("default_measurement", "override_measurement"):
        if chance.random() < 0.25:
            config[key] = chance.choice(_MEASUREMENTS)
    return {key: value for key, value in config.items() if chance.random() < 0.7}


def random_change(chance: random.Random) -> Change:
    """Make a change of state that ordinary and odd integrations could have made."""
    attributes: dict[Any, Any] = {}
    names = _NAMES if chance.random() < 0.8 else _NAMES + _ODD_NAMES
    for name in chance.sample(names, chance.choice((0, 2, 5, 12))):
        attributes[name] = chance.choice(_TEXTS if chance.random() < 0.5 else _VALUES)
    if chance.random() < 0.6:
        attributes["unit_of_measurement"] = chance.choice(_UNITS)
    if chance.random() < 0.4:
        attributes["device_class"] = chance.choice(_CLASSES)
    state = chance.choice(_STATES)
    if chance.random() < 0.4:
        state = str(round(chance.uniform(-1000, 1000), chance.randrange(6)))
    return Change(
        entity_id=chance.choice(_ENTITIES),
        state=state,
        attributes=ReadOnlyDict(attributes),
        time=chance.uniform(0, 4e9),
    )


def random_changes(chance: random.Random, count: int) -> Iterator[Change]:
    """Make changes, of which some share the attributes of the one before, as states do."""
    previous = random_change(chance)
    for _ in range(count):
        change = random_change(chance)
        if chance.random() < 0.3:
            change = Change(
                entity_id=previous.entity_id,
                state=change.state,
                attributes=previous.attributes,
                time=change.time,
            )
        yield change
        previous = change
