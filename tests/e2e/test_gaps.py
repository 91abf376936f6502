"""What happened while the destination was disabled, and around kills, is in the database, once."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Final

import pytest

from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import Destination, any_database, until

pytestmark = pytest.mark.timeout(300)

# Of the states that are set by the tests; all others are of Home Assistant itself.
SET: Final = ("sensor.power", "light.lamp")
# Of the statistics, all others are of the demo.
IMPORTED: Final = {"sensor.old_meter": "kWh", "supplier:house": "m³"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A home with a recorder, and its destination."""

    home: HomeAssistant
    destination: Destination

    def change(self, first: int, count: int) -> None:
        """Set states, each in a millisecond of its own."""
        for number in range(first, first + count):
            self.home.api.set_state("sensor.power", str(number), unit_of_measurement="W")
            self.home.api.set_state("light.lamp", ("off", "on")[number % 2], brightness=number)
            time.sleep(0.002)

    def recovery(self) -> Any:
        """Return what the recovery is doing."""
        return self.destination.diagnostics()["health"]["recovery"]

    def fill(self) -> None:
        """Wait until all gaps are filled, and everything is delivered."""
        assert until(lambda: self.recovery()["status"] == "idle"), self.recovery()
        time.sleep(1)
        self.destination.settle()

    def recorded(self) -> list[tuple[str, int, str]]:
        """Return what the recorder has of the states that were set."""
        file = self.home.directory / "home-assistant_v2.db"
        with closing(sqlite3.connect(file)) as recorder:
            found = recorder.execute(
                "SELECT states_meta.entity_id, last_updated_ts, state FROM states"
                " JOIN states_meta USING (metadata_id) WHERE states.state != ''"
            ).fetchall()
        return sorted((name, micros(moment), state) for name, moment, state in found if name in SET)

    def stored(self) -> list[tuple[str, int, str]]:
        """Return the same of the database."""
        return stored(self.destination)


def stored(destination: Destination) -> list[tuple[str, int, str]]:
    """Return the changes of the states that were set."""
    return sorted(
        (point["tags"]["entity_id"], point["time_ns"] // 1000, point["fields"]["state"])
        for point in destination.points()
        if point["tags"]["entity_id"] in SET and point["tags"]["event_type"] == "state_changed"
    )


def hours(destination: Destination) -> list[tuple[str, int, dict[str, Any], str]]:
    """Return the hours of the statistics that were imported by the test."""
    found = destination.server.query_points("home_assistant_statistics", destination.database)
    return sorted(
        (tags["statistic_id"], point["time_ns"], point["fields"], tags["unit"])
        for point in found
        if (tags := point["tags"])["statistic_id"] in IMPORTED
    )


def micros(moment: float) -> int:
    """Round as Home Assistant does."""
    return int(moment) * 1_000_000 + round((moment - int(moment)) * 1_000_000)


@pytest.fixture(name="setting", scope="module")
def _setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    name = any_database(first="influxdb1-debian")
    with ExitStack() as stack:
        server = Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True)
        stack.enter_context(server).start()
        home = HomeAssistant(directory=tmp_path_factory.mktemp("home"), demo=True)
        stack.callback(home.stop)
        home.start()
        entry = connect(home.api, address_of(server, server.database))["result"]
        destination = Destination(
            server=server,
            database=server.database,
            api=home.api,
            entry_id=entry["entry_id"],
        )
        yield Setting(home=home, destination=destination)


def test_a_disabled_destination_gets_what_the_recorder_has_each_change_once(
    setting: Setting,
) -> None:
    """Home Assistant was restarted meanwhile, and killed."""
    home, destination = setting.home, setting.destination
    setting.change(0, 5)
    setting.fill()
    home.api.disable(destination.entry_id)
    setting.change(5, 20)
    home.stop()
    home.start()
    setting.change(25, 20)
    time.sleep(3)  # the recorder commits every second
    home.kill()
    home.start()
    setting.change(45, 20)
    home.api.disable(destination.entry_id, disabled=False)
    setting.change(65, 5)
    setting.fill()

    recorded = setting.recorded()
    assert len(recorded) == 2 * 70
    assert setting.stored() == recorded
    ledger = destination.diagnostics()["ledger"]
    assert ledger["recovered"] >= 2 * 60
    # What was written twice would be counted twice, and stored once.
    destination.assert_balanced()
    in_order = [point for point in destination.points("sensor.power") if "state" in point["fields"]]
    by_run = [
        (point["fields"].get("old_state"), point["fields"]["state"])
        for point in in_order
        if point["tags"]["event_type"] == "state_changed"
    ]
    assert by_run[1:25] == [(str(number - 1), str(number)) for number in range(1, 25)]
    assert by_run[46:] == [(str(number - 1), str(number)) for number in range(46, 70)]


def test_after_a_kill_nothing_is_written_twice(setting: Setting) -> None:
    home, destination = setting.home, setting.destination
    setting.change(100, 50)
    time.sleep(3)
    home.kill()
    home.start()
    setting.change(150, 10)
    setting.fill()
    assert setting.stored() == setting.recorded()
    destination.assert_balanced()


def test_history_is_written_on_demand_and_a_second_time_makes_no_more_points(
    setting: Setting,
) -> None:
    """Into a database of its own, which was not there when it happened."""
    api, server = setting.home.api, setting.destination.server
    server.create_database("later")
    entry = connect(api, address_of(server, "later"))["result"]
    later = Destination(server=server, database="later", api=api, entry_id=entry["entry_id"])
    asked: dict[str, Any] = {"config_entry_id": later.entry_id, "start_time": "2026-01-01 00:00"}

    def write() -> dict[str, Any]:
        api.call_service("ha_ingestor", "backfill", **asked, entities=[*SET])
        assert until(lambda: later.diagnostics()["health"]["backfill"]["status"] == "done")
        later.settle()
        told: dict[str, Any] = later.diagnostics()["health"]["backfill"]
        return told

    told = write()
    recorded = setting.recorded()
    assert told["rows"] >= len(recorded) > 200
    assert stored(later) == recorded
    once = later.points("sensor.power")
    assert write()["points"] == told["points"]
    assert later.points("sensor.power") == once
    assert stored(later) == recorded


def test_long_term_statistics_are_written_on_demand_and_a_second_time_makes_no_more_points(
    setting: Setting,
) -> None:
    """Of years ago, of which the recorder has no states."""
    api, server = setting.home.api, setting.destination.server
    for statistic_id, unit in IMPORTED.items():
        source = "supplier" if ":" in statistic_id else "recorder"
        api.ws(
            "recorder/import_statistics",
            metadata={
                "statistic_id": statistic_id,
                "source": source,
                "name": None,
                "unit_of_measurement": unit,
                "unit_class": "energy" if unit == "kWh" else "volume",
                "mean_type": 0,
                "has_sum": True,
            },
            stats=[
                {"start": f"2024-02-29T{hour:02}:00:00+00:00", "sum": hour / 4, "state": hour}
                for hour in range(24)
            ],
        )
    server.create_database("hours")
    entry = connect(api, address_of(server, "hours"))["result"]
    later = Destination(server=server, database="hours", api=api, entry_id=entry["entry_id"])

    def write() -> Any:
        asked = {"start_time": "2024-02-29 12:00+00:00", "content": ["statistics"]}
        api.call_service("ha_ingestor", "backfill", config_entry_id=later.entry_id, **asked)
        assert until(lambda: later.diagnostics()["health"]["backfill"]["status"] == "done")
        later.settle()
        return later.diagnostics()["health"]["backfill"]

    told = write()
    # 12:00 UTC of that day.
    first = 1_709_208_000 * 10**9
    expected = [
        (name, first + (hour - 12) * 3600 * 10**9, {"sum": hour / 4, "state": float(hour)}, unit)
        for name, unit in IMPORTED.items()
        for hour in range(12, 24)
    ]
    assert hours(later) == expected
    assert told["points"] >= len(expected)
    write()
    assert hours(later) == expected
    ledger = later.diagnostics()["ledger"]
    assert ledger["captured"] == ledger["written"] >= 2 * told["points"]
    assert ledger["recovered"] == 2 * told["points"]
