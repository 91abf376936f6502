"""The self-test on real databases: what it finds, and what it says where it finds nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pytest

from scripts.rig.endpoint import Point
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.servers import Server

from .access import endpoint_of
from .installation import Destination, Installation, until

PASSWORD: Final = "write-only-password"
_numbers = count()


def report_of(destination: Destination) -> Any:
    """Run the action and return its report."""
    answer = destination.api.request(
        "POST",
        f"/api/services/{DOMAIN}/self_test?return_response",
        {"config_entry_id": destination.entry_id},
    )
    (report,) = answer["service_response"]["destinations"]
    return report


def markers_of(destination: Destination) -> list[Point]:
    """Return what self-tests wrote."""
    return destination.server.query_points("ha_ingestor_self_test", destination.database)


@pytest.fixture
def write_only(installation: Installation, destination: Destination) -> Iterator[Destination]:
    """Connect with credentials that may write to a database and nothing else."""
    server = destination.server
    if not isinstance(server, Server) or server.dialect == "victoriametrics":
        pytest.skip("this server has no permissions of that kind")
    name = f"write_only_{next(_numbers)}"
    server.create_database(name)
    own = replace(destination, database=name)
    address = replace(own.address, **_write_only_account(server, name))
    result = connect(installation.api, address)
    yield replace(own, entry_id=result["result"]["entry_id"])
    installation.api.delete(result["result"]["entry_id"])


def _write_only_account(server: Server, name: str) -> dict[str, str]:
    endpoint = endpoint_of(server)
    if server.dialect == "v1":
        for command in (
            f"CREATE USER {name} WITH PASSWORD '{PASSWORD}'",
            f"GRANT WRITE ON {name} TO {name}",
        ):
            assert b"error" not in endpoint.request("/query", {"q": command}, body=b"")
        return {"user": name, "password": PASSWORD}
    found = endpoint.request("/api/v2/buckets", {"org": server.org, "name": name})
    (bucket,) = json.loads(found)["buckets"]
    resource = {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}
    wanted = {
        "orgID": bucket["orgID"],
        "permissions": [{"action": "write", "resource": resource}],
    }
    answer = endpoint.request("/api/v2/authorizations", body=json.dumps(wanted).encode())
    return {"token": json.loads(answer)["token"]}


def _drop(server: Server, name: str) -> None:
    endpoint = endpoint_of(server)
    if server.dialect == "v1":
        endpoint.request("/query", {"q": f"DROP DATABASE {name}"}, body=b"")
        return
    found = endpoint.request("/api/v2/buckets", {"org": server.org, "name": name})
    (bucket,) = json.loads(found)["buckets"]
    endpoint.request(f"/api/v2/buckets/{bucket['id']}", method="DELETE")


def test_what_is_written_is_found(destination: Destination) -> None:
    destination.settle()
    before = destination.diagnostics()["ledger"]
    # Other tests may have had it tested too.
    earlier = markers_of(destination)

    report = report_of(destination)

    assert report["verdict"] == "ok", report
    assert report["written"]
    assert report["found"]
    assert 0 < report["write_seconds"] < 30
    assert 0 <= report["read_seconds"] < 45
    assert abs(report["clock_ahead_seconds"]) < 2
    # What Debian builds does not tell its version.
    assert report["server_version"] or "debian" in str(destination.server)
    if destination.server.dialect in {"v1", "v2"}:
        assert report["retention_seconds"] == 0
    assert until(lambda: len(markers_of(destination)) > len(earlier))
    (marker,) = (each for each in markers_of(destination) if each not in earlier)
    assert list(marker["fields"]) == ["value"]
    # It went the way of all points.
    destination.settle()
    after = destination.diagnostics()["ledger"]
    assert after["written"] > before["written"]
    assert after["balanced"]


def test_credentials_that_may_only_write_are_no_failure_of_writing(
    installation: Installation, write_only: Destination
) -> None:
    report = report_of(write_only)
    assert (report["written"], report["found"]) == (True, False)
    assert report["verdict"] == "no_permission", report
    assert "read permission" in report["message"]
    assert PASSWORD not in str(report)


def test_a_database_that_was_dropped_meanwhile_is_named(
    installation: Installation, destination: Destination
) -> None:
    server = destination.server
    if not isinstance(server, Server) or server.dialect == "victoriametrics":
        pytest.skip("this server has no databases")
    name = f"dropped_{next(_numbers)}"
    server.create_database(name)
    own = installation.connect(server, name)
    try:
        own.settle()
        _drop(server, name)
        report = report_of(own)
        assert (report["written"], report["verdict"]) == (False, "not_sent"), report
        assert report["problem"] in {"database_not_found", "bucket_not_found"}
        assert "missing" in report["message"]
    finally:
        installation.api.delete(own.entry_id)


def test_a_database_that_is_away_is_named_and_what_was_written_arrives_later(
    installation: Installation, spare: Destination
) -> None:
    server = spare.server
    assert isinstance(server, Server)
    spare.settle()
    server.stop()
    try:
        report = report_of(spare)
        assert (report["written"], report["verdict"]) == (False, "not_sent"), report
        assert report["problem"] == "unreachable"
    finally:
        server.start()
    assert until(lambda: markers_of(spare))


def test_a_pause_outlives_a_restart_of_home_assistant(
    installation: Installation, spare: Destination
) -> None:
    api = installation.api
    spare.settle()
    api.call_service(DOMAIN, "pause", config_entry_id=spare.entry_id)
    assert report_of(spare)["verdict"] == "paused"
    installation.set_state("sensor.while_paused", "1")
    installation.home.stop()
    installation.home.start()
    assert until(lambda: _status(spare) == "paused")
    installation.set_state("sensor.while_paused", "2")
    assert not spare.points("sensor.while_paused")
    api.call_service(DOMAIN, "resume", config_entry_id=spare.entry_id)
    assert until(lambda: len(spare.points("sensor.while_paused")) == 2)
    spare.assert_balanced()


def _status(destination: Destination) -> Any:
    try:
        return destination.diagnostics()["health"]["export"]["status"]
    except Exception:  # noqa: BLE001  it is not loaded yet
        return None


def test_points_of_a_user_are_stored_as_they_were_given(destination: Destination) -> None:
    destination.settle()
    lines = 'own_points,place=a\\ b number=1.5,flag=true,text="x" 1700000000123000000'
    answer = destination.api.request(
        "POST",
        f"/api/services/{DOMAIN}/write_points?return_response",
        {"config_entry_id": destination.entry_id, "line_protocol": lines},
    )
    assert answer["service_response"] == {"received": 1, "filtered": 0, "on_disk": True}
    destination.settle()
    (point,) = until(lambda: destination.server.query_points("own_points", destination.database))
    assert point["time_ns"] == 1700000000123000000
    assert point["tags"]["place"] == "a b"
    assert point["fields"]["number"] == 1.5
    if not destination.numbers_only:
        assert point["fields"] == {"number": 1.5, "flag": True, "text": "x"}
    assert destination.diagnostics()["ledger"]["balanced"]
