"""Who may know whom."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "custom_components" / "ha_ingestor"

# Beside the shell, but of use without it.
PLAIN = [
    "clients/data_api/problem.py",
    "clients/data_api/rows.py",
    "clients/encoding.py",
    "enrich/markers.py",
    "registry/model.py",
    "enrich/selection.py",
    "data_api/batches.py",
    "registry/history_rows.py",
    "data_api/known.py",
    "registry/order.py",
    "data_api/pacer.py",
    "data_api/rows.py",
    "data_api/schedule.py",
    "registry/schedule.py",
    "data_api/sync.py",
    "data_api/transfer.py",
    "registry/values.py",
    "registry/history_log.py",
]
# Part of the shell, in the folder of what it keeps.
SHELL = ["metadata_store/keeper.py"]

# Of others only what Home Assistant brings anyway.
LIBRARY = sys.stdlib_module_names | {"orjson"}
# What is built of everything else.
UP = tuple(
    f"ha_ingestor.{name}"
    for name in ("config_flow", "flows", "repairs", "repair_flows", "sensor", "binary_sensor")
)


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


@pytest.mark.parametrize("file", files("clients"), ids=lambda file: file.name)
def test_clients_know_no_home_assistant(file: Path) -> None:
    for module in imports(file):
        assert module.split(".")[0] != "homeassistant", module
        assert not module.startswith("ha_ingestor.") or module.startswith(
            ("ha_ingestor.pipeline", "ha_ingestor.clients")
        ), module


@pytest.mark.parametrize("file", files("clients/data_api"), ids=lambda file: file.name)
def test_the_client_of_a_data_api_knows_words_of_the_pipeline_and_no_database(file: Path) -> None:
    for module in imports(file):
        is_known = module.startswith(("ha_ingestor.pipeline.export", "ha_ingestor.clients"))
        assert not module.startswith("ha_ingestor.") or is_known, module
        assert not module.startswith("ha_ingestor.clients.influx"), module


@pytest.mark.parametrize("folder", ["data_api", "entities", "registry", "metadata_store"])
def test_nothing_below_the_shell_imports_its_dialogues_or_platforms(folder: str) -> None:
    for file in files(folder):
        for module in imports(file):
            assert not module.startswith(UP), (file, module)


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
        assert top in LIBRARY or known, module


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_plain_knows_no_home_assistant(name: str) -> None:
    plain = {f"ha_ingestor.{one.removesuffix('.py').replace('/', '.')}" for one in PLAIN}
    for module in imports(ROOT / name):
        is_known = module.startswith("ha_ingestor.pipeline") or module in plain
        assert module.split(".")[0] in LIBRARY or is_known, module


@pytest.mark.parametrize("file", files("."), ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_imports_the_composition_root(file: Path) -> None:
    assert "ha_ingestor" not in imports(file)
