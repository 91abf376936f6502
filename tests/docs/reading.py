"""Reading the pages of the documentation."""

import re
from pathlib import Path
from typing import Final

from homeassistant.util.yaml import load_yaml_dict

from tests.pages import PACKAGE

ROOT: Final = PACKAGE.parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
SERVICES: Final = load_yaml_dict(str(PACKAGE / "services.yaml"))

HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (DOCS / name).read_text()


def section(page: str, heading: str) -> str:
    """Return what is below a heading, up to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[1]


def rows(page: str) -> list[list[str]]:
    """Return the cells of all tables."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in cells]


def first(page: str) -> set[str]:
    """Return the first cells of all rows, also those that name several things."""
    return {name.strip() for row in rows(page) for name in row[0].split(",")} | {
        row[0] for row in rows(page)
    }


def anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings."""
    headings = HEADING.findall(FENCE.sub("", file.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
