"""Rules that are set for single entities, beside those that were written by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.enrich.selection import Traits, rules_for
from custom_components.ha_ingestor.options.entity_rules import ruling
from custom_components.ha_ingestor.options.noise import rule_table
from custom_components.ha_ingestor.options.page import OptionError
from custom_components.ha_ingestor.pipeline.model import NO_RULES, Rules

NAMES = ["sensor.a", "sensor.b", "sensor.c", "light.d"]
POWER = {"name": "Power", "domains": ["sensor"], "throttle": 60}


def rules_of(options: dict[str, Any], entity_id: str) -> Rules:
    """Ask which rules such options have for an entity."""
    domain = entity_id.partition(".")[0]
    return rules_for(Traits(entity_id=entity_id, domain=domain), rule_table(options))


def stored(*rules: dict[str, Any]) -> dict[str, Any]:
    """Return options with these rules."""
    return {"noise": {"rules": list(rules)}, "another": 1}


def test_a_rule_of_an_entity_comes_before_those_of_groups() -> None:
    after = ruling(stored(POWER), ["sensor.a"], {"throttle": 5, "heartbeat": 10})
    assert rules_of(after, "sensor.a") == Rules(heartbeat=600, throttle=5)
    assert rules_of(after, "sensor.b") == Rules(throttle=60)
    assert after["another"] == 1


def test_without_a_rule_of_its_own_the_rule_of_its_group_is_left() -> None:
    before = ruling(stored(POWER), ["sensor.a"], {"throttle": 5})
    after = ruling(before, ["sensor.a"], {"throttle": 0, "heartbeat": 0, "deadband": 0})
    assert rules_of(after, "sensor.a") == Rules(throttle=60)
    assert after["noise"]["rules"] == [POWER]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([], ["sensor.a + 1"], id="a new rule is named after its entities"),
        pytest.param(
            [{"name": "sensor.c", "entities": ["sensor.c"], "deadband": 0.5}],
            ["sensor.c + 2"],
            id="the same rule for more entities is one",
        ),
        pytest.param(
            [{"name": "Mine", "entities": ["sensor.c"], "deadband": 0.5}],
            ["Mine"],
            id="a name that somebody chose stays",
        ),
        pytest.param(
            [{"name": "Other", "entities": ["sensor.a", "sensor.c"], "throttle": 9}],
            ["sensor.a + 1", "Other"],
            id="they leave another rule",
        ),
        pytest.param(
            [{"name": "Old", "entities": ["sensor.b", "sensor.a"], "throttle": 9}],
            ["sensor.a + 1"],
            id="a rule for nobody else is gone",
        ),
        pytest.param(
            [POWER, {"name": "Late", "entities": ["sensor.c"], "deadband": 0.5}],
            ["sensor.a + 1", "Power", "Late"],
            id="a rule that another comes before is not joined",
        ),
    ],
)
def test_equal_rules_of_entities_are_merged_and_named(
    rules: list[dict[str, Any]], expected: list[str]
) -> None:
    after = ruling(stored(*rules), ["sensor.a", "sensor.b"], {"deadband": 0.5})
    assert [rule["name"] for rule in after["noise"]["rules"]] == expected
    for entity_id in ("sensor.a", "sensor.b"):
        assert rules_of(after, entity_id).deadband == 0.5


EFFECTS = st.fixed_dictionaries(
    {}, optional={"heartbeat": st.sampled_from([0, 60]), "throttle": st.sampled_from([0, 5, 9])}
)
STEPS = st.lists(
    st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), EFFECTS), max_size=6
)


@given(steps=STEPS)
def test_each_entity_has_what_was_set_last(steps: list[tuple[list[str], dict[str, int]]]) -> None:
    options: dict[str, Any] = {}
    expected = dict.fromkeys(NAMES, NO_RULES)
    for entity_ids, effects in steps:
        options = ruling(options, entity_ids, effects)
        heartbeat, throttle = effects.get("heartbeat", 0) * 60, effects.get("throttle", 0)
        for entity_id in entity_ids:
            expected[entity_id] = Rules(heartbeat=heartbeat, throttle=throttle)
    assert {each: rules_of(options, each) for each in NAMES} == expected


@pytest.mark.parametrize(
    ("effects", "reason"),
    [
        ({"heartbeat": 1, "throttle": 120}, "heartbeat_throttled"),
        ({"heartbeat": 0.5}, "heartbeat_too_fast"),
        ({"throttle": -1}, "throttle_out_of_range"),
        ({"deadband": float("nan")}, "deadband_out_of_range"),
    ],
)
def test_effects_that_the_page_refuses_are_refused(effects: dict[str, float], reason: str) -> None:
    with pytest.raises(OptionError) as refused:
        ruling({}, ["sensor.a"], effects)
    assert refused.value.reason == reason


def test_a_rule_that_was_stored_without_a_name_does_not_stop_a_change() -> None:
    stored = {"name": " ", "domains": ["light"], "throttle": 5.0}
    options = ruling({"noise": {"rules": [stored]}}, ["sensor.a"], {"heartbeat": 5.0})
    assert [rule["name"] for rule in options["noise"]["rules"]] == ["sensor.a", "2"]
