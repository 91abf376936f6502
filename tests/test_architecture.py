"""Who may know whom: data flows one way, and so do the imports."""

import ast
import re
import sys
import tokenize
from collections.abc import Mapping
from graphlib import TopologicalSorter
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent / "custom_components" / "ha_ingestor"
PACKAGE: Final = "ha_ingestor"

_PIPELINE_WORDS: Final = (
    *("clock", "files", "histogram", "ledger", "memory", "model", "rate", "slices", "text"),
)
# The pipeline's words: what every part of it may know of the others.
WORDS: Final = {f"pipeline/{name}" for name in _PIPELINE_WORDS}
# Modules of the root that the folders may know. The rest of the root knows the folders.
BASE: Final = {"connection", "const", "coordinator"}
# Names that clients know, and the pipeline does not.
FOREIGN: Final = re.compile("http|dialect|influx|victoria", re.IGNORECASE)
# Beside Home Assistant, but of use without it: of others' packages only what it brings anyway.
PLAIN: Final = (
    *("data_api/batches", "data_api/sent_rows", "data_api/rate_limiter", "data_api/rows"),
    *("data_api/missing_devices", "data_api/requests", "data_api/schedule", "data_api/sync"),
    "data_api/transfer",
    *("enrich/markers", "enrich/selection"),
    *("registry/history_log", "registry/history_rows", "registry/model", "registry/order"),
    *("registry/schedule", "registry/values"),
    *(
        "metadata_store/queries",
        "metadata_store/listings",
        "metadata_store/changes",
        "metadata_store/rows",
    ),
    *("metadata_store/schema", "metadata_store/store"),
)

# What each folder may import beside itself, the words above and those of BASE, by the direction in
# which data flow. A new folder needs a line.
ARROWS: Final[Mapping[str, set[str]]] = {
    "pipeline/spool/segments": set(),
    "pipeline/spool/quarantine": set(),
    "pipeline/spool": {"pipeline/spool/segments", "pipeline/spool/quarantine"},
    "pipeline/encode/privacy": set(),
    "pipeline/encode": {"pipeline/encode/privacy"},
    "pipeline/encode/profiles": {"pipeline/encode", "pipeline/encode/privacy"},
    "pipeline/filter": {"pipeline/encode"},
    "pipeline/export": {"pipeline/spool", "pipeline/spool/quarantine"},
    "pipeline": {
        *("pipeline/spool", "pipeline/spool/quarantine", "pipeline/encode", "pipeline/filter"),
        "pipeline/export",
    },
    "clients": set(),
    "clients/influx": {"clients", "pipeline/export"},
    "clients/data_api": {"clients", "pipeline/export"},
    "clients/homeassistant": {"clients"},
    "tasks": set(),
    "enrich": {"tasks", "pipeline/encode"},
    "sources": {"enrich", "tasks", "pipeline", "pipeline/encode", "pipeline/filter"},
    "sources/recorder": {
        *("sources", "enrich", "tasks", "pipeline", "pipeline/encode", "pipeline/filter"),
    },
    "sources/remote": {
        *("sources", "enrich", "tasks", "options", "health/issues", "health/texts"),
        *("clients", "clients/homeassistant"),
        *("pipeline", "pipeline/encode", "pipeline/export", "pipeline/filter", "sources/recorder"),
        "registry",
    },
    "sources/mqtt": {
        *("sources", "options", "health/issues", "pipeline", "pipeline/encode"),
    },
    "options": {
        "clients/homeassistant",
        *("enrich", "clients/data_api", "pipeline/encode", "pipeline/encode/privacy"),
        *("pipeline/encode/profiles", "pipeline/export", "pipeline/filter", "pipeline/spool"),
        "pipeline/spool/segments",
    },
    "health/texts": {"clients", "pipeline/encode/privacy", "pipeline/export"},
    "health": {
        *("health/texts", "clients/influx", "pipeline", "pipeline/encode", "pipeline/export"),
        *("pipeline/spool/quarantine", "enrich", "options", "tasks", "metadata_store"),
    },
    "health/issues": {
        *("health", "health/texts", "options", "clients/homeassistant", "clients/influx"),
        *("pipeline", "pipeline/export"),
    },
    "health/http": {"health", "pipeline", "pipeline/export"},
    "health/websocket": {
        *("health", "health/texts", "enrich", "options", "pipeline", "pipeline/encode"),
        "pipeline/spool/quarantine",
    },
    "registry": {
        *("enrich", "tasks", "options", "clients/homeassistant", "pipeline", "pipeline/encode"),
        "pipeline/encode/privacy",
    },
    "metadata_store": {"registry"},
    "data_api": {
        *("registry", "options", "health/issues", "clients", "clients/data_api"),
        "pipeline/export",
    },
    "entities": {
        *("actions", "data_api", "sources/mqtt", "sources/remote"),
        *("health", "health/issues", "health/texts", "pipeline", "pipeline/export"),
    },
    "destination": {
        *("clients", "clients/influx", "data_api", "enrich", "health", "health/issues"),
        *("health/texts", "metadata_store", "options"),
        *("pipeline", "pipeline/filter", "pipeline/spool", "registry", "sources", "sources/remote"),
        *("sources/mqtt", "sources/recorder"),
    },
    "flows": {
        *("options", "health", "health/issues", "health/texts", "enrich", "tasks"),
        *("clients", "clients/influx"),
        *("clients/homeassistant", "actions", "pipeline"),
        *("pipeline/encode", "pipeline/encode/privacy", "pipeline/encode/profiles"),
        *("pipeline/export", "sources/mqtt", "sources/recorder"),
    },
    "actions": {
        *("health", "health/texts", "sources", "sources/recorder"),
        "pipeline/encode",
    },
    "repair_flows": {
        *("flows", "health", "health/issues", "health/texts", "options", "tasks"),
        *("clients/homeassistant", "pipeline/export"),
    },
}


def module_of(file: Path) -> str:
    """Name a module by its path."""
    path = file.relative_to(ROOT).with_suffix("")
    return str(path.parent if path.name == "__init__" else path)


MODULES: Final = {module_of(file): file for file in sorted(ROOT.rglob("*.py"))}


def folder_of(module: str) -> str:
    """Name the folder of a module, which a package is itself."""
    if MODULES[module].name == "__init__.py":
        return module
    return module.rpartition("/")[0]


def imports(module: str) -> tuple[set[str], set[str]]:
    """Find what a module imports: modules of ours, and the names of others' packages."""
    ours: set[str] = set()
    others: set[str] = set()
    package = MODULES[module].parent.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            others.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = "/".join(
                (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
            )
            base = base.strip("/") or "."
            for alias in node.names:
                name = f"{base}/{alias.name}".removeprefix("./")
                ours.add(name if name in MODULES else base)
    return ours, others


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_data(module: str) -> None:
    folder = folder_of(module)
    if folder in {".", ""}:
        return
    allowed = ARROWS[folder]
    for other in imports(module)[0]:
        target = folder_of(other)
        is_word = other in WORDS or (
            other in BASE and not folder.startswith(("pipeline", "clients"))
        )
        assert target == folder or is_word or target in allowed, f"{module} imports {other}"


def test_the_allowed_imports_have_no_cycle() -> None:
    tuple(TopologicalSorter(ARROWS).static_order())  # raises CycleError


def test_every_folder_has_a_line_in_the_table_of_imports() -> None:
    folders = {folder_of(module) for module in MODULES} - {".", ""}
    assert folders == set(ARROWS)


@pytest.mark.parametrize("folder", ARROWS)
def test_what_a_folder_may_import_it_does_import(folder: str) -> None:
    of_folder = [module for module in MODULES if folder_of(module) == folder]
    used = {folder_of(other) for module in of_folder for other in imports(module)[0]}
    assert ARROWS[folder] <= used


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("pipeline")])
def test_the_pipeline_knows_only_itself_and_the_standard_library(module: str) -> None:
    assert imports(module)[1] <= sys.stdlib_module_names


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("pipeline")])
def test_the_pipeline_names_no_http_status_and_no_kind_of_database(module: str) -> None:
    file = MODULES[module]
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


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("clients/")])
def test_clients_know_of_the_pipeline_only_the_words_of_a_result(module: str) -> None:
    assert {name for name in imports(module)[0] if not name.startswith("clients")} <= {
        "pipeline/export/result"
    }


@pytest.mark.parametrize("module", PLAIN)
def test_plain_modules_do_not_import_home_assistant(module: str) -> None:
    ours, others = imports(module)
    assert others <= sys.stdlib_module_names | {"orjson"}
    for name in ours:
        assert name in PLAIN or name.startswith(("pipeline", "clients")), name


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("clients")])
def test_clients_do_not_import_home_assistant(module: str) -> None:
    assert "homeassistant" not in imports(module)[1]


def test_nothing_imports_the_composition_root() -> None:
    assert not [module for module in MODULES if "." in imports(module)[0]]
