"""What it costs to write a long history: `python -m tests.benchmarks.history --rows 1000000`.

A real Home Assistant with a generated history in its recorder writes it to a real InfluxDB 2:
states, or with `--content statistics` long-term statistics. Meanwhile the event loop is asked for
an answer fifty times a second, from outside, and a state is set every second, which the recorder
has to store. With `--blocks` the longest turns of the event loop are told as well, without the time
in which another process had the processor, and where they were.
"""

# ruff: noqa: T201

import argparse
import asyncio
import os
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
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.machine import load

from .blocks import rows_of
from .home import LOAD, BenchHome
from .recorded import CONTENTS, generate

PING_SECONDS: Final = 0.02
PROBE: Final = "sensor.probe"
_RECORDER: Final = "recorder:\n  commit_interval: 1\n"


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


def probe(home: BenchHome, delays: list[float], stopping: threading.Event) -> None:
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


def memory(home: BenchHome) -> float:
    """Return the resident memory of a home in megabytes."""
    status = Path(f"/proc/{home.pid}/status").read_text()
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


def run(directory: Path, content: str, rows: int, *, blocks: bool) -> None:
    """Measure a quiet home, and then one that writes its history."""
    with ExitStack() as stack:
        server = stack.enter_context(servers.start("influxdb2", directory / "influxdb2"))
        (directory / "home").mkdir()
        home = BenchHome(directory=directory / "home", more=_RECORDER)
        stack.callback(home.stop)
        home.start()
        home.api.flow(LOAD)
        entry = connect(home.api, address_of(server, server.database))["result"]
        home.stop()
        begin = generate(home.directory, content, rows)
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
        show(f"before, {load()}", waits, delays)
        waits.clear()
        delays.clear()
        if blocks:
            home.observe("blocks")
        before, spent, began, most = memory(home), used(home), time.monotonic(), 0.0
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(begin - 1))
        home.api.call_service(
            *(DOMAIN, "backfill"),
            config_entry_id=entry["entry_id"],
            start_time=start,
            content=[content],
        )
        print(f"begun at {time.time():.1f}", flush=True)
        while (told := status())["status"] != "done":
            most = max(most, memory(home))
            time.sleep(5)
        seconds, spent = time.monotonic() - began, used(home) - spent
        observed = home.observed() if blocks else {}
        stopping.set()
        for each in threads:
            each.join()
        show(f"meanwhile, {load()}", waits, delays)
        print(
            f"{told['points']} points of {told['rows']} rows in {seconds:.0f} s:"
            f" {told['points'] / seconds:.0f} a second, {1e6 * spent / told['rows']:.0f} µs of the"
            f" processor each; memory {before:.0f} MB before, {most:.0f} MB at most"
        )
        if blocks:
            turns, full = observed["turns"], observed["full_collections_ms"]
            print("\n".join(f"{each.what} {each.measured}" for each in rows_of(content, [turns])))
            longest = max(full, default=0.0)
            print(f"{len(full)} full collections of garbage, the longest {longest:.0f} ms")


def used(home: BenchHome) -> float:
    """Return how many seconds of the processor a home has used."""
    fields = Path(f"/proc/{home.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.history", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--content", choices=CONTENTS, default="states")
    parser.add_argument("--blocks", action="store_true", help="watch the event loop from within")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        run(Path(directory), arguments.content, arguments.rows, blocks=arguments.blocks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
