"""What a filter would record, against what is recorded now."""

from typing import Any

import pytest

from custom_components.ha_ingestor.enrich.selection import (
    EVERYTHING,
    EntityFilter,
    Match,
    Traits,
)
from custom_components.ha_ingestor.health.filter_preview import (
    FilterPreview,
    HomeEntity,
    Measured,
    preview,
)

NOON = 1_800_000_000.0
HOUR = 3600


def entity(
    entity_id: str, age: float | None = 2 * HOUR, *, is_secret: bool = False, **traits: Any
) -> HomeEntity:
    """Build an entity whose state was written so many seconds ago."""
    return HomeEntity(
        traits=Traits(entity_id=entity_id, domain=entity_id.partition(".")[0], **traits),
        last_updated=None if age is None else NOON - age,
        is_secret=is_secret,
    )


HOME = [
    entity("light.a", area_id="attic"),
    entity("light.b", 60),
    entity("sensor.a", integration="mqtt"),
    entity("sensor.b"),
    entity("sensor.disabled", None, integration="zha"),
]
MEASURED = Measured(
    hours=2.0, points={"light.a": 21, "sensor.a": 201, "sensor.b": 1, "my_event": 9}
)
LIGHTS = EntityFilter(include=Match(domains=frozenset({"light"})))
SENSORS = EntityFilter(include=Match(domains=frozenset({"sensor"})))


def shown(now: EntityFilter, then: EntityFilter, measured: Measured = MEASURED) -> FilterPreview:
    """Compare two filters at noon."""
    return preview(HOME, now, then, measured, NOON)


def test_entities_with_a_state_are_counted() -> None:
    found = shown(EVERYTHING, LIGHTS)
    assert (found.captured, found.total) == (2, 4)


def test_a_password_is_an_entity_that_no_filter_records() -> None:
    home = [*HOME, entity("text.password", is_secret=True)]
    found = preview(home, SENSORS, EVERYTHING, MEASURED, NOON)
    assert (found.captured, found.total) == (4, 5)
    assert found.added == ("light.a", "light.b")


def test_what_is_new_and_what_is_gone_is_named() -> None:
    found = shown(LIGHTS, SENSORS)
    assert found.added == ("sensor.a", "sensor.b")
    assert found.removed == ("light.a", "light.b")
    same = shown(LIGHTS, LIGHTS)
    assert (same.added, same.removed) == ((), ())


def test_rates_are_those_measured_without_the_state_that_there_was_at_the_start() -> None:
    found = shown(EVERYTHING, LIGHTS)
    assert found.points_per_hour == 10
    assert found.points_per_hour_now == 110
    assert found.top == (("light.a", 10.0),)
    assert shown(EVERYTHING, EVERYTHING).top == (("sensor.a", 100.0), ("light.a", 10.0))


def test_what_was_not_recorded_so_far_adds_no_rate_but_is_counted_when_it_changes() -> None:
    found = shown(SENSORS, EVERYTHING)
    assert found.points_per_hour == found.points_per_hour_now == 100
    assert found.added == ("light.a", "light.b")
    assert found.added_active == 1


@pytest.mark.parametrize("measured", [Measured(points={}), Measured(hours=0.16, points={"a": 99})])
def test_no_rate_is_shown_while_too_little_was_measured(measured: Measured) -> None:
    found = shown(EVERYTHING, LIGHTS, measured)
    assert (found.points_per_hour, found.points_per_hour_now, found.top) == (None, None, ())
    assert found.captured == 2


def test_what_fits_nothing_is_named_whichever_list_it_is_in() -> None:
    then = EntityFilter(
        include=Match(domains=frozenset({"light", "lihgt"}), globs=("sensor.*", "*.z*")),
        exclude=Match(
            entities=frozenset({"light.a", "light.z"}),
            areas=frozenset({"attic", "cellar"}),
            integrations=frozenset({"mqtt", "zha", "hue"}),
        ),
    )
    found = [(each.criterion, each.value) for each in shown(EVERYTHING, then).unfit]
    assert found == [
        ("domains", "lihgt"),
        ("globs", "*.z*"),
        ("entities", "light.z"),
        ("integrations", "hue"),
        ("areas", "cellar"),
    ]


def test_a_preview_can_be_sent_as_plain_values() -> None:
    then = EntityFilter(exclude=Match(globs=("*.z",)))
    sent = shown(EVERYTHING, then).as_dict()
    assert sent["unfit"] == ({"criterion": "globs", "value": "*.z"},)
    assert sent["captured"] == 4
