"""A config entry is reloaded, disabled and deleted while Home Assistant goes on."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scripts.rig.api import CONFIRMED
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import SPOOL_DIRECTORY, Destination, Installation, until
from .oracle import Expected, change, microseconds


def _tell(
    installation: Installation, entity_id: str, state: str, value: float | None = None
) -> Expected:
    old = installation.api.state(entity_id)
    return change(installation.set_state(entity_id, state), old, value=value)


def test_a_new_entry_begins_with_the_states_there_are(
    installation: Installation, spare: Destination
) -> None:
    """Each at the instant when it was set, so that nothing has to change before it is seen."""
    spare.settle()
    stored = {each["tags"]["entity_id"] for each in spare.points()}
    states = installation.foreign_states()
    assert stored == states.keys()
    expected = [microseconds(states["zone.home"]["last_updated"])]
    assert [each["time_ns"] // 1000 for each in spare.points("zone.home")] == expected


def test_nothing_is_missing_or_twice_after_reloads(
    installation: Installation, spare: Destination
) -> None:
    """States keep changing while the entry is unloaded and set up again."""

    def change_many() -> list[Expected]:
        return [
            _tell(installation, f"sensor.reload_{number}", str(number), number)
            for number in range(90)
        ]

    with ThreadPoolExecutor(1) as executor:
        changes = executor.submit(change_many)
        for _ in range(3):
            installation.api.reload(spare.entry_id)
        told = changes.result()
    spare.assert_stored(told)
    spare.assert_balanced()


def test_an_entry_disabled_for_a_moment_misses_nothing(
    installation: Installation, spare: Destination
) -> None:
    """Home Assistant does not say whether it unloads an entry for a second or for good."""
    told = [_tell(installation, "sensor.disabled", "1", 1.0)]
    installation.api.disable(spare.entry_id)
    assert installation.api.entry(spare.entry_id)["state"] == "not_loaded"
    told += [_tell(installation, "sensor.disabled", number, float(number)) for number in "234"]
    installation.api.disable(spare.entry_id, disabled=False)
    assert installation.api.entry(spare.entry_id)["state"] == "loaded"
    told += [_tell(installation, "sensor.disabled", "5", 5.0)]
    spare.assert_stored(told)
    spare.assert_balanced()


def test_options_change_while_points_wait(installation: Installation, spare: Destination) -> None:
    """The entry is reloaded with other bounds, and the points of before and after arrive."""
    server = spare.server
    if not isinstance(server, Server):
        pytest.skip("this server is not ours to stop")
    server.stop()
    try:
        told = [_tell(installation, "sensor.bounded", number, float(number)) for number in "123"]
        assert until(spare.is_waiting)
        installation.api.set_options(
            spare.entry_id,
            "spool",
            durability="strict",
            max_size=64,
            max_age=30,
            min_free=100,
            compress=False,
            gather=5,
        )
        told += [_tell(installation, "sensor.bounded", "4", 4.0)]
        assert until(lambda: spare.diagnostics()["health"]["spool_limit"] == 64 * 1024 * 1024)
        assert until(spare.is_waiting)
    finally:
        server.start()
    spare.assert_stored(told)
    spare.assert_balanced()


def test_a_deleted_entry_leaves_nothing_behind(
    installation: Installation, spare: Destination
) -> None:
    """Its spool is its own, and goes with it."""
    spool = installation.home.directory / SPOOL_DIRECTORY / spare.entry_id
    assert until(spool.is_dir)
    installation.api.delete(spare.entry_id)
    assert not spool.exists()
    registered = installation.api.ws("config/entity_registry/list")
    assert spare.entry_id not in {each["config_entry_id"] for each in registered}


def test_a_destination_is_connected_once(installation: Installation, spare: Destination) -> None:
    """A second entry for the same database would store everything twice."""
    result = connect(installation.api, spare.address)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")


def test_no_secret_is_in_diagnostics_or_log(
    installation: Installation, destination: Destination
) -> None:
    """Both are pasted into bug reports."""
    told = json.dumps(installation.api.diagnostics(destination.entry_id))
    server = destination.server
    for secret in filter(None, (server.token, server.password)):
        assert secret not in told
        assert secret not in installation.home.log()


def test_options_leave_out_and_add(installation: Installation, spare: Destination) -> None:
    """A filter, other events, reports without a change and the weather, through the real door."""
    installation.set_state("weather.rig", "sunny", temperature=68, temperature_unit="°F")
    options: dict[str, dict[str, Any]] = {
        "filter": {"exclude": {"globs": ["sensor.private_*"], "entities": ["sensor.secret"]}},
        "events": {"types": ["rig_event"], "reported": True, "registries": False},
        "weather": {"entity": "weather.rig", "max_age": 3},
    }
    for page, answer in options.items():
        installation.api.set_options(spare.entry_id, page, **answer)
    installation.set_state("sensor.private_a", "1")
    installation.set_state("sensor.secret", "1")
    installation.set_state("sensor.chosen", "1")
    installation.set_state("sensor.chosen", "1")
    about = {"entity_id": "sensor.chosen", "strength": 3}
    installation.api.request("POST", "/api/events/rig_event", about)
    spare.settle()
    assert not spare.points("sensor.private_a")
    assert not spare.points("sensor.secret")
    changed, reported, happened = spare.points("sensor.chosen")
    kinds = [each["tags"]["event_type"] for each in (changed, reported, happened)]
    assert kinds == ["state_changed", "state_reported", "rig_event"]
    for each in (changed, reported):
        assert each["tags"]["weather_condition"] == "sunny"
        assert each["fields"]["temperature"] == pytest.approx(20)
    assert spare.diagnostics()["ledger"]["filtered"]["excluded"]
    spare.assert_balanced()


def test_another_profile_begins_when_what_it_does_was_confirmed(
    installation: Installation, spare: Destination
) -> None:
    """What was captured before is delivered as it was; nothing in the database changes."""
    told = [_tell(installation, "sensor.profiled", "1", 1.0)]
    chosen: dict[str, Any] = {
        "tags": ["registry_id", "sw_version"],
        "availability": "skip",
        "convert_units": True,
    }
    installation.api.set_options(
        spare.entry_id,
        "points",
        ("tidy", chosen),
        ("to_tidy", CONFIRMED),
        ("new_tags", CONFIRMED),
        profile="tidy",
    )
    unit = {"device_class": "temperature", "unit_of_measurement": "°F"}
    for state in ("unavailable", "50"):
        installation.set_state("sensor.profiled", state, **unit)
    spare.assert_stored(told)

    def tidy() -> list[Any]:
        stored = spare.server.query_points("sensor", spare.database)
        return [each for each in stored if each["tags"]["entity_id"] == "sensor.profiled"]

    assert until(tidy), (spare.diagnostics(), spare.points("sensor.profiled"))
    (point,) = tidy()
    assert point["fields"]["value"] == pytest.approx(10)
    assert point["tags"]["unit"] == "°C"
    assert "state" not in point["fields"]
    chatty = installation.api.request(
        "POST",
        "/api/services/ha_ingestor/chatty_entities?return_response",
        {"config_entry_id": spare.entry_id},
    )["service_response"]
    assert "sensor.profiled" in {each["subject"] for each in chatty["by_points"]}
    assert spare.diagnostics()["ledger"]["balanced"]
