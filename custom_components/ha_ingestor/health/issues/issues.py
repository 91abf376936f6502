"""Repair issues: created and deleted from the health snapshot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOCS_URL, DOMAIN, PANEL_PATH
from ...options.number import grouped
from ...pipeline.export.export_state import Status
from ...pipeline.export.result import Problem
from ...pipeline.snapshot import Snapshot
from ..condition import is_nearly_full
from ..rejected_point import subject_of
from ..texts.own_reasons import async_said
from ..texts.server_text import markdown, plain

DEFAULT_PAGE: Final = "entities.md#repairs"
# From 2026.11 on issues are hidden while their entry is disabled, and go with it.
_KNOWS_ENTRIES: Final = "config_entry_id" in signature(ir.async_create_issue).parameters
# More would be no sentence any more.
_ENTITIES_SHOWN: Final = 10

# Problems that end only when the user changes something, and whether a repair can do it. Refused
# credentials are not here: they have a dialogue of their own, see `credentials`.
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

CREDENTIALS_REFUSED: Final = "credentials_refused"
QUARANTINED: Final = "quarantined"
SPOOL_ERROR: Final = "spool_error"
SPOOL_FULL: Final = "spool_full"
LEDGER_UNBALANCED: Final = "ledger_unbalanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing to repair; the key names its texts, `page` where it is documented.

    It `is_blocking` when nothing goes on until somebody has acted. `view` is the page of the panel
    that shows more of it.
    """

    key: str
    is_fixable: bool = False
    is_blocking: bool = False
    page: str = DEFAULT_PAGE
    view: str = "flow"
    placeholders: Mapping[str, str] = field(default_factory=dict)


def health_issues(snapshot: Snapshot, refused: Sequence[str] = ()) -> list[Issue]:
    """Return the issues of this health; `refused` is what has points in quarantine."""
    found: list[Issue] = []
    export = snapshot.export
    if export.status is Status.BLOCKED and export.problem in BLOCKING_PROBLEMS:
        fixable = BLOCKING_PROBLEMS[export.problem]
        found.append(
            Issue(
                key=export.problem,
                is_fixable=fixable,
                is_blocking=True,
                page="troubleshooting.md#while-it-runs",
                placeholders={"detail": export.detail or "-"},
            )
        )
    if snapshot.spool_error and not snapshot.is_spool_defect:
        found.append(
            Issue(
                key=SPOOL_ERROR,
                is_blocking=True,
                page="troubleshooting.md#while-it-runs",
                placeholders={"detail": snapshot.spool_error},
            )
        )
    if is_nearly_full(snapshot):
        evicted = {"evicted": grouped(snapshot.ledger["evicted"])}
        found.append(Issue(key=SPOOL_FULL, page="options.md#delivery", placeholders=evicted))
    if snapshot.rejection:
        placeholders = {
            "entities": entities_text(refused or [subject_of(snapshot.rejection.line)]),
            "reason": snapshot.rejection.reason,
            "count": grouped(snapshot.ledger["quarantined"]),
        }
        found.append(
            Issue(
                key=QUARANTINED,
                is_fixable=True,
                page="troubleshooting.md#refused-points",
                view="problems",
                placeholders=placeholders,
            )
        )
    if snapshot.unbalanced:
        numbers = {"numbers": snapshot.unbalanced}
        found.append(
            Issue(key=LEDGER_UNBALANCED, page="entities.md#the-ledger", placeholders=numbers)
        )
    return found


def panel_url(view: str, entry_id: str) -> str:
    """Return where the panel shows a destination, for a link in a text."""
    return f"/{PANEL_PATH}/{view}?entry={entry_id}"


def entities_text(entities: Sequence[str]) -> str:
    """Name them in one line."""
    named = ", ".join(entities[:_ENTITIES_SHOWN])
    return f"{named}, \u2026" if len(entities) > _ENTITIES_SHOWN else named


def undecided_issues(snapshot: Snapshot) -> set[str]:
    """Name the issues that are not decided yet after a start or a reload."""
    found: set[str] = set()
    if snapshot.export.status in {Status.STARTING, Status.PAUSED}:
        found |= {*BLOCKING_PROBLEMS, CREDENTIALS_REFUSED}
    if not snapshot.is_open:
        found |= {SPOOL_FULL, LEDGER_UNBALANCED}
        if not snapshot.spool_error:
            found.add(SPOOL_ERROR)
    return found


@callback
def async_update_issues(
    hass: HomeAssistant,
    entry_id: str,
    names: Mapping[str, str],
    found: list[Issue],
    *,
    prefix: str = "",
    undecided: Collection[str] = (),
) -> None:
    """Create these issues of a destination, and delete its others with the same prefix.

    `names` are the `title` of what has them, and placeholders for all texts. A deleted issue loses
    the user's choice to ignore it, so undecided issues stay.
    """
    ours = f"{prefix}{entry_id}_"
    wanted = {ours + issue.key: issue for issue in found}
    of_entry: dict[str, Any] = {"config_entry_id": entry_id} if _KNOWS_ENTRIES else {}
    for issue_id, issue in wanted.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry_id, "problem": issue.key},
            is_fixable=issue.is_fixable,
            severity=ir.IssueSeverity.ERROR if issue.is_blocking else ir.IssueSeverity.WARNING,
            translation_key=issue.key,
            # Titles are shown as they are, and everything else as Markdown.
            translation_placeholders={
                **{
                    name: markdown(async_said(hass, text))
                    for name, text in (*names.items(), *issue.placeholders.items())
                },
                "title": plain(names["title"]),
                "panel": panel_url(issue.view, entry_id),
            },
            learn_more_url=f"{DOCS_URL}{issue.page}",
            **of_entry,
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
