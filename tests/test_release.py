"""A release: the archive as it is made, and the order in which it is published."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from homeassistant.util.yaml import load_yaml_dict

from tests.pages import PACKAGE

ROOT: Final = PACKAGE.parent.parent
VERSION: Final = json.loads((PACKAGE / "manifest.json").read_text())["version"]
HACS: Final = json.loads((ROOT / "hacs.json").read_text())
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def package(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  it is ours
        [ROOT / "scripts" / "package", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="archive")
def _archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that a tag makes."""
    # What Python and editors leave behind is no part of it.
    (PACKAGE / "__pycache__").mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("release")
    made = package(f"v{VERSION}", folder)
    assert made.returncode == 0, made.stderr
    return folder / str(HACS["filename"])


def test_the_archive_has_the_integration_at_its_root_and_the_licence(archive: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        names = set(content.namelist())
        assert content.testzip() is None
        assert json.loads(content.read("manifest.json"))["version"] == VERSION
        assert content.read("LICENSE") == (ROOT / "LICENSE").read_bytes()
        for name in names - {"LICENSE"}:
            assert content.read(name) == (PACKAGE / name).read_bytes()
    assert {"__init__.py", "config_flow.py", "translations/en.json", "brand/icon.png"} <= names
    assert len([name for name in names if name.endswith(".py")]) > 100
    assert not [
        name for name in names if re.search(r"__pycache__|\.pyc|(?:^|/)tests?[_/]|^/|\.\.", name)
    ]


def test_the_same_files_make_the_same_archive(archive: Path, tmp_path: Path) -> None:
    assert package(f"v{VERSION}", tmp_path).returncode == 0
    assert (tmp_path / archive.name).read_bytes() == archive.read_bytes()


@pytest.mark.parametrize("tag", ["v0.0.1", VERSION, f"v{VERSION}-rc1", ""])
def test_another_tag_than_the_version_makes_no_archive(tag: str, tmp_path: Path) -> None:
    made = package(tag, tmp_path)
    assert (made.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "manifest.json says" in made.stderr


def steps() -> list[dict[str, Any]]:
    workflow = load_yaml_dict(str(ROOT / ".github" / "workflows" / "release.yml"))
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {
        "contents": "write",
        "id-token": "write",
        "attestations": "write",
    }
    return list(job["steps"])


def test_it_is_attested_and_attached_to_a_draft_before_it_is_published() -> None:
    told = " ".join(f"{step.get('uses', '')} {step.get('run', '')}" for step in steps())
    order = [
        "scripts/package",
        "actions/attest-build-provenance@",
        "--draft --verify-tag",
        f'gh release upload "$TAG" {HACS["filename"]}',
        "--draft=false",
    ]
    places = [told.index(words) for words in order]
    assert places == sorted(places)
    (attested,) = [step for step in steps() if "attest" in step.get("uses", "")]
    assert attested["with"] == {"subject-path": HACS["filename"]}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text())
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
        assert comment.strip().startswith("# ")
