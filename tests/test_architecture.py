"""Who may know whom."""

import ast
import re
import sys
import tokenize
from http import HTTPStatus
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "custom_components" / "ha_ingestor"

# Beside the shell, but of use without it.
PLAIN = [
    "enrich/markers.py",
    "registry/model.py",
    "enrich/selection.py",
    "data_api/batches.py",
    "registry/history_rows.py",
    "data_api/known.py",
    "registry/order.py",
    "data_api/pacer.py",
    "data_api/rows.py",
    "registry/schedule.py",
    "data_api/sync.py",
    "data_api/transfer.py",
    "registry/values.py",
    "registry/history_log.py",
]
# What clients know, and the pipeline does not.
FOREIGN = re.compile("http|dialect|influx|victoria", re.IGNORECASE)
# Part of the shell, in the folder of what it keeps.
SHELL = ["metadata_store/keeper.py"]


def imports(file: Path) -> set[str]:
    """Absolute modules that a file imports, relative ones resolved to their package folder."""
    found: set[str] = set()
    folder = file.parent.relative_to(ROOT)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = folder.parts[: len(folder.parts) - node.level + 1] if node.level else ()
            parts = [*(("ha_ingestor", *up) if node.level else ()), *(node.module or "").split(".")]
            found.add(".".join(part for part in parts if part))
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", files("pipeline"), ids=lambda file: file.name)
def test_the_pipeline_knows_only_itself_and_the_standard_library(file: Path) -> None:
    for module in imports(file):
        top = module.split(".")[0]
        assert top in sys.stdlib_module_names or module.startswith("ha_ingestor.pipeline"), module


@pytest.mark.parametrize("file", files("pipeline"), ids=lambda file: file.name)
def test_the_pipeline_names_no_http_status_and_no_kind_of_database(file: Path) -> None:
    with file.open("rb") as content:
        tokens = list(tokenize.tokenize(content.readline))
    names = {token.string for token in tokens if token.type == tokenize.NAME}
    assert not [name for name in names if FOREIGN.search(name)]
    compared = {
        side.value
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant)
    }
    assert not compared & set(HTTPStatus)


@pytest.mark.parametrize("file", files("clients"), ids=lambda file: file.name)
def test_clients_know_no_home_assistant_and_of_ours_only_the_words_of_a_result(file: Path) -> None:
    for module in imports(file):
        assert module.split(".")[0] != "homeassistant", module
        is_ours = module.split(".")[0] == "ha_ingestor"
        is_known = module == "ha_ingestor.pipeline.export.result" or module.startswith(
            "ha_ingestor.clients"
        )
        assert not is_ours or is_known, module


@pytest.mark.parametrize("file", files("metadata_store"), ids=lambda file: file.name)
def test_the_metadata_store_knows_only_itself_and_what_a_home_is(file: Path) -> None:
    if str(file.relative_to(ROOT)) in SHELL:
        return
    for module in imports(file):
        top = module.split(".")[0]
        known = (
            module.startswith("ha_ingestor.metadata_store")
            or module == "ha_ingestor.registry.model"
        )
        assert top in sys.stdlib_module_names or known, module


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_plain_knows_no_home_assistant(name: str) -> None:
    plain = {f"ha_ingestor.{one.removesuffix('.py').replace('/', '.')}" for one in PLAIN}
    for module in imports(ROOT / name):
        is_known = module.startswith("ha_ingestor.pipeline") or module in plain
        assert module.split(".")[0] in sys.stdlib_module_names or is_known, module


@pytest.mark.parametrize("file", files("."), ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_imports_the_composition_root(file: Path) -> None:
    assert "ha_ingestor" not in imports(file)
