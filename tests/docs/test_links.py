"""The pages of the documentation hang together."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.pages import PACKAGE

from .reading import DOCS, FENCE, PAGES, ROOT, anchors, text

_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

CODE: Final = {file: ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")}


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


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160


def test_every_page_that_the_code_leads_to_has_the_heading() -> None:
    pages = {
        node.value
        for tree in CODE.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[\w-]+\.md#[\w-]+", node.value)
    }
    assert len(pages) > 5
    for page in pages:
        path, _, anchor = page.partition("#")
        assert anchor in anchors(DOCS / path), page


def test_every_repair_leads_to_a_page() -> None:
    for file, tree in CODE.items():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "ir.async_create_issue":
                assert "learn_more_url" in {each.arg for each in call.keywords}, file
