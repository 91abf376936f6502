"""Repair issues: created and deleted from the health snapshot."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..pipeline.export.export_state import Status
from ..pipeline.export.result import Problem
from ..pipeline.snapshot import Snapshot
from .rejected_point import entity_of
from .server_text import markdown, plain

# Early enough to act before the oldest points are evicted.
SPOOL_WARNING: Final = 0.8

# Problems that end only when the user changes something, and whether a repair can do it. Refused
# credentials are not here: they have a dialogue of their own.
BLOCKING_PROBLEMS: Final[Mapping[Problem, bool]] = {
    Problem.FORBIDDEN: False,
    Problem.NOT_A_DATABASE: False,
    Problem.ORG_NOT_FOUND: False,
    Problem.REDIRECT: False,
    Problem.BUCKET_NOT_FOUND: True,
    Problem.DATABASE_NOT_FOUND: True,
    Problem.RETENTION_POLICY_NOT_FOUND: True,
    Problem.REJECTION_SURGE: True,
    Problem.CLOCK_DIFFERS: False,
}

QUARANTINED: Final = "quarantined"
SPOOL_ERROR: Final = "spool_error"
SPOOL_FULL: Final = "spool_full"
LEDGER_UNBALANCED: Final = "ledger_unbalanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing to repair; the key names its texts."""

    key: str
    is_fixable: bool = False
    placeholders: Mapping[str, str] = field(default_factory=dict)


def health_issues(snapshot: Snapshot) -> list[Issue]:
    """Return the issues of this health."""
    found: list[Issue] = []
    export = snapshot.export
    if export.status is Status.BLOCKED and export.problem in BLOCKING_PROBLEMS:
        fixable = BLOCKING_PROBLEMS[export.problem]
        detail = {"detail": export.detail}
        found.append(Issue(key=export.problem, is_fixable=fixable, placeholders=detail))
    if snapshot.spool_error:
        found.append(Issue(key=SPOOL_ERROR, placeholders={"detail": snapshot.spool_error}))
    if snapshot.spool_bytes > snapshot.spool_limit * SPOOL_WARNING:
        evicted = str(snapshot.ledger["evicted"])
        found.append(Issue(key=SPOOL_FULL, placeholders={"evicted": evicted}))
    if snapshot.rejection:
        placeholders = {
            "entity": entity_of(snapshot.rejection) or "?",
            "reason": snapshot.rejection.reason,
            "count": str(snapshot.ledger["quarantined"]),
        }
        found.append(Issue(key=QUARANTINED, is_fixable=True, placeholders=placeholders))
    if snapshot.unbalanced:
        numbers = {"numbers": snapshot.unbalanced}
        found.append(Issue(key=LEDGER_UNBALANCED, placeholders=numbers))
    return found


def undecided_issues(snapshot: Snapshot) -> set[str]:
    """Name the issues that are not decided yet after a start or a reload."""
    found: set[str] = set()
    if snapshot.export.status in {Status.STARTING, Status.PAUSED}:
        found.update(BLOCKING_PROBLEMS)
    if not snapshot.is_open:
        found |= {SPOOL_FULL, LEDGER_UNBALANCED}
        if not snapshot.spool_error:
            found.add(SPOOL_ERROR)
    return found


@callback
def async_update_issues(
    hass: HomeAssistant,
    entry_id: str,
    title: str,
    found: list[Issue],
    *,
    prefix: str = "",
    undecided: Collection[str] = (),
) -> None:
    """Create these issues of a destination, and delete its others with the same prefix.

    A deleted issue loses the user's choice to ignore it, so undecided issues stay.
    """
    ours = f"{prefix}{entry_id}_"
    wanted = {ours + issue.key: issue for issue in found}
    for issue_id, issue in wanted.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry_id, "problem": issue.key},
            is_fixable=issue.is_fixable,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue.key,
            # Titles are shown as they are, and everything else as Markdown.
            translation_placeholders={
                "title": plain(title),
                **{name: markdown(text) for name, text in issue.placeholders.items()},
            },
        )
    registry = ir.async_get(hass)
    kept = {*wanted, *(ours + key for key in undecided)}
    for domain, issue_id in list(registry.issues):
        if domain == DOMAIN and issue_id.startswith(ours) and issue_id not in kept:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_forget(hass: HomeAssistant, entry_id: str) -> None:
    """Delete every issue of a destination."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and entry_id in issue_id:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
