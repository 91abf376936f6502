"""Make the archive of a release: what git has of the integration, and the licence."""

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
INTEGRATION: Final = ROOT / "custom_components" / "ha_ingestor"
# The same files make the same archive, whenever and wherever.
TIME: Final = (1980, 1, 1, 0, 0, 0)
MODE: Final = 0o644 << 16


def check(tag: str) -> None:
    """Exit where the tag is not the version that the files say."""
    manifest = json.loads((INTEGRATION / "manifest.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = {"manifest.json": manifest["version"], "pyproject.toml": project["version"]}
    for file, version in said.items():
        if tag != f"v{version}":
            sys.exit(f"error: the tag is {tag}, and {file} says {version}")


def files() -> dict[str, Path]:
    """Return what belongs into the archive, by its name there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", INTEGRATION],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = [ROOT / name for name in listed.split("\0") if name]
    named = {str(path.relative_to(INTEGRATION)): path for path in found}
    return named | {"LICENSE": ROOT / "LICENSE"}


def main() -> None:
    """Check, and write the archive."""
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: scripts/package TAG [FOLDER]")
    check(sys.argv[1])
    name = json.loads((ROOT / "hacs.json").read_text())["filename"]
    archive = Path(*sys.argv[2:]) / name
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for inside, path in sorted(files().items()):
            entry = zipfile.ZipInfo(inside, TIME)
            entry.external_attr = MODE
            content.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(archive)


if __name__ == "__main__":
    main()
