"""What a tag does to the number of series, estimated before it is enabled."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode.profiles.cardinality import Estimate, estimate
from custom_components.ha_ingestor.pipeline.encode.profiles.fields import TAGS
from custom_components.ha_ingestor.pipeline.model import EntityContext


def entity(name: str, **more: Any) -> tuple[EntityContext, dict[str, Any]]:
    return EntityContext(entity_id=f"sensor.{name}", domain="sensor", **more), {"state_class": "x"}


HOME = [
    entity("one", device_id="d", sw_version="1", area="Attic", area_id="attic", labels=("a", "b")),
    entity("two", device_id="d", sw_version="1", area="Attic", area_id="attic", labels=("b",)),
    entity("three", device_id="e", sw_version="1", area="Attic", area_id="attic"),
    entity("four"),
]


@pytest.mark.parametrize(
    ("tag", "values", "renewed"),
    [
        ("sw_version", 2, 2),  # two devices, although they run the same version
        ("area", 1, 3),
        ("labels", 2, 2),
        ("state_class", 4, 1),
        ("registry_id", 0, 0),
    ],
)
def test_a_change_concerns_everything_that_shares_the_value(
    tag: str, values: int, renewed: int
) -> None:
    found = estimate(HOME, ["entity_id"], tag)
    assert found == Estimate(tag=tag, without=4, series=4, values=values, renewed=renewed)


def test_a_tag_that_tells_entities_apart_makes_series() -> None:
    found = estimate(HOME, ["domain", "area"], "device_id")
    assert (found.without, found.series) == (2, 3)


entities = st.builds(
    EntityContext,
    entity_id=st.sampled_from([f"sensor.{letter}" for letter in "abcdef"]),
    domain=st.just("sensor"),
    labels=st.lists(st.sampled_from("xyz"), unique=True).map(tuple),
    device_id=st.sampled_from(["", "d", "e"]),
    sw_version=st.sampled_from(["", "1", "2"]),
    area_id=st.sampled_from(["", "k"]),
    area=st.sampled_from(["", "Kitchen"]),
    floor=st.sampled_from(["", "Ground"]),
)


@given(st.lists(entities), st.sets(st.sampled_from(sorted(TAGS))), st.sampled_from(sorted(TAGS)))
def test_an_added_tag_never_lowers_the_estimate_of_series(
    home: list[EntityContext], names: set[str], tag: str
) -> None:
    found = estimate([(each, {}) for each in home], names, tag)
    assert found.without <= found.series <= len(home)
    assert found.renewed <= len(home)
    assert (found.renewed == 0) == (found.values == 0)
