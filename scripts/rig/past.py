"""A week that a destination did not really have, for pictures of its dashboard."""

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from .api import Api

DAYS: Final = 7
HOUR: Final = 3600
# The database was away for four hours, so many days ago.
AWAY: Final = ((1.9, 4.0),)
# Of what has no statistics yet.
_UNITS: Final = {"oldest_age": "s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What the counts were in an hour."""

    start: float
    captured: int
    written: int
    backlog: int
    is_away: bool


def hours(now: float) -> list[Hour]:
    """Make the hours of the week: fewer points by night, none written while the database is away.

    The last whole hour is left to what really happens.
    """
    chance, backlog, made = Random(12), 0, []  # noqa: S311
    begin = now // HOUR * HOUR - DAYS * 24 * HOUR
    for number in range(DAYS * 24 - 1):
        start = begin + number * HOUR
        daylight = 1 - math.cos((number % 24 - 3) / 24 * 2 * math.pi)
        captured = int(2200 + 1400 * daylight + chance.randint(-150, 150))
        is_away = any(
            abs(now - days * 24 * HOUR - start) < length * HOUR / 2 for days, length in AWAY
        )
        backlog += captured
        written = 0 if is_away else backlog
        backlog -= written
        made.append(
            Hour(
                start=start,
                captured=captured,
                written=written,
                backlog=backlog or chance.randint(0, 12),
                is_away=is_away,
            )
        )
    return made


def statistics(made: Sequence[Hour]) -> dict[str, list[dict[str, float]]]:
    """Return the rows of the long-term statistics by the key of the sensor."""
    sums = {"points_captured": 0, "points_written": 0, "points_quarantined": 0}
    rows: dict[str, list[dict[str, float]]] = {key: [] for key in (*sums, "backlog", "oldest_age")}
    for number, hour in enumerate(made):
        sums["points_captured"] += hour.captured
        sums["points_written"] += hour.written
        sums["points_quarantined"] += 3 if number in {40, 41, 90} else 0
        for key, total in sums.items():
            rows[key].append({"start": hour.start, "state": total, "sum": total})
        rows["backlog"].append(
            {
                "start": hour.start,
                "mean": hour.backlog * 0.7,
                "min": 0,
                "max": hour.backlog,
            }
        )
        rows["oldest_age"].append(
            {
                "start": hour.start,
                "mean": 3,
                "min": 0,
                "max": HOUR * hour.backlog / hour.captured if hour.is_away else 5,
            }
        )
    rows["points_evicted"] = [{**row, "state": 0, "sum": 0} for row in rows["points_captured"]]
    rows["points_lost"] = rows["points_evicted"]
    return rows


def import_statistics(api: Api, entities: Mapping[str, str], made: Sequence[Hour]) -> None:
    """Put the statistics into a running Home Assistant."""
    units = {
        each["statistic_id"]: each["statistics_unit_of_measurement"]
        for each in api.ws("recorder/list_statistic_ids")
    }
    for key, rows in statistics(made).items():
        if key not in entities:
            continue
        has_sum = "sum" in rows[0]
        metadata = {
            "has_sum": has_sum,
            "mean_type": 0 if has_sum else 1,
            "name": None,
            "source": "recorder",
            "statistic_id": entities[key],
            "unit_class": None,
            "unit_of_measurement": units.get(
                entities[key], "s" if key == "oldest_age" else "points"
            ),
        }
        stats = [
            {**row, "start": datetime.fromtimestamp(row["start"], UTC).isoformat()} for row in rows
        ]
        api.ws("recorder/import_statistics", metadata=metadata, stats=stats)


def states(made: Sequence[Hour]) -> Iterator[tuple[str, float, Any]]:
    """Yield what the entities said: their key, when, and the state."""
    was_away = None
    for hour in made:
        if hour.is_away != was_away:
            yield "status", hour.start, "retrying" if hour.is_away else "ok"
            yield "database_connected", hour.start, "off" if hour.is_away else "on"
            yield "breaker", hour.start, "open" if hour.is_away else "closed"
        was_away = hour.is_away


def insert_states(directory: Path, entities: Mapping[str, str], made: Sequence[Hour]) -> None:
    """Put states into the recorder of a Home Assistant that is stopped."""
    with closing(sqlite3.connect(directory / "home-assistant_v2.db")) as recorder, recorder:
        for key, moment, state in states(made):
            recorder.execute(
                "INSERT INTO states (metadata_id, state, last_updated_ts, attributes_id) "
                "SELECT m.metadata_id, ?, ?, (SELECT attributes_id FROM states "
                "WHERE metadata_id = m.metadata_id AND attributes_id IS NOT NULL "
                "AND state NOT IN ('unavailable', 'unknown') ORDER BY state_id DESC LIMIT 1) "
                "FROM states_meta m WHERE m.entity_id = ?",
                (str(state), float(moment), entities.get(key)),
            )
