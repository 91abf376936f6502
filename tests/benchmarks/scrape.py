"""What a scrape of the metrics costs, with every count and histogram filled."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

from custom_components.ha_ingestor.health.http.metrics import metrics
from custom_components.ha_ingestor.health.readings import LOADED, Reading

from .stages import captured, furnished, new_pipeline
from .table import Row, at_most

# Prometheus' own default is a minute, and 15 s what most people set.
EVERY_SECONDS: Final = 15.0
CORE_PERCENT: Final = 1.0

_DESTINATIONS: Final = 2
_SCRAPES_MAX: Final = 200


async def measure(directory: Path, events: int) -> list[Row]:
    """Scrape again and again, while new events have to be committed each time."""
    hass = await furnished(directory)
    state_events = await captured(hass, directory, events)
    pipelines = [new_pipeline(directory / str(number)) for number in range(_DESTINATIONS)]
    for pipeline in pipelines:
        pipeline.start()
    costs: list[float] = []
    size = 0
    for number in range(min(events, _SCRAPES_MAX)):
        for pipeline in pipelines:
            pipeline.receive(state_events[number % len(state_events)])
        began = time.process_time()
        readings = [
            Reading(
                entry_id=str(index),
                title="Bench",
                name=f"Bench {index}",
                state=LOADED,
                snapshot=await pipeline.snapshot(),
            )
            for index, pipeline in enumerate(pipelines)
        ]
        size = len(await asyncio.to_thread(metrics, readings, "0.0.0"))
        costs.append(time.process_time() - began)
    for pipeline in pipelines:
        await pipeline.stop()
    await hass.async_stop(force=True)
    cost = statistics.median(costs)
    what = f"scraped every {EVERY_SECONDS:.0f} s, of a core"
    return [
        Row(
            what=f"a scrape of {_DESTINATIONS} destinations, {size} bytes, best "
            f"{min(costs) * 1000:.2f}",
            measured=f"{cost * 1000:.2f} ms",
        ),
        at_most(what, 100 * cost / EVERY_SECONDS, CORE_PERCENT, "{:.3f} %"),
    ]
