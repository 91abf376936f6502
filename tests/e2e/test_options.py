"""On a real server: who is behind a change, heartbeats, and points that look different."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest

from scripts.rig.api import CONFIRMED
from scripts.rig.endpoint import Point
from scripts.rig.onboarding import NAME
from scripts.rig.servers import Server

from .installation import Destination, Installation, until
from .oracle import LOCATION, Expected, State, change, heartbeat, microseconds

HELPER: Final = {"integration": "input_boolean", "event_category": "general"}
AUTOMATION: Final = "automation.follows"
MINUTE: Final = 60.0


@pytest.fixture(scope="module", autouse=True)
def steady(installation: Installation) -> Iterator[tuple[Destination, State]]:
    """Let an entity with a heartbeat be silent from now on, while other tests make noise."""
    with installation.spare() as destination:
        rule = {"name": "Steady", "entities": ["sensor.steady"], "heartbeat": 1}
        installation.api.set_options(destination.entry_id, "noise", rules=[rule], window=0)
        installation.set_state("sensor.steadfast", "7")
        yield destination, installation.set_state("sensor.steady", "7")


def _helper(installation: Installation, name: str) -> State:
    created = installation.api.ws("input_boolean/create", name=name)["id"]
    found: State | None = until(lambda: installation.api.state(f"input_boolean.{created}"))
    assert found
    return found


@pytest.fixture(scope="module")
def caused(installation: Installation) -> list[Expected]:
    """A user turns one thing on, and an automation another."""
    leader, subscriber = _helper(installation, "Leader"), _helper(installation, "Subscriber")
    installation.api.request(
        "POST",
        "/api/config/automation/config/follows",
        {
            "alias": "Follows",
            "triggers": [{"trigger": "state", "entity_id": leader["entity_id"], "to": "on"}],
            "actions": [
                {
                    "action": "input_boolean.turn_on",
                    "target": {"entity_id": subscriber["entity_id"]},
                }
            ],
        },
    )
    assert until(lambda: installation.api.state(AUTOMATION))
    installation.api.call_service("input_boolean", "turn_on", entity_id=leader["entity_id"])
    followed = until(lambda: _once_on(installation, subscriber["entity_id"]))
    led = _once_on(installation, leader["entity_id"])
    assert led
    assert followed
    assert followed["context"]["parent_id"] == led["context"]["id"]
    assert led["context"]["user_id"]
    assert not followed["context"]["user_id"]
    return [
        _turned_on(led, leader),
        _turned_on(followed, subscriber, cause=AUTOMATION),
    ]


def _once_on(installation: Installation, entity_id: str) -> State | None:
    state = installation.api.state(entity_id)
    return state if state and state["state"] == "on" else None


def _turned_on(new: State, old: State, **fields: str) -> Expected:
    return change(new, old, value=1.0, tags=HELPER, fields=fields, unrecorded={"editable"})


def test_a_change_tells_the_user_or_the_automation_behind_it(
    caused: list[Expected], destination: Destination
) -> None:
    """The user is not told where an automation decided, though its cause leads back to him."""
    by_user, by_automation = caused
    assert by_user.fields["context_user"] == NAME
    assert "context_user" not in by_automation.fields
    for each in caused:
        destination.assert_stored([each], since_us=each.time_us)


def _found(destination: Destination, measurement: str, entity_id: str) -> list[Point]:
    points = destination.server.query_points(measurement, destination.database)
    return [each for each in points if each["tags"].get("entity_id") == entity_id]


def test_another_profile_writes_its_measurements_and_keeps_the_backlog(
    installation: Installation, spare: Destination
) -> None:
    """What was captured before arrives as it was to be stored then."""
    server = spare.server
    if not isinstance(server, Server):
        pytest.skip("this server is not ours to stop")
    entity_id = "sensor.changing"
    states: list[State] = []

    def become(state: str) -> State:
        about: dict[str, Any] = {"unit_of_measurement": "°C", "device_class": "temperature"}
        states.append(installation.set_state(entity_id, state, **about))
        return states[-1]

    spare.settle()
    written = spare.diagnostics()["ledger"]["written"]
    server.stop()
    try:
        old = become("20")
        new = become("20.5")
        assert until(spare.is_waiting)
        tidy_options = {"availability": "marker", "convert_units": False}
        points = partial(installation.api.set_options, spare.entry_id, "points")
        points(("tidy", tidy_options), ("to_tidy", CONFIRMED), profile="tidy")
        become("21")
        become("warm")
        core_options = {"measurement_attr": "unit_of_measurement"}
        points(("core", core_options), ("to_core", CONFIRMED), profile="core")
        become("22")
        become("cold")
        assert until(lambda: spare.diagnostics()["ledger"]["pending"] == len(states))
        assert spare.diagnostics()["ledger"]["written"] == written
    finally:
        server.start()
    spare.settle()
    assert spare.diagnostics()["ledger"]["written"] == written + len(states)
    climate = {"device_class": "temperature", "event_category": "climate"}
    spare.assert_stored(
        [change(old, value=20.0, tags=climate), change(new, old, value=20.5, tags=climate)]
    )

    tidy = {
        "entity_id": entity_id,
        "device_class": "temperature",
        "unit": "°C",
        "location": LOCATION,
    }
    assert _found(spare, "sensor", entity_id) == [
        _point(states[2], tidy, _lasted(*states[1:3]) | {"value": 21.0, "context_user": NAME}),
        _point(states[3], tidy, _lasted(*states[2:4]) | {"state": "warm", "context_user": NAME}),
    ]
    core = {"domain": "sensor", "entity_id": "changing"}
    classed = {"device_class_str": "temperature"}
    assert _found(spare, "°C", "changing") == [
        _point(states[4], core, classed | {"value": 22.0}),
        _point(states[5], core, classed | {"state": "cold"}),
    ]


def _lasted(old: State, new: State) -> dict[str, Any]:
    lasted = microseconds(new["last_changed"]) - microseconds(old["last_changed"])
    return {"duration_in_state_seconds": pytest.approx(lasted / 1e6, abs=2e-6)}


def _point(state: State, tags: dict[str, str], fields: dict[str, Any]) -> Point:
    return Point(time_ns=microseconds(state["last_updated"]) * 1000, tags=tags, fields=fields)


def test_a_heartbeat_writes_what_did_not_change(steady: tuple[Destination, State]) -> None:
    """Once in the minute that has passed, and of that entity alone."""
    destination, state = steady
    time.sleep(max(0.0, microseconds(state["last_updated"]) / 1e6 + MINUTE - time.time()))
    assert until(lambda: destination.points("sensor.steady")[1:], seconds=MINUTE / 4)
    beat = heartbeat(state, MINUTE, value=7.0)
    destination.assert_stored([change(state, value=7.0), beat])
    assert len(destination.points("sensor.steadfast")) == 1
    destination.assert_balanced()
