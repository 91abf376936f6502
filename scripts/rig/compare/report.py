"""The table: what arrived of the same changes, and where our ledger says that the rest is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .scenarios import Outcome
from .tally import ALLOWED_SECONDS, COUNTS, PROMISED_SECONDS, Arrived

type Rows = list[list[str]]

_ARRIVALS: Final = ("arrived", "missing", "doubled")

HOW: Final = """\
Both homes run at the same time, on one database server, each with a database and credentials of
its own. The same numbered changes are made in both at the same moments by a small custom
integration. Both integrations are set up in the user interface, with default settings but for what
is named above. "Missing" is a number that is not in the database after everything has settled,
"doubled" one that is there at two times. The built-in integration sends 100 changes together, or
fewer when none comes for a second. Away is a server that is stopped: connections are refused.
While a database is away, Home Assistant cannot set up the built-in integration and tries again
later; until then it takes no changes. Where that is so when the next line begins, it is set up at
once."""

LEDGER: Final = """\
HA Ingestor and its ledger, which counts all entities of the home and so a little more than the
numbered changes. Each line says by how much the counts rose, and what is pending at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether our integration kept its promise, in words."""

    kept: bool
    lines: tuple[str, ...]


def judge(outcomes: Sequence[Outcome], *, written: int, stored: int) -> Verdict:
    """Say what is missing and not counted, and whether the ledger claims what is not there.

    The last of the outcomes is that of everything together.
    `written` and `stored` are points of all entities: those that the ledger calls written, and
    those that the database holds.
    """
    *parts, total = outcomes
    lines = [line for outcome in parts if (line := _missing(outcome))]
    by_part = sum(outcome.account.uncounted for outcome in parts)
    uncounted = max(by_part, total.account.uncounted)
    lines.append(f"Written according to the ledger: {written}. In the database: {stored}.")
    if stored < written:
        lines.append(f"The ledger counts {written - stored} points as written that are not there.")
    kept = not uncounted and stored >= written
    lines.append(
        "HA Ingestor lost nothing uncounted."
        if kept
        else f"HA Ingestor DID NOT KEEP ITS PROMISE: {uncounted} changes lost and not counted."
    )
    return Verdict(kept=kept, lines=tuple(lines))


def _missing(outcome: Outcome) -> str:
    told = outcome.account
    parts = []
    if told.last_moment:
        parts.append(
            f"{told.last_moment} made up to {told.last_seconds:.2f} s before kill -9 (promised "
            f"{PROMISED_SECONDS:g} s, allowed on a busy machine {ALLOWED_SECONDS:g} s)"
        )
    if told.named:
        parts.append(f"{told.named} that the ledger names")
    if told.uncounted:
        parts.append(f"{told.uncounted} LOST AND NOT COUNTED")
    return f"{outcome.title}: missing from HA Ingestor: {', '.join(parts)}." if parts else ""


def arrivals(outcomes: Iterable[Outcome]) -> Rows:
    """Return the first table, its head included."""
    head = ["", "changes"]
    head += [f"{name} {what}" for name in ("built-in", "HA Ingestor") for what in _ARRIVALS]
    return [head] + [
        [each.title, str(each.ours.made), *_cells(each.built_in), *_cells(each.ours)]
        for each in outcomes
    ]


def _cells(result: Arrived) -> list[str]:
    return [str(result.distinct), str(len(result.missing)), str(result.doubled)]


def ledger(outcomes: Iterable[Outcome]) -> Rows:
    """Return the second table, its head included."""
    head = ["", "changes", "arrived", *(f"ledger {name}" for name in COUNTS)]
    return [head] + [
        [
            each.title,
            str(each.ours.made),
            str(each.ours.distinct),
            *(str(each.counts[name]) for name in COUNTS),
        ]
        for each in outcomes
    ]


def text_table(rows: Rows) -> str:
    """Align the columns: words to the left, numbers to the right."""
    # A head of two words has two lines, and the first is said once.
    head = [title.rpartition(" ")[::2] for title in rows[0]]
    groups = [
        group if group != before else ""
        for (group, _), (before, _) in zip(head, [("", ""), *head], strict=False)
    ]
    lines = [groups, [title for _, title in head], *rows[1:]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown_table(rows: Rows) -> str:
    """Write it as a table of Markdown."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (rows[0], rule, *rows[1:]))


def report(
    facts: Mapping[str, str], outcomes: Sequence[Outcome], verdict: Verdict, *, markdown: bool
) -> str:
    """Put everything together."""
    table: Callable[[Rows], str] = markdown_table if markdown else text_table
    facts_lines = (
        [f"- {name}: {told}" for name, told in facts.items()]
        if markdown
        else [f"{name + ':':<18}{told}" for name, told in facts.items()]
    )
    parts = [
        "\n".join(facts_lines),
        HOW,
        table(arrivals(outcomes)),
        LEDGER,
        table(ledger(outcomes)),
        ("\n\n" if markdown else "\n").join(verdict.lines),
    ]
    return "\n\n".join(parts)
