"""How well a destination is, and what to say of it."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from ...pipeline.export.export_state import Status
from ...pipeline.export.result import Problem
from ..condition import problem_of
from ..parts import DataApiReading
from ..readings import NO_ANSWER, Reading


class Level(IntEnum):
    """How well something is, the worst last. The names are the words of the API."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2

    @property
    def word(self) -> str:
        """The word of the API."""
        return self.name.lower()


# By the status of the export.
_STATUS: Final[Mapping[str, tuple[Level, str]]] = {
    "ok": (Level.HEALTHY, "accepts points"),
    "starting": (Level.DEGRADED, "is starting"),
    "paused": (Level.DEGRADED, "is paused"),
    "retrying": (Level.UNHEALTHY, "does not accept points"),
    "blocked": (Level.UNHEALTHY, "does not accept points"),
}


def accepts(reading: Reading) -> bool:
    """Whether the database accepted what was sent last."""
    snapshot = reading.snapshot
    return snapshot is not None and snapshot.export.status is Status.OK


def worst(readings: Sequence[Reading]) -> Level:
    """Return the worst of everything; with no destination nothing works."""
    if not readings:
        return Level.UNHEALTHY
    return max(max(database(each)[0], registries(each.data_api)[0]) for each in readings)


def database(reading: Reading) -> tuple[Level, str]:
    """How the delivery to a database is, and what to say of it."""
    snapshot, name = reading.snapshot, reading.name
    if snapshot is None:
        is_late = reading.state == NO_ANSWER
        return Level.UNHEALTHY, f"{name} {'does not answer' if is_late else 'is not loaded'}"
    export = snapshot.export
    if snapshot.is_spool_defect:
        return Level.UNHEALTHY, f"{name} has an error in HA Ingestor: {snapshot.spool_error}"
    if snapshot.spool_error:
        return Level.UNHEALTHY, f"{name} has a problem with its disk"
    if snapshot.unbalanced:
        return Level.UNHEALTHY, f"{name} has counts that do not add up"
    level, said = _STATUS[export.status]
    if (problem := problem_of(snapshot)) != Problem.NONE:
        level, said = max(level, Level.DEGRADED), f"{said}: {problem}"
    return level, f"{name} {said}"


def registries(data_api: DataApiReading | None) -> tuple[Level, str]:
    """How the sync with a data-api is, and what to say of it."""
    if data_api is None or data_api.connected:
        return Level.HEALTHY, "The data-api accepts the registries"
    if data_api.connected is None:
        return Level.DEGRADED, "The data-api was not asked yet"
    return Level.DEGRADED, f"The data-api does not accept the registries: {data_api.problem}"
