"""The pages of the documentation hang together."""

import re
from pathlib import Path
from typing import Final

import pytest

from .reading import DOCS, FENCE, PAGES, ROOT, anchors, text

_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_link_leads_to_a_page_and_a_heading_that_are_there(file: Path) -> None:
    for link in _LINK.findall(FENCE.sub("", file.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    linked = set(_LINK.findall(text("README.md")))
    assert {file.name for file in DOCS.glob("*.md")} - linked == {"README.md"}


def test_the_introduction_stays_one() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160
