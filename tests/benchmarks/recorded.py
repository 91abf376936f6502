"""A long history in the recorder of a home that is stopped: states, or long-term statistics."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

ENTITIES: Final = 200
# What is generated is of the hours before, so far apart.
_STEP_SECONDS: Final = 0.02
_HOUR_SECONDS: Final = 3600.0
_SHARED: Final = '{"unit_of_measurement":"W","device_class":"power","friendly_name":"Old"}'


def states(recorder: sqlite3.Connection, count: int) -> float:
    """Write so many states; returns when they begin."""
    begin = time.time() - count * _STEP_SECONDS - 60
    first = recorder.execute("SELECT max(metadata_id) FROM states_meta").fetchone()[0] + 1
    recorder.executemany(
        "INSERT INTO states_meta (metadata_id, entity_id) VALUES (?, ?)",
        ((first + each, f"sensor.old_{each}") for each in range(ENTITIES)),
    )
    attributes = recorder.execute(
        "INSERT INTO state_attributes (hash, shared_attrs) VALUES (1, ?)", (_SHARED,)
    ).lastrowid
    recorder.executemany(
        "INSERT INTO states (metadata_id, attributes_id, state, last_updated_ts, context_id_bin,"
        " origin_idx) VALUES (?, ?, ?, ?, ?, 0)",
        (
            (
                *(first + number % ENTITIES, attributes, str(number / 8)),
                *(begin + number * _STEP_SECONDS, number.to_bytes(16)),
            )
            for number in range(count)
        ),
    )
    return begin


def statistics(recorder: sqlite3.Connection, count: int) -> float:
    """Write so many hours; returns when they begin."""
    begin = (time.time() // _HOUR_SECONDS - count // ENTITIES - 1) * _HOUR_SECONDS
    first = (recorder.execute("SELECT max(id) FROM statistics_meta").fetchone()[0] or 0) + 1
    recorder.executemany(
        "INSERT INTO statistics_meta (id, statistic_id, source, unit_of_measurement, unit_class,"
        " mean_type, has_sum) VALUES (?, ?, 'recorder', 'W', 'power', 1, 0)",
        ((first + each, f"sensor.old_{each}") for each in range(ENTITIES)),
    )
    recorder.executemany(
        "INSERT INTO statistics (metadata_id, created_ts, start_ts, mean, min, max)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                *(first + number % ENTITIES, begin, begin + number // ENTITIES * _HOUR_SECONDS),
                *(number / 8, number / 9, number / 7),
            )
            for number in range(count)
        ),
    )
    return begin


CONTENTS: Final[Mapping[str, Callable[[sqlite3.Connection, int], float]]] = {
    "states": states,
    "statistics": statistics,
}


def generate(directory: Path, content: str, count: int) -> float:
    """Write so many rows into the recorder of a home; returns when they begin."""
    with closing(sqlite3.connect(directory / "home-assistant_v2.db")) as recorder, recorder:
        return CONTENTS[content](recorder, count)
