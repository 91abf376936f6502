"""Which entities a list of criteria means, and which rules hold for them."""

from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.enrich.selection import NOTHING, Match, Traits, rules_for
from custom_components.ha_ingestor.pipeline.model import NO_RULES, Rules

# Few words, so that they meet.
WORDS = st.sampled_from(["", "a", "b", "power", "sensor"])
NAMES = st.frozensets(WORDS.filter(bool), max_size=2)
GLOBS = st.lists(st.text(st.sampled_from("ab.*?[]!-"), min_size=1, max_size=6), max_size=3).map(
    tuple
)
TRAITS = st.builds(
    Traits,
    entity_id=st.text(st.sampled_from("ab."), min_size=1, max_size=5),
    domain=WORDS.filter(bool),
    device_class=WORDS,
    integration=WORDS,
    area_id=WORDS,
    labels=NAMES,
)
MATCHES = st.builds(
    Match,
    entities=NAMES,
    globs=GLOBS,
    domains=NAMES,
    device_classes=NAMES,
    labels=NAMES,
    areas=NAMES,
    integrations=NAMES,
)
TIMES = st.sampled_from([0.0, 1.0, 60.0])
RULES = st.builds(Rules, heartbeat=TIMES, throttle=TIMES, deadband=TIMES)
TABLES = st.lists(st.tuples(MATCHES, RULES), max_size=4).map(tuple)


@given(entity=TRAITS, match=MATCHES)
def test_one_criterion_that_fits_is_enough(entity: Traits, match: Match) -> None:
    assert match.fits(entity) == any(
        (
            entity.entity_id in match.entities,
            any(fnmatchcase(entity.entity_id, glob) for glob in match.globs),
            entity.domain in match.domains,
            entity.device_class in match.device_classes,
            entity.labels & match.labels,
            entity.area_id in match.areas,
            entity.integration in match.integrations,
        )
    )


@given(entity=TRAITS)
def test_without_criteria_nothing_fits(entity: Traits) -> None:
    assert not NOTHING.fits(entity)


@given(entity=TRAITS, table=TABLES)
def test_the_first_rule_that_says_something_of_a_property_decides(
    entity: Traits, table: Any
) -> None:
    rules = rules_for(entity, table)
    for name in ("heartbeat", "throttle", "deadband"):
        said = [getattr(each, name) for match, each in table if match.fits(entity)]
        assert getattr(rules, name) == next((value for value in said if value), 0.0)


@given(entity=TRAITS, table=TABLES)
def test_entities_without_a_rule_share_one_object(entity: Traits, table: Any) -> None:
    if not any(match.fits(entity) for match, _ in table):
        assert rules_for(entity, table) is NO_RULES
