"""The output: what was measured, what was wanted, and whether it is."""

import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from scripts.rig.machine import load, processor

_WIDTH: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `met` is None where nothing was promised."""

    what: str
    measured: str = ""
    budget: str = ""
    met: bool | None = None


def at_most(what: str, value: float, limit: float, form: str) -> Row:
    """Judge a value that should be small; `form` takes either number."""
    budget = "≤ " + form.format(limit)
    return Row(what=what, measured=form.format(value), budget=budget, met=value <= limit)


def at_least(what: str, value: float, limit: float, form: str) -> Row:
    """Judge a value that should be large."""
    budget = "≥ " + form.format(limit)
    return Row(what=what, measured=form.format(value), budget=budget, met=value >= limit)


def say(text: str = "") -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show(title: str, rows: Iterable[Row]) -> None:
    """Print one part of the table."""
    say(f"\n{title}")
    for row in rows:
        verdict = {True: "met", False: "NOT MET", None: ""}[row.met]
        say(f"  {row.what:<{_WIDTH}} {row.measured:>16}  {row.budget:<12} {verdict}".rstrip())


def machine() -> str:
    """Describe what it runs on."""
    return (
        f"{processor()}, {load()}; "
        f"Python {platform.python_version()}, Home Assistant {version('homeassistant')}"
    )
