"""From what the registry says now, step by step back to what it said before."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.ha_ingestor.clients.homeassistant.connection import Event
from custom_components.ha_ingestor.clients.homeassistant.entries import EntityEntry
from custom_components.ha_ingestor.sources.remote.as_of import rows_as_of

NOW = EntityEntry(entity_id="light.a", id="uuid", platform="demo", area_id="roof")


def event(number: int, action: str, entity_id: str = "light.a", **more: Any) -> Event:
    data = {"action": action, "entity_id": entity_id, **more}
    return Event(subscription=1, content={"data": data}, number=number, heard=0.0)


def test_before_an_entity_was_made_there_was_no_row() -> None:
    changed = event(2, "update", changes={"area_id": "attic"})
    rows = rows_as_of([event(1, "create"), changed], {"light.a": NOW})
    assert rows.before == {"light.a": None}
    assert rows.after == {1: replace(NOW, area_id="attic"), 2: NOW}


def test_of_an_entity_that_is_gone_no_row_is_known() -> None:
    changed = event(1, "update", changes={"area_id": "attic"})
    rows = rows_as_of([changed, event(2, "remove")], {})
    assert rows.before == {"light.a": None}
    assert rows.after == {1: None, 2: None}


def test_an_entity_that_was_made_again_has_only_its_own_past() -> None:
    changed = event(3, "update", changes={"area_id": "attic"})
    rows = rows_as_of([event(1, "remove"), event(2, "create"), changed], {"light.a": NOW})
    assert rows.after == {1: None, 2: replace(NOW, area_id="attic"), 3: NOW}


@pytest.mark.parametrize("content", [None, "text", {}, {"data": 7}])
def test_an_event_that_names_nothing_changes_no_row(content: Any) -> None:
    odd = Event(subscription=1, content=content, number=1, heard=0.0)
    changed = event(2, "update", changes={"area_id": "attic"})
    rows = rows_as_of([odd, changed], {"light.a": NOW})
    assert rows.before["light.a"] == replace(NOW, area_id="attic")
    assert rows.after[2] == NOW
