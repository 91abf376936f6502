"""What it costs to write a long history: `python -m tests.benchmarks.history --states 1000000`.

A real Home Assistant with a generated history in its recorder writes it to a real InfluxDB 2.
Meanwhile the event loop is asked for an answer fifty times a second, from outside, and a state is
set every second, which the recorder has to store.
"""

# ruff: noqa: T201

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import aiohttp

from scripts.rig import servers
from scripts.rig.api import Api
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect

ENTITIES: Final = 200
# What is generated is of the hours before, a second apart.
STEP_SECONDS: Final = 0.02
PING_SECONDS: Final = 0.02
PROBE: Final = "sensor.probe"


def generate(directory: Path, states: int) -> float:
    """Write a history into the recorder of a home that is stopped; returns when it begins."""
    begin = time.time() - states * STEP_SECONDS - 60
    with closing(sqlite3.connect(directory / "home-assistant_v2.db")) as recorder, recorder:
        first = recorder.execute("SELECT max(metadata_id) FROM states_meta").fetchone()[0] + 1
        recorder.executemany(
            "INSERT INTO states_meta (metadata_id, entity_id) VALUES (?, ?)",
            ((first + each, f"sensor.old_{each}") for each in range(ENTITIES)),
        )
        attributes = recorder.execute(
            "INSERT INTO state_attributes (hash, shared_attrs) VALUES (1, ?)",
            ('{"unit_of_measurement":"W","device_class":"power","friendly_name":"Old"}',),
        ).lastrowid
        recorder.executemany(
            "INSERT INTO states (metadata_id, attributes_id, state, last_updated_ts,"
            " context_id_bin, origin_idx) VALUES (?, ?, ?, ?, ?, 0)",
            (
                (
                    *(first + number % ENTITIES, attributes, str(number / 8)),
                    *(begin + number * STEP_SECONDS, number.to_bytes(16)),
                )
                for number in range(states)
            ),
        )
    return begin


async def ping(api: Api, waits: list[tuple[float, float]], stopping: threading.Event) -> None:
    """Ask the event loop for an answer again and again."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}/api/websocket") as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": api.token})
        await socket.receive_json()
        number = 0
        while not stopping.is_set():
            number += 1
            began = time.perf_counter()
            await socket.send_json({"id": number, "type": "ping"})
            await socket.receive_json()
            waits.append((time.time(), time.perf_counter() - began))
            await asyncio.sleep(PING_SECONDS)


def probe(home: HomeAssistant, delays: list[float], stopping: threading.Event) -> None:
    """Set a state, and wait until the recorder has stored it."""
    file = home.directory / "home-assistant_v2.db"
    number = 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as recorder:
        while not stopping.wait(1.0):
            number += 1
            began = time.perf_counter()
            home.api.set_state(PROBE, str(number))
            while not _is_stored(recorder, number):
                time.sleep(0.02)
            delays.append(time.perf_counter() - began)


def _is_stored(recorder: sqlite3.Connection, number: int) -> bool:
    query = (
        "SELECT state FROM states JOIN states_meta USING (metadata_id)"
        " WHERE states_meta.entity_id = ? ORDER BY last_updated_ts DESC LIMIT 1"
    )
    found = recorder.execute(query, (PROBE,)).fetchone()
    return bool(found and found[0] == str(number))


def memory(home: HomeAssistant) -> float:
    """Return the resident memory of a home in megabytes."""
    assert home._process
    status = Path(f"/proc/{home._process.pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def show(title: str, waits: list[tuple[float, float]], delays: list[float]) -> None:
    """Print the waits of a phase."""
    seconds = sorted(wait for _, wait in waits)
    p99 = seconds[int(len(seconds) * 0.99)]
    longest = sorted(waits, key=lambda each: -each[1])[:5]
    at = ", ".join(f"{1000 * wait:.0f} ms at {moment:.1f}" for moment, wait in longest)
    print(
        f"{title}: answer median {1000 * statistics.median(seconds):.1f} ms, p99"
        f" {1000 * p99:.1f} ms, longest {at}; recorder stored after median"
        f" {statistics.median(delays):.2f} s, at most {max(delays):.2f} s"
    )


def run(directory: Path, states: int) -> None:
    """Measure a quiet home, and then one that writes its history."""
    with ExitStack() as stack:
        server = stack.enter_context(servers.start("influxdb2", directory / "influxdb2"))
        (directory / "home").mkdir()
        home = HomeAssistant(directory=directory / "home")
        stack.callback(home.stop)
        home.start()
        entry = connect(home.api, address_of(server, server.database))["result"]
        home.stop()
        begin = generate(home.directory, states)
        home.start()
        time.sleep(10)

        def status() -> Any:
            return home.api.diagnostics(entry["entry_id"])["data"]["health"]["backfill"]

        waits: list[tuple[float, float]] = []
        delays: list[float] = []
        stopping = threading.Event()
        threads = [
            threading.Thread(target=lambda: asyncio.run(ping(home.api, waits, stopping))),
            threading.Thread(target=probe, args=(home, delays, stopping)),
        ]
        for each in threads:
            each.start()
        time.sleep(20)
        show("before", waits, delays)
        waits.clear()
        delays.clear()
        before, began, most = memory(home), time.monotonic(), 0.0
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(begin - 1))
        home.api.call_service(
            DOMAIN, "backfill", config_entry_id=entry["entry_id"], start_time=start
        )
        print(f"begun at {time.time():.1f}", flush=True)
        while (told := status())["status"] != "done":
            most = max(most, memory(home))
            time.sleep(5)
        spent = time.monotonic() - began
        stopping.set()
        for each in threads:
            each.join()
        show("meanwhile", waits, delays)
        print(
            f"{told['points']} points of {told['rows']} rows in {spent:.0f} s:"
            f" {told['points'] / spent:.0f} a second; memory {before:.0f} MB before,"
            f" {most:.0f} MB at most"
        )


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.history", description=__doc__)
    parser.add_argument("--states", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        run(Path(directory), arguments.states)
    return 0


if __name__ == "__main__":
    sys.exit(main())
