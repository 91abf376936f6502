"""One Home Assistant and everything it delivers to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple

import pytest

from scripts.rig.api import Api, ApiError
from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.destination import address_of
from scripts.rig.endpoint import Point
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, Address, connect
from scripts.rig.servers import Server

from .influxdb3 import InfluxDB3
from .oracle import Expected, State, stored_fields

MEASUREMENT: Final = "home_assistant_events"
SPOOL_DIRECTORY: Final = "ha_ingestor.log.d"

# After an outage the next attempt may be half a minute away.
PATIENCE: Final = 60.0

# VictoriaMetrics finds a new series some seconds after it has stored it.
INDEXED: Final = 20.0

_numbers = count()


def until[T](look: Callable[[], T], *, seconds: float = PATIENCE) -> T:
    """Look until there is something to see; returns the last look, whatever it is."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen


def any_database(first: str = "") -> str:
    """Name a database that is there, one of them rather than others.

    Without any, the machine cannot show what a test is about.
    """
    reasons: list[str] = []
    for name in sorted(DATABASES, key=lambda name: name != first):
        if not isinstance(found := binary(name), Unavailable):
            return name
        reasons.append(f"{name}: {found.reason}")
    pytest.skip("; ".join(reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A database and the config entry that delivers to it."""

    server: Server | InfluxDB3
    database: str
    api: Api
    entry_id: str

    @property
    def address(self) -> Address:
        """What the config flow wants to know."""
        return address_of(self.server, self.database)

    @property
    def numbers_only(self) -> bool:
        """Whether text is no use here."""
        return self.server.dialect == "victoriametrics"

    def points(self, entity_id: str | None = None) -> list[Point]:
        """Return the points of one entity or of all, in the order of time."""
        found = self.server.query_points(MEASUREMENT, self.database)
        wanted = [each for each in found if entity_id in {None, each["tags"]["entity_id"]}]
        return sorted(wanted, key=lambda point: point["time_ns"])

    def stored(self) -> int:
        """Count the points of all measurements: those of self-tests and actions are some too."""
        return len(self.server.every_point(self.database))

    def heard_of(self, since_us: int) -> set[str]:
        """Return the entities that have points since a moment."""
        recent = (each for each in self.points() if each["time_ns"] // 1000 >= since_us)
        return {each["tags"]["entity_id"] for each in recent}

    def diagnostics(self) -> Any:
        """Return what the integration says of itself."""
        return self.api.diagnostics(self.entry_id)["data"]

    def settle(self) -> None:
        """See to it that everything captured so far has been delivered."""
        assert until(self._is_settled), self.diagnostics()

    @property
    def can_be_stopped(self) -> bool:
        """Whether the server is ours."""
        return isinstance(self.server, Server)

    def is_waiting(self) -> bool:
        """Whether there is something that the database does not take."""
        told = self.diagnostics()
        retrying = told["health"]["export"]["status"] == "retrying"
        return bool(retrying and told["ledger"]["pending"])

    def assert_stored(self, expected: list[Expected], *, since_us: int = 0) -> None:
        """Compare every point of these entities since a moment, value by value."""
        self.settle()
        entities = {each.entity_id for each in expected}
        # VictoriaMetrics keeps milliseconds.
        unit_us = 1000 if self.numbers_only else 1

        def when(each: Expected) -> Any:
            moment = each.time_us // unit_us
            # What is not known exactly may lie at the edge of a millisecond too.
            near = each.within_us and each.within_us // unit_us + 1
            return pytest.approx(moment, abs=near, rel=0) if near else moment

        def stored() -> list[_Row]:
            return sorted(
                (
                    _Row(
                        each["time_ns"] // 1000 // unit_us,
                        each["tags"]["entity_id"],
                        each["tags"],
                        stored_fields(each["fields"]),
                    )
                    for each in self.points()
                    if each["tags"]["entity_id"] in entities
                    and each["time_ns"] // 1000 >= since_us // unit_us * unit_us
                ),
                key=_in_order,
            )

        in_order = sorted(
            self._sent(expected),
            key=lambda each: (each.time_us // unit_us, *_who_and_what(each.tags)),
        )
        wanted = [_Row(when(each), each.entity_id, each.tags, each.fields) for each in in_order]
        if self.numbers_only:
            until(lambda: stored() == wanted, seconds=INDEXED)
        assert stored() == wanted

    def assert_balanced(self) -> None:
        """Compare the ledger with itself and with what the database really has."""
        self.settle()
        assert until(self._is_balanced), (
            self.diagnostics()["ledger"],
            self.stored(),
        )

    def _sent(self, expected: list[Expected]) -> list[Expected]:
        if not self.numbers_only:
            return expected
        return [numbers for each in expected if (numbers := each.numbers_only())]

    def _is_settled(self) -> bool:
        try:
            health = self.diagnostics()["health"]
        except ApiError:
            return False
        # A process that found nothing to write has not tried yet.
        is_well = health["is_open"] and health["export"]["status"] in {"ok", "starting"}
        backlog = health["pending"] + health["waiting"]
        if is_well and backlog:
            # Points are gathered for some seconds; what comes back by itself is left to do so.
            self.api.call_service(DOMAIN, "flush", config_entry=self.entry_id)
        return is_well and not backlog

    def _is_balanced(self) -> bool:
        ledger = self.diagnostics()["ledger"]
        settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
        settled += sum(ledger["lost"].values())
        looked_at = sum(ledger["filtered"].values()) + ledger["deduplicated"] + ledger["captured"]
        return bool(
            ledger["received"] == looked_at
            and ledger["captured"] == settled + ledger["pending"]
            and ledger["written"] == self.stored()
        )


class _Row(NamedTuple):
    """A point as it is compared."""

    time: Any
    entity_id: str
    tags: dict[str, str]
    fields: dict[str, Any]


def _in_order(row: _Row) -> tuple[int, str, str]:
    return row.time, *_who_and_what(row.tags)


def _who_and_what(tags: dict[str, str]) -> tuple[str, str]:
    """Order what is of one millisecond: a registry changes, and so does the state."""
    return tags["entity_id"], tags["event_type"]


@dataclass(slots=True, kw_only=True)
class Installation:
    """Home Assistant and its destinations, one for each server that is there."""

    home: HomeAssistant
    destinations: dict[str, Destination] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        """Home Assistant's interfaces."""
        return self.home.api

    def set_state(self, entity_id: str, state: str, /, **attributes: Any) -> State:
        """Set a state, in a millisecond of its own: VictoriaMetrics knows nothing shorter."""
        time.sleep(0.002)
        told: State = self.api.set_state(entity_id, state, **attributes)
        return told

    def connect(self, server: Server | InfluxDB3, database: str) -> Destination:
        """Set the integration up for a database."""
        result = connect(self.api, address_of(server, database))
        assert result["type"] == "create_entry", result
        entry_id = result["result"]["entry_id"]
        return Destination(server=server, database=database, api=self.api, entry_id=entry_id)

    @contextmanager
    def spare(self, name: str = "influxdb2") -> Iterator[Destination]:
        """Make a database and an entry for it, for as long as the block lasts.

        It is on the server of this name, or on whichever there is.
        """
        if not self.destinations:
            any_database()
        first = next(iter(self.destinations))
        server = self.destinations.get(name, self.destinations[first]).server
        database = f"spare_{next(_numbers)}"
        server.create_database(database)
        destination = self.connect(server, database)
        try:
            yield destination
        finally:
            # Other tests count the destinations, also after one that failed.
            if destination.entry_id in {each["entry_id"] for each in self.api.entries(DOMAIN)}:
                self.api.delete(destination.entry_id)

    def foreign_states(self) -> dict[str, State]:
        """Return the states of all entities but our own."""
        registered = self.api.ws("config/entity_registry/list")
        own = {each["entity_id"] for each in registered if each["platform"] == DOMAIN}
        states = {each["entity_id"]: each for each in self.api.states()}
        return {entity_id: states[entity_id] for entity_id in states.keys() - own}

    def stop_servers(self) -> None:
        """Take every database away."""
        for each in self.destinations.values():
            each.server.stop()

    def start_servers(self) -> None:
        """Bring every database back."""
        for each in self.destinations.values():
            each.server.start()
