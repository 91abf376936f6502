"""Which entities are recorded: the whole rule, and where it is Home Assistant's own."""

from typing import Any

import pytest
from homeassistant.helpers.entityfilter import (
    CONF_ENTITY_GLOBS,
    INCLUDE_EXCLUDE_FILTER_SCHEMA,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from custom_components.ha_ingestor.enrich.selection import Traits
from custom_components.ha_ingestor.options.exclude import (
    excluding,
    excluding_all,
    including,
    including_all,
)
from custom_components.ha_ingestor.options.filter import entity_filter

# A lamp in the attic, seen from every side.
LAMP = Traits(
    entity_id="light.lamp",
    domain="light",
    device_class="bulb",
    integration="hue",
    category="config",
    area_id="attic",
    floor_id="top",
    devices=frozenset({"part", "whole"}),
    labels=frozenset({"private", "night"}),
)
FITTING = {
    "entities": "light.lamp",
    "globs": "*.la?p",
    "domains": "light",
    "device_classes": "bulb",
    "integrations": "hue",
    "categories": "config",
    "areas": "attic",
    "floors": "top",
    "devices": "whole",
    "labels": "night",
}
GROUPS = [name for name in FITTING if name not in {"entities", "globs"}]


def captures(
    entity: Traits,
    include: dict[str, list[str]] | None = None,
    exclude: dict[str, list[str]] | None = None,
) -> bool:
    """Ask the filter that such options store."""
    return entity_filter({"filter": {**(exclude or {}), "include": include or {}}}).captures(entity)


@pytest.mark.parametrize(("name", "value"), FITTING.items())
def test_each_list_of_excluded_excludes_what_fits_it(name: str, value: str) -> None:
    assert not captures(LAMP, exclude={name: [value]})
    assert captures(LAMP, exclude={name: ["another.one"]})


@pytest.mark.parametrize(("name", "value"), FITTING.items())
def test_with_a_list_of_included_only_what_fits_it_is_captured(name: str, value: str) -> None:
    assert captures(LAMP, include={name: [value]})
    assert not captures(LAMP, include={name: ["another.one"]})


# What includes the lamp, what excludes it, and whether it is captured.
RANKS = [
    ("entities", "entities", True),
    ("entities", "globs", True),
    *(("entities", group, True) for group in GROUPS),
    ("globs", "entities", False),
    *((group, "entities", False) for group in GROUPS),
    ("globs", "globs", True),
    *(("globs", group, True) for group in GROUPS),
    *((group, "globs", False) for group in GROUPS),
    # Of groups, the one that excludes wins, but for the same domain in both lists.
    *(
        (group, other, (group, other) == ("domains", "domains"))
        for group in GROUPS
        for other in GROUPS
    ),
]


@pytest.mark.parametrize(("included", "excluded", "is_captured"), RANKS)
def test_entities_win_over_patterns_and_patterns_over_groups(
    included: str, excluded: str, *, is_captured: bool
) -> None:
    include = {included: [FITTING[included]]}
    exclude = {excluded: [FITTING[excluded]]}
    assert captures(LAMP, include, exclude) is is_captured


@pytest.mark.parametrize("name", ["globs", *GROUPS])
def test_individual_entities_alone_are_exceptions_from_what_is_excluded(name: str) -> None:
    only = {"entities": ["light.another"]}
    assert not captures(LAMP, only)
    assert not captures(LAMP, only, {"entities": ["light.third"]})
    assert captures(LAMP, only, {name: ["third.one"]})
    assert not captures(LAMP, only, {name: [FITTING[name]]})


def test_options_of_earlier_versions_exclude_as_they_did() -> None:
    stored = {"globs": ["*.la?p"], "domains": [], "areas": ["cellar"]}
    assert not entity_filter({"filter": stored}).captures(LAMP)
    assert entity_filter({"filter": {"areas": ["cellar"]}}).captures(LAMP)
    assert entity_filter({}).captures(LAMP)


# Few names, so that they meet.
IDS = [f"{domain}.{name}" for domain in ("light", "sensor", "switch") for name in ("a", "b", "ab")]
LISTS = st.fixed_dictionaries(
    {
        "entities": st.lists(st.sampled_from(IDS), max_size=2),
        "globs": st.lists(
            st.sampled_from(["light.*", "*.a", "sensor.?", "*.[!a]*", "*"]), max_size=2
        ),
        "domains": st.lists(st.sampled_from(["light", "sensor", "other"]), max_size=2),
    }
)


@given(include=LISTS, exclude=LISTS)
def test_entities_patterns_and_domains_decide_as_home_assistants_own_filter(
    include: dict[str, list[str]], exclude: dict[str, list[str]]
) -> None:
    def theirs(lists: dict[str, list[str]]) -> dict[str, Any]:
        return {
            "entities": lists["entities"],
            "domains": lists["domains"],
            CONF_ENTITY_GLOBS: lists["globs"],
        }

    # Where an individual entity is in both lists, theirs depends on what else there is; a form
    # refuses that.
    assume(not set(include["entities"]) & set(exclude["entities"]))
    wanted = INCLUDE_EXCLUDE_FILTER_SCHEMA({"include": theirs(include), "exclude": theirs(exclude)})
    for entity_id in IDS:
        entity = Traits(entity_id=entity_id, domain=entity_id.partition(".")[0])
        assert captures(entity, include, exclude) == wanted(entity_id), entity_id


SENSOR = Traits(entity_id="sensor.a", domain="sensor")
OTHER = Traits(entity_id="sensor.b", domain="sensor")


@pytest.mark.parametrize(
    ("include", "is_other_captured"),
    [
        pytest.param({}, True, id="everything is recorded"),
        pytest.param({"entities": ["sensor.a", "sensor.b"]}, True, id="it is one of several"),
        pytest.param({"domains": ["sensor"]}, True, id="its domain is included"),
        pytest.param({"entities": ["sensor.a"]}, False, id="it is all that is included"),
        pytest.param(
            {"entities": ["sensor.a"], "domains": ["light"]}, False, id="another is not included"
        ),
    ],
)
def test_one_more_entity_is_excluded_and_no_other_comes_or_goes(
    include: dict[str, list[str]], *, is_other_captured: bool
) -> None:
    before = {"filter": {"include": include}, "another": 1}
    after = excluding(before, "sensor.a")
    assert not entity_filter(after).captures(SENSOR)
    for options in (before, after):
        assert entity_filter(options).captures(OTHER) is is_other_captured
    assert after["another"] == 1


def test_an_entity_excluded_by_itself_among_exceptions_is_excluded() -> None:
    options = {"filter": {"include": {"entities": ["sensor.a"]}, "domains": ["light"]}}
    after = excluding(options, "sensor.a")
    assert not entity_filter(after).captures(SENSOR)
    assert entity_filter(after).captures(OTHER)


def test_lists_are_added_to_those_that_there_are() -> None:
    options = {"filter": {"domains": ["light"], "include": {"globs": ["sensor.*"]}}}
    more = {"domains": ["light", "update"]}
    assert excluding_all(options, more)["filter"]["domains"] == ["light", "update"]
    included = including_all(options, more)["filter"]["include"]
    assert included == {"globs": ["sensor.*"], "domains": ["light", "update"]}


# Entities of a home, and lists that may fit some of them.
HOME = [
    Traits(entity_id=f"{domain}.{name}", domain=domain, area_id=area)
    for domain in ("light", "sensor")
    for name, area in (("a", "attic"), ("b", ""))
]
LISTS = st.fixed_dictionaries(
    {},
    optional={
        "entities": st.lists(st.sampled_from([each.entity_id for each in HOME]), unique=True),
        "globs": st.lists(st.sampled_from(["light.*", "*.a"]), unique=True),
        "domains": st.lists(st.sampled_from(["light", "sensor"]), unique=True),
        "areas": st.lists(st.just("attic"), unique=True),
    },
)


@given(include=LISTS, exclude=LISTS, chosen=st.lists(st.sampled_from(HOME), unique=True))
def test_chosen_entities_are_included_or_excluded_and_all_others_stay_as_they_are(
    include: dict[str, list[str]], exclude: dict[str, list[str]], chosen: list[Traits]
) -> None:
    before = {"filter": {**exclude, "include": include}, "another": 1}
    names = [each.entity_id for each in chosen]
    changes = {True: including(before, chosen), False: excluding(before, *names) if names else {}}
    for is_wanted, after in changes.items():
        if not names:
            continue
        for entity in HOME:
            is_chosen = entity.entity_id in names
            expected = is_wanted if is_chosen else entity_filter(before).captures(entity)
            assert entity_filter(after).captures(entity) is expected
        assert after["another"] == 1


def test_an_entity_that_is_captured_anyway_is_not_listed() -> None:
    after = including({"filter": {"entities": ["light.a"], "include": {}}}, HOME[:1])
    assert after["filter"]["include"] == {}
    assert after["filter"]["entities"] == []
