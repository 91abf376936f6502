"""The mirror of states, compared with what Home Assistant itself does to them."""

from typing import Any

import pytest
from homeassistant.components.websocket_api.messages import _state_diff_event
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.core import State as HomeState
from orjson import dumps, loads

from custom_components.ha_ingestor.clients.homeassistant.errors import HomeAssistantError, Problem
from custom_components.ha_ingestor.clients.homeassistant.states import State, StateMirror


def as_sent(content: Any) -> Any:
    return loads(dumps(content, default=dict))


def described(state: HomeState | State | None) -> Any:
    if state is None:
        return None
    context = state.context
    return {
        "entity_id": state.entity_id,
        "state": state.state,
        "attributes": dict(state.attributes),
        "last_changed": state.last_changed_timestamp,
        "last_updated": state.last_updated_timestamp,
        "context": (context.id, context.parent_id, context.user_id),
    }


async def test_every_change_has_the_old_and_the_new_state_as_home_assistant_has_them(
    hass: HomeAssistant,
) -> None:
    mirror = StateMirror()
    expected: list[Any] = []
    found: list[Any] = []

    @callback
    def async_changed(event: Event[EventStateChangedData]) -> None:
        data = event.data
        expected.append(
            (data["entity_id"], described(data["old_state"]), described(data["new_state"]))
        )
        for entity_id, old, new in mirror.apply(as_sent(_state_diff_event(event))):
            found.append((entity_id, described(old), described(new)))

    hass.bus.async_listen("state_changed", async_changed)
    put = hass.states.async_set
    by_user = Context(user_id="u", parent_id="p")
    put("sensor.a", "1", {"unit": "W"})
    put("sensor.a", "2", {"unit": "W"})
    put("sensor.a", "2", {"unit": "kW", "new": [1, 2]}, context=by_user)
    put("sensor.a", "3", {"new": [1, 2]}, context=Context(user_id="u", parent_id="p"))
    put("sensor.a", "3", {}, context=Context())
    put("sensor.a", "3", {}, force_update=True)
    put("light.b", "on")
    put("light.b", "on", {"brightness": 1})
    put("light.b", "off", {"brightness": 1}, context=Context(parent_id="only"))
    put("light.b", "off", {"brightness": 2}, context=Context(user_id="only"))
    hass.states.async_remove("light.b")
    put("light.b", "on")
    await hass.async_block_till_done()

    assert found == expected
    assert len(found) == 12


async def test_a_state_with_unchanged_attributes_shares_their_object(hass: HomeAssistant) -> None:
    mirror = StateMirror()
    mirror.snapshot({"a": {"sensor.a": {"s": "1", "a": {"unit": "W"}, "c": "x", "lc": 1.0}}})
    [(_, old, new)] = mirror.apply({"c": {"sensor.a": {"+": {"s": "2", "lc": 2.0, "c": "y"}}}})
    assert old
    assert new
    assert new.attributes is old.attributes


def row(state: str, changed: float, updated: float | None = None, **attributes: Any) -> Any:
    more = {} if updated is None else {"lu": updated}
    return {"s": state, "a": attributes, "c": "x", "lc": changed, **more}


def test_a_snapshot_yields_what_happened_meanwhile_each_once_and_in_order() -> None:
    mirror = StateMirror()
    first = {"a": {"sensor.a": row("1", 10.0), "sensor.b": row("1", 11.0), "sensor.c": row("1", 1)}}
    assert [change[0] for change in mirror.snapshot(first)] == ["sensor.c", "sensor.a", "sensor.b"]
    assert mirror.snapshot(first) == []

    second = {
        "a": {
            "sensor.b": row("1", 11.0, 30.0, unit="W"),
            "sensor.a": row("2", 20.0),
            "sensor.d": row("1", 25.0),
        }
    }
    changes = mirror.snapshot(second)
    told = [
        (name, old and old.last_updated_timestamp, new and new.last_updated_timestamp)
        for name, old, new in changes
    ]
    assert told == [
        ("sensor.a", 10.0, 20.0),
        ("sensor.d", None, 25.0),
        ("sensor.b", 11.0, 30.0),
        ("sensor.c", 1.0, None),
    ]
    assert mirror.snapshot(second) == []


@pytest.mark.parametrize(
    "event",
    [
        {"c": {"sensor.unknown": {"+": {"s": "1", "lc": 1.0}}}},
        {"a": {"sensor.a": {"s": "1"}}},
        {"a": {"sensor.a": {"s": "1", "lc": "yesterday"}}},
        {"c": {"sensor.a": {"+": 7}}},
        {"a": 7},
        [],
    ],
)
def test_what_cannot_be_understood_is_an_error_and_no_guess(event: Any) -> None:
    mirror = StateMirror()
    mirror.snapshot({"a": {"sensor.a": row("1", 10.0)}})
    with pytest.raises(HomeAssistantError) as raised:
        list(mirror.apply(event))
    assert raised.value.problem is Problem.PROTOCOL
    assert mirror.states["sensor.a"].state == "1"


@pytest.mark.parametrize("moment", [1e18, -1e300, 1e300])
def test_a_moment_that_no_date_has_is_an_error_of_the_connection(moment: float) -> None:
    mirror = StateMirror()
    mirror.snapshot({"a": {"sensor.a": row("1", moment)}})
    with pytest.raises(HomeAssistantError) as raised:
        list(mirror.apply({"c": {"sensor.a": {"+": {"lu": 11.0}}}}))
    assert raised.value.problem is Problem.PROTOCOL


def test_changes_before_the_one_that_cannot_be_understood_are_not_lost() -> None:
    mirror = StateMirror()
    changes = mirror.apply({"a": {"sensor.a": row("1", 10.0), "sensor.b": {}}})
    assert next(changes).entity_id == "sensor.a"
    with pytest.raises(HomeAssistantError):
        next(changes)
