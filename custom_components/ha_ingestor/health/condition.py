"""How a destination does, in one word, and what is wrong, in another."""

from enum import StrEnum
from typing import Final

from ..pipeline.export.export_state import Status
from ..pipeline.export.result import Problem
from ..pipeline.snapshot import Snapshot

# Early enough to act before the oldest points are evicted.
SPOOL_WARNING: Final = 0.8
# A healthy database answers in a fraction of a second, and one with a slow disk in a few.
UNANSWERED_SECONDS: Final = 5.0

# Beside the status of the export: it delivers, and something is wrong all the same.
DEGRADED: Final = "degraded"
CONDITIONS: Final = (*Status, DEGRADED)


class Concern(StrEnum):
    """What is wrong although points are accepted. The values are translated."""

    NO_ANSWER = "no_answer"
    SPOOL_FULL = "spool_full"
    UNBALANCED = "unbalanced"


PROBLEMS: Final = (*Problem, *Concern)


def problem_of(snapshot: Snapshot) -> str:
    """Return what is wrong now; `none` where nothing is."""
    if snapshot.export.problem is not Problem.NONE:
        return snapshot.export.problem
    if snapshot.spool_error:
        return Problem.INTERNAL_ERROR if snapshot.is_spool_defect else Problem.DISK
    if snapshot.unanswered is not None and snapshot.unanswered >= UNANSWERED_SECONDS:
        return Concern.NO_ANSWER
    if is_nearly_full(snapshot):
        return Concern.SPOOL_FULL
    if snapshot.unbalanced:
        return Concern.UNBALANCED
    return Problem.REJECTED if snapshot.rejection else Problem.NONE


def condition_of(snapshot: Snapshot) -> str:
    """Return the status of the export, or `degraded`."""
    status = snapshot.export.status
    is_degraded = status is Status.OK and problem_of(snapshot) != Problem.NONE
    return DEGRADED if is_degraded else status


def has_problem(snapshot: Snapshot) -> bool | None:
    """Whether anything is wrong; None while nothing is known."""
    if problem_of(snapshot) != Problem.NONE:
        return True
    return None if snapshot.export.status is Status.STARTING else False


def is_nearly_full(snapshot: Snapshot) -> bool:
    """Whether points will soon be evicted, because the spool is full."""
    return snapshot.spool_bytes > snapshot.spool_limit * SPOOL_WARNING
