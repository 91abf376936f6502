"""Whether the tests cover each module: `python -m scripts.rig.coverage REPORT`.

The report is the JSON of coverage.py. Home Assistant's quality scale wants more than 95 % of every
module, so that a well tested one cannot hide another, and all lines of the config flow.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PERCENT: Final = 95.0
PACKAGE: Final = "custom_components/ha_ingestor/"
WHOLE: Final = (f"{PACKAGE}config_flow.py", f"{PACKAGE}flows/")


def below(report: Mapping[str, Any]) -> dict[str, tuple[float, list[int]]]:
    """Return the modules that are covered too little, with their missing lines."""
    return {
        name: (module["summary"]["percent_covered"], module["missing_lines"])
        for name, module in sorted(report["files"].items())
        if module["summary"]["percent_covered"] <= PERCENT
        or (name.startswith(WHOLE) and module["missing_lines"])
    }


def main(path: Path) -> int:
    """Print what is covered too little; return the exit status."""
    report = json.loads(path.read_text())
    found = below(report)
    for name, (percent, lines) in found.items():
        print(f"{name}: {percent:.1f} % is too little, missing: {lines}")
    total = report["totals"]["percent_covered"]
    print(f"coverage: {total:.1f} % of {len(report['files'])} modules, {len(found)} too little")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
