"""Whatever a state and its attributes are, a database gets them value by value."""

from typing import Final

import pytest

from .cases import ATTRIBUTES, STATES, Case
from .installation import Destination, Installation, until
from .oracle import Expected, change

CASES: Final = {case.name: case for case in STATES + ATTRIBUTES}
REMOVED: Final = "switch.case_removed"


@pytest.fixture(scope="module")
def told(installation: Installation) -> dict[str, list[Expected]]:
    """Take an entity for each case through its state; what must be stored of each."""
    points = {name: _happen(installation, case) for name, case in CASES.items()}
    points["attributes"] = _attributes_change(installation)
    installation.set_state(REMOVED, "off")
    installation.api.remove_state(REMOVED)
    return points


def _happen(installation: Installation, case: Case) -> list[Expected]:
    before = installation.set_state(case.entity_id, "before")
    after = installation.set_state(case.entity_id, case.state, **case.attributes)
    assert (after["state"], after["attributes"]) == (case.state, case.attributes)
    stored = after | {"attributes": after["attributes"] if case.kept is None else case.kept}
    point = change(stored, before, value=case.value, tags=case.tags, fields=case.fields)
    return [change(before), point]


def _attributes_change(installation: Installation) -> list[Expected]:
    first = installation.set_state("light.case_attributes", "on", brightness=1)
    second = installation.set_state("light.case_attributes", "on", brightness=2)
    assert first["last_changed"] == second["last_changed"]
    return [
        change(first, value=1.0, tags={"event_category": "lighting"}),
        change(second, first, value=1.0, tags={"event_category": "lighting"}),
    ]


@pytest.mark.parametrize("case", CASES)
def test_a_state_arrives_as_it_was(
    told: dict[str, list[Expected]], destination: Destination, case: str
) -> None:
    """Tags, fields and the microsecond are those of Home Assistant's own state."""
    destination.assert_stored(told[case])


def test_a_change_of_attributes_alone_is_a_point(
    told: dict[str, list[Expected]], destination: Destination
) -> None:
    """Nothing was spent in a state that stayed."""
    destination.assert_stored(told["attributes"])
    assert told["attributes"][1].fields["duration_in_state_seconds"] == 0


@pytest.mark.usefixtures("told")
def test_a_removed_entity_is_a_point_with_its_last_state(destination: Destination) -> None:
    """There is no number in it, so a database of numbers does not get it."""
    destination.settle()
    if destination.numbers_only:
        points = until(lambda: destination.points(REMOVED))
        assert [each["fields"] for each in points] == [{"value": 0.0}]
        return
    last, removal = destination.points(REMOVED)
    assert removal["tags"] == last["tags"] | {"event_type": "entity_removed"}
    fields = {key: text for key, text in removal["fields"].items() if not key.startswith("context")}
    assert fields == {"old_state": "off", "previous_state": "off"}


@pytest.mark.usefixtures("told")
def test_the_ledger_counts_what_the_database_has(destination: Destination) -> None:
    """Every case adds to the counts, and the counts add up."""
    destination.assert_balanced()
