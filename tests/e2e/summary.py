"""The last line of a run: which real servers took part, and why the others did not.

A plugin and not a part of `conftest`: with xdist only the workers read that.
"""

from collections.abc import Iterator
from typing import Final

import pytest

EXERCISED: Final = "server exercised"
MISSING: Final = "server missing"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Print, after everything else, what the tests noted about their servers."""
    yield
    noted: dict[str, dict[str, str]] = {EXERCISED: {}, MISSING: {}}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, told in getattr(report, "user_properties", ()):
                if key in noted:
                    name, text = told
                    noted[key][name] = text
    exercised = ", ".join(f"{name} {version}" for name, version in noted[EXERCISED].items())
    missing = ", ".join(f"{name} ({reason})" for name, reason in noted[MISSING].items())
    terminalreporter.write_line(
        f"Real servers exercised: {exercised or 'none'}. Not exercised: {missing or 'none'}."
    )
