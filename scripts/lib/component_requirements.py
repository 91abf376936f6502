"""Which packages do Home Assistant's components need? Run by scripts/lock.

`component_requirements.py FILE.in DIRECTORY` reads the `# components:` lines of a requirements
file and writes, for the Home Assistant that it runs with, DIRECTORY/components.in (what those
components and all they depend on require) and DIRECTORY/constraints.txt (the versions that Home
Assistant holds its other packages at).
"""

import json
import re
import sys
from pathlib import Path

from homeassistant import bootstrap

HOME_ASSISTANT = Path(bootstrap.__file__).parent


def component_requirements(components: set[str]) -> set[str]:
    """Return what these components and all that they load or wait for require."""
    requirements: set[str] = set()
    seen: set[str] = set()
    while components := components - seen:
        seen |= components
        wanted: set[str] = set()
        for component in components:
            path = HOME_ASSISTANT / "components" / component / "manifest.json"
            manifest = json.loads(path.read_text("utf-8"))
            requirements.update(manifest.get("requirements", ()))
            wanted.update(manifest.get("dependencies", ()))
            wanted.update(manifest.get("after_dependencies", ()))
        components = wanted
    return requirements


def main(source: Path, directory: Path) -> None:
    """Write both files."""
    lines = re.findall(r"^# components: (.+)$", source.read_text("utf-8"), re.MULTILINE)
    components = {name for line in lines for name in line.split()}
    if "+default" in components:
        components = components - {"+default"} | bootstrap.DEFAULT_INTEGRATIONS
    requirements = sorted(component_requirements(components))
    (directory / "components.in").write_text("\n".join([*requirements, ""]), "utf-8")
    constraints = (HOME_ASSISTANT / "package_constraints.txt").read_text("utf-8")
    (directory / "constraints.txt").write_text(constraints, "utf-8")


main(Path(sys.argv[1]), Path(sys.argv[2]))
