"""How long work on a full quarantine keeps commits waiting."""

import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.scripted_writer import ScriptedWriter

from .table import Row, at_most

# What a killed process may cost.
_COMMIT_MS: Final = 250
_POINTS: Final = 35_000
_LINE: Final = (
    "home_assistant_events,entity_id=sensor.s{number},domain=sensor,event_type=state_changed "
    'state="{number}",value={number}.0,attributes="{{\\"friendly_name\\":\\"A sensor\\"}}" {number}'
)


def _fill(files: OsFiles) -> None:
    files.names()
    quarantine = Quarantine(files, "a database")
    points = [(number, _LINE.format(number=number)) for number in range(1, _POINTS + 1)]
    for start in range(0, _POINTS, 500):
        quarantine.add_all(points[start : start + 500], status=422, reason="field type conflict")


async def _longest(pipeline: Pipeline, act: Callable[[], Awaitable[Any]]) -> float:
    """Milliseconds for which a job had to wait at most for the spool's thread."""
    longest, is_over = 0.0, Event()

    def probe() -> None:
        nonlocal longest
        while not is_over.wait(0.005):
            began = time.perf_counter()
            pipeline._thread.submit(lambda: None).result()
            longest = max(longest, time.perf_counter() - began)

    thread = Thread(target=probe)
    thread.start()
    try:
        await act()
    finally:
        is_over.set()
        thread.join()
    return 1000 * longest


async def measure(directory: Path) -> Iterable[Row]:
    """Export, replay and purge a quarantine of 13 MB, with a database that cannot be reached."""
    down = Outcome(failure=Failure.UNREACHABLE)
    found = {}
    for name in ("export", "replay", "purge"):
        files = OsFiles(directory / name)
        _fill(files)
        pipeline = build_pipeline(
            profile=HomeIQ(dumps=json_dumps),
            files=files,
            writer=ScriptedWriter(judge=lambda _: down),
            settings=SpoolSettings(),
        )
        pipeline.start()
        await pipeline.commit()
        acts: dict[str, Callable[[], Awaitable[Any]]] = {
            "export": lambda: pipeline.quarantine.newest_records(1000),  # noqa: B023
            "replay": pipeline.quarantine.replay,
            "purge": pipeline.quarantine.purge,
        }
        found[name] = await _longest(pipeline, acts[name])
        await pipeline.stop()
    return [
        at_most(f"{name}: longest wait of a commit", longest, _COMMIT_MS, "{:.0f} ms")
        for name, longest in found.items()
    ]
