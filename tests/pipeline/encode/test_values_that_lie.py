"""Texts and numbers of classes of their own may raise, or say anything of themselves."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

import pytest
from homeassistant.helpers.json import json_dumps
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.attributes import AttributesPolicy, Shape
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoded, Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import OtherEvent
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

ANOTHER_POINT: Final = 'x\nanother,point=yes value=1 1\n"\\'
FLAT: Final = AttributesPolicy(shape=Shape.FLAT)
PROFILES: Final[dict[str, Profile]] = {
    "homeiq": HomeIQ(dumps=json_dumps, tags=("unit",)),
    "homeiq flat": HomeIQ(dumps=json_dumps, attributes=FLAT),
    "tidy": Tidy(dumps=json_dumps, tags=("state_class",)),
    "core": Core(),
}
by_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
READ: Final = ("unit_of_measurement", "device_class", "state_class", "options", "code", "other")


class Panic(BaseException):
    """What libraries raise that are written in other languages: no Exception."""


def fail(*_: object) -> Any:
    raise Panic


def text(method: str, answer: Any) -> str:
    """A text of which one method is not what it should be."""
    methods = {"__hash__": str.__hash__, method: answer}
    made: str = type("Text", (str,), methods)('x"y z')
    return made


# By name, as also those who run tests read what they are given.
UNREADABLE: Final[dict[str, Any]] = {
    **{method: text(method, fail) for method in ("__eq__", "__len__", "translate", "__hash__")},
    "abs": type("Number", (float,), {"__abs__": fail})(1.5),
    "class": type("Odd", (), {"__class__": property(fail)})(),
    "getattribute": type("Odd", (), {"__getattribute__": fail})(),
}


class Unit(str, Enum):  # noqa: UP042  its text is not what it holds
    WATT = "W"


def encoded(profile: Profile, *items: Any) -> Encoded:
    return Encoder(profile=profile).encode(items)


def states(found: Encoded) -> list[Any]:
    fields = [parse_line(line)["fields"] for line in found.lines]
    return [each["value"] for each in fields]


@pytest.mark.parametrize("profile", [PROFILES["homeiq"], PROFILES["homeiq flat"]])
def test_a_unit_of_a_class_of_its_own_is_the_text_that_it_holds(profile: Profile) -> None:
    (line,) = encoded(
        profile, change(FakeState(state="1", attributes={"unit_of_measurement": Unit.WATT}))
    ).lines
    assert parse_line(line)["fields"]["unit_of_measurement"] == "W"


@by_profile
@pytest.mark.parametrize("answer", [ANOTHER_POINT, True])
@pytest.mark.parametrize(
    "method", ["isalnum", "isprintable", "translate", "replace", "encode", "__format__", "__str__"]
)
def test_a_text_that_lies_of_itself_is_one_point(
    profile: Profile, method: str, answer: object
) -> None:
    lying = text(method, lambda *_: answer)
    items = [change(FakeState(state="1", attributes={name: lying})) for name in READ]
    found = encoded(profile, *items)
    assert states(found) == [1.0] * len(READ)
    assert not any("\n" in line for line in found.lines)


@by_profile
@pytest.mark.parametrize("odd", UNREADABLE)
def test_an_attribute_that_cannot_be_read_costs_neither_the_state_nor_other_attributes(
    profile: Profile, odd: str
) -> None:
    for name in READ:
        attributes = {name: UNREADABLE[odd], "brightness": 7}
        (line,) = encoded(profile, change(FakeState(state="1", attributes=attributes))).lines
        assert parse_line(line)["fields"]["value"] == 1.0
        assert "brightness" in line


@by_profile
def test_a_name_that_cannot_be_read_costs_no_state(profile: Profile) -> None:
    odd = UNREADABLE["class"]
    assert states(encoded(profile, change(FakeState(state="1", attributes={odd: 1})))) == [1.0]


@pytest.mark.parametrize("profile", [PROFILES["homeiq"], PROFILES["tidy"]])
@pytest.mark.parametrize(
    ("event_type", "name", "make"),
    [
        ("odd", "entity_id", lambda: text("translate", lambda *_: ANOTHER_POINT)),
        ("odd", "entity_id", lambda: text("partition", fail)),
        ("odd", "domain", lambda: type("Number", (float,), {"__bool__": fail})(1.5)),
        ("zha_event", "args", type("List", (list,), {"__iter__": fail})),
    ],
)
def test_an_event_with_data_that_cannot_be_read_is_one_point(
    profile: Profile, event_type: str, name: str, make: Callable[[], object]
) -> None:
    (line,) = encoded(profile, OtherEvent(event_type, {name: make()}, NOON, FakeContext())).lines
    assert parse_line(line)["fields"]["count"] == 1.0
    assert "\n" not in line


@by_profile
@pytest.mark.parametrize("kind", [str, type("Mode", (str,), {"__eq__": fail})])
def test_a_password_beside_an_attribute_that_cannot_be_read_stays_a_secret(
    profile: Profile, kind: type[str]
) -> None:
    odd = UNREADABLE["class"]
    secret = FakeState(
        state="hunter2", attributes={"mode": kind("password"), "unit_of_measurement": odd}
    )
    shown = FakeState(state="20", attributes={"mode": "text", "device_class": odd})
    of = entity("text.note")
    found = encoded(profile, change(secret, of=of), change(shown, secret, of=of))
    assert found.filtered == {"secret": 1}
    (line,) = found.lines
    assert "hunter2" not in line


@by_profile
@pytest.mark.parametrize("mode", ["class", "getattribute"])
def test_a_text_whose_mode_cannot_be_read_may_be_a_password_and_is_not_stored(
    profile: Profile, mode: str
) -> None:
    state = FakeState(state="hunter2", attributes={"mode": UNREADABLE[mode]})
    found = encoded(profile, change(state, of=entity("text.note")))
    assert found.lines == []
    assert found.filtered == {"secret": 1}


@by_profile
def test_a_state_whose_attributes_cannot_be_read_at_all_is_stored_without_them(
    profile: Profile,
) -> None:
    methods = dict.fromkeys(("get", "items", "keys", "__iter__", "__getitem__"), fail)
    attributes = type("Attributes", (dict,), methods)(unit_of_measurement="W", power=1.5)
    found = encoded(profile, change(FakeState(state="20.5", attributes=attributes)))
    assert found.filtered == {}
    (line,) = found.lines
    assert parse_line(line)["fields"]["value"] == 20.5
    assert "power" not in line
