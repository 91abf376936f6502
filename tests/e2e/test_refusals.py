"""The database is there and says no: everything waits, and arrives once it says yes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pytest

from scripts.rig.databases import DATABASES
from scripts.rig.dialects import KINDS
from scripts.rig.endpoint import Endpoint
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.servers import Server

from .installation import Destination, Installation, until
from .oracle import Expected, change

# InfluxDB 1 is told about users and databases in its query language.
pytestmark = pytest.mark.parametrize(
    "destination",
    [name for name, database in DATABASES.items() if database.dialect == "v1"],
    indirect=True,
)

PASSWORD: Final = "first-password"
NEW_PASSWORD: Final = "second-password"

_numbers = count()


@pytest.fixture
def narrow(installation: Installation, destination: Destination) -> Iterator[Destination]:
    """Make a database and a user who may write to it and nothing else, and connect as that."""
    name = f"narrow_{next(_numbers)}"
    destination.server.create_database(name)
    _tell(destination, f"CREATE USER {name} WITH PASSWORD '{PASSWORD}'")
    _tell(destination, f"GRANT ALL ON {name} TO {name}")
    own = replace(destination, database=name)
    result = connect(installation.api, replace(own.address, user=name, password=PASSWORD))
    yield replace(own, entry_id=result["result"]["entry_id"])
    installation.api.delete(result["result"]["entry_id"])


def _tell(destination: Destination, command: str) -> None:
    server = destination.server
    assert isinstance(server, Server)
    headers = KINDS[server.dialect].headers(server.account)
    answer = Endpoint(port=server.port, headers=headers).request("/query", {"q": command}, body=b"")
    assert b"error" not in answer, answer


def _go_on(
    installation: Installation, entity_id: str, first: int, old: Any = None
) -> tuple[list[Expected], Any]:
    told = []
    for number in range(first, first + 20):
        new = installation.set_state(entity_id, str(number))
        told.append(change(new, old, value=float(number)))
        old = new
    return told, old


def _is_blocked(destination: Destination) -> bool:
    return bool(destination.diagnostics()["health"]["export"]["status"] == "blocked")


def test_refused_credentials_are_asked_for_and_nothing_is_lost(
    installation: Installation, narrow: Destination
) -> None:
    """The dialogue that Home Assistant opens by itself ends the wait."""
    entity_id = f"sensor.{narrow.database}"
    told, last = _go_on(installation, entity_id, 0)
    narrow.settle()
    _tell(narrow, f"SET PASSWORD FOR {narrow.database} = '{NEW_PASSWORD}'")
    more, _ = _go_on(installation, entity_id, len(told), last)
    assert until(lambda: _is_blocked(narrow)), narrow.diagnostics()

    flow = until(lambda: _reauth(installation, narrow))
    assert flow, "no dialogue was opened"
    path = f"/api/config/config_entries/flow/{flow['flow_id']}"
    form = {"username": narrow.database, "password": PASSWORD}
    wrong = installation.api.request("POST", path, form)
    assert wrong["errors"], wrong
    right = installation.api.request("POST", path, form | {"password": NEW_PASSWORD})
    assert (right["type"], right["reason"]) == ("abort", "reauth_successful")
    narrow.assert_stored(told + more)
    narrow.assert_balanced()
    for secret in (PASSWORD, NEW_PASSWORD):
        assert secret not in str(narrow.diagnostics())
        assert secret not in installation.home.log()


def _reauth(installation: Installation, destination: Destination) -> Any:
    flows = installation.api.ws("config_entries/flow/progress")
    wanted = {"source": "reauth", "entry_id": destination.entry_id}
    ours = [each for each in flows if wanted.items() <= each["context"].items()]
    assert all(each["handler"] == DOMAIN for each in ours)
    assert len(ours) <= 1
    return next(iter(ours), None)


def test_a_database_that_was_dropped_gets_everything_when_it_is_back(
    installation: Installation, narrow: Destination
) -> None:
    """What it had before is gone with it; what happened since is not."""
    entity_id = f"sensor.{narrow.database}"
    _, last = _go_on(installation, entity_id, 0)
    narrow.settle()
    _tell(narrow, f"DROP DATABASE {narrow.database}")
    told, last = _go_on(installation, entity_id, 100, last)
    assert until(lambda: _is_blocked(narrow)), narrow.diagnostics()
    more, _ = _go_on(installation, entity_id, 200, last)
    narrow.server.create_database(narrow.database)
    _tell(narrow, f"GRANT ALL ON {narrow.database} TO {narrow.database}")
    # Whoever created it does not want to wait for the next look in some minutes.
    installation.api.reload(narrow.entry_id)
    narrow.assert_stored(told + more)
