"""What the tests of the profiles share: an entity, and what becomes of its states."""

from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    AttributesPolicy,
    Shape,
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    OtherEvent,
    StateEvent,
)
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

PROFILES: list[type[HomeIQ | Tidy]] = [HomeIQ, Tidy]
both = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.__name__)

KITCHEN = entity(
    registry_id="reg1",
    entity_category="diagnostic",
    integration="demo",
    labels=("heating", "ground floor"),
    area_id="kitchen",
    area="Kitchen",
    floor="Ground",
    device_id="dev1",
    device="Thermometer",
    manufacturer="Acme",
    model="T1",
    sw_version="1.2",
)


def encoded(
    profile: type[HomeIQ | Tidy], *state_events: StateEvent | OtherEvent, **settings: Any
) -> list[dict[str, Any]]:
    encoder = Encoder(profile=profile(dumps=json_dumps, **settings))
    return [parse_line(line) for line in encoder.encode(state_events).lines]


def point(
    profile: type[HomeIQ | Tidy], state_event: StateEvent | OtherEvent, **settings: Any
) -> dict[str, Any]:
    (only,) = encoded(profile, state_event, **settings)
    return only


def attributes(state: FakeState, shape: Shape, **policy: Any) -> dict[str, Any]:
    """The fields that attributes become in the `homeiq` profile."""
    settings = AttributesPolicy(shape=shape, **policy)
    fields = point(HomeIQ, change(state), attributes=settings)["fields"]
    return {name: value for name, value in fields.items() if name.startswith("attr")}


# Without the smallest of all floats, which the reader of these tests does not know.
floats = st.floats(allow_subnormal=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def happened(event_type: str, data: dict[str, Any], **more: Any) -> OtherEvent:
    return OtherEvent(event_type, data, NOON, FakeContext(id="c1", user_id="u1"), **more)


class NeitherTrueNorFalse:
    """As arrays of several numbers are."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = object.__hash__

    def __str__(self) -> str:
        return "odd"
