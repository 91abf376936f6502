"""A real Home Assistant tells its health to monitors, to Prometheus, and to a listener."""

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.rig.api import Api, ApiError
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import any_database, until

_SCRAPES: Final = 100
_SCRAPE_SECONDS: Final = 15.0
_CORE_PERCENT: Final = 1.0


class Rig:
    """Home Assistant, its database, and the entry between them."""

    def __init__(self, home: HomeAssistant, database: Server, entry_id: str) -> None:
        self.home, self.database, self.entry_id = home, database, entry_id

    def ask(self, path: str) -> Any:
        return self.home.api.request("GET", f"/api/ha_ingestor/{path}")

    def value(self, name: str, **labels: str) -> float:
        """Scrape, and read the one sample of a name."""
        (found,) = (
            sample.value
            for family in text_string_to_metric_families(self.ask("metrics"))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
        return float(found)

    def is_ready(self) -> bool:
        try:
            return bool(self.ask("ready")["ready"])
        except ApiError as err:
            if err.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return False
            raise


@pytest.fixture(name="rig", scope="module")
def _rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    name = any_database()
    home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"))
    with Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True) as database:
        database.start()
        home.start()
        try:
            result = connect(home.api, address_of(database, database.database))
            yield Rig(home, database, result["result"]["entry_id"])
        finally:
            home.stop()


def test_a_monitor_sees_the_database_go_and_come_back(rig: Rig) -> None:
    assert until(rig.is_ready)
    rig.home.api.set_state("sensor.attic", "21.5")
    health = rig.ask("health")
    assert health["status"] == "healthy"
    assert health["circuit_breaker"]["state"] == "closed"
    assert health["connection"]["failed_connections"] == 0

    rig.database.stop()
    rig.home.api.set_state("sensor.attic", "22.5")
    assert until(lambda: not rig.is_ready())
    assert until(lambda: rig.ask("health")["circuit_breaker"]["state"] in {"open", "half-open"})
    health = rig.ask("health")
    assert health["status"] == "unhealthy"
    assert health["connection"]["failed_connections"] >= 1
    assert rig.ask("health/dependencies")["dependencies"]["influxdb"]["status"] == "unhealthy"
    assert rig.value("ha_ingestor_database_connected") == 0
    assert rig.value("ha_ingestor_points_pending") >= 1
    assert rig.value("ha_ingestor_errors_total", reason="unreachable") >= 1

    rig.database.start()
    rig.home.api.call_service("ha_ingestor", "flush")
    assert until(rig.is_ready)
    assert rig.ask("health")["status"] == "healthy"
    # What waited is in the database, and the histogram of the whole way says how long.
    assert until(lambda: rig.value("ha_ingestor_points_pending") == 0)
    assert rig.value("ha_ingestor_end_to_end_seconds_sum") > 0


def test_the_counts_of_prometheus_are_those_of_the_diagnostics(rig: Rig) -> None:
    for number in range(50):
        rig.home.api.set_state("sensor.attic", str(number))
    rig.home.api.call_service("ha_ingestor", "flush")

    def is_same() -> bool:
        ledger = rig.home.api.diagnostics(rig.entry_id)["data"]["ledger"]
        written = rig.value("ha_ingestor_influxdb_points_written_total")
        received = rig.value("ha_ingestor_events_received_total")
        return bool((written, received) == (ledger["written"], ledger["received"]))

    assert until(is_same)
    assert rig.value("ha_ingestor_ledger_balanced") == 1


def test_a_scrape_every_fifteen_seconds_costs_less_than_a_hundredth_of_a_core(rig: Rig) -> None:
    process = rig.home._process
    assert process

    def processor_seconds() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def spent(scrapes: int, seconds: float) -> float:
        before, until_then = processor_seconds(), time.monotonic() + seconds
        for _ in range(scrapes):
            rig.ask("metrics")
        time.sleep(max(until_then - time.monotonic(), 0.0))
        return processor_seconds() - before

    rest, busy = spent(0, 5.0), spent(_SCRAPES, 5.0)
    milliseconds = (busy - rest) / _SCRAPES * 1000
    percent = milliseconds / 10 / _SCRAPE_SECONDS
    print(f"a scrape costs {milliseconds:.2f} ms, which is {percent:.3f} % of a core")  # noqa: T201
    assert percent < _CORE_PERCENT


async def _listen(api: Api, change: Any) -> list[dict[str, Any]]:
    """Subscribe to points, let something change, and return what was told until it was."""
    told: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}/api/websocket", max_msg_size=0) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": api.token})
        assert (await socket.receive_json())["type"] == "auth_ok"
        wanted = {"type": "ha_ingestor/subscribe_points", "entity_id": "sensor.cellar"}
        await socket.send_json({"id": 1, **wanted})
        assert (await socket.receive_json())["success"]
        while not any(each["points"] for each in told):
            told.append((await socket.receive_json())["event"])
            if len(told) == 1:
                await asyncio.to_thread(change)
    return told


def test_a_listener_hears_of_points_also_after_a_reload(rig: Rig) -> None:
    def change() -> None:
        rig.home.api.reload(rig.entry_id)
        for number in range(200):
            rig.home.api.set_state("sensor.cellar", str(number))
        rig.home.api.set_state("sensor.kitchen", "1")

    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(asyncio.run, _listen(rig.home.api, change)).result()
    states = [each["destinations"][0]["state"] for each in told]
    assert states[0] == "loaded"
    assert states[-1] == "loaded"
    assert set(states) > {"loaded"}
    points = [point for each in told for point in each["points"]]
    assert {point["entity_id"] for point in points} == {"sensor.cellar"}


def test_the_system_information_has_a_section_of_the_integration(rig: Rig) -> None:
    with ThreadPoolExecutor(1) as executor:
        info = executor.submit(asyncio.run, _system_information(rig.home.api)).result()
    assert info["can_reach_server"] == "ok"
    assert info["delivery"].endswith(": OK")


async def _system_information(api: Api) -> dict[str, Any]:
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}/api/websocket", max_msg_size=0) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": api.token})
        await socket.receive_json()
        await socket.send_json({"id": 1, "type": "system_health/info"})
        info: dict[str, Any] = {}
        while True:
            event = (await socket.receive_json()).get("event", {})
            if event.get("type") == "initial":
                info = event["data"]["ha_ingestor"]["info"]
            elif event.get("type") == "update" and event["domain"] == "ha_ingestor":
                info[event["key"]] = event.get("data", event.get("error"))
            elif event.get("type") == "finish":
                return info
