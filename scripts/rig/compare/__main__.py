"""Deliver the same changes with Home Assistant's built-in integration for InfluxDB and with ours.

Two real homes and a real InfluxDB; prints what arrived of the same changes after an ordinary
minute, outages, restarts, kills and refused credentials. Exits with 0 when ours lost nothing
uncounted, with 1 when it did, with 2 when that could not be found out.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ..api import ApiError
from ..configuration import CHECKOUT
from ..databases import DATABASES
from ..destination import WISHES, prepare, reasons
from ..endpoint import RequestError
from ..home_assistant import HASS, HomeAssistant, HomeAssistantError
from ..integration import DOMAIN
from ..interruption import end_in_order
from ..machine import load, processor
from ..progress import step
from ..servers import Server, ServerError
from .credentials import ISSUERS
from .homes import BUILT_IN, OURS, Home
from .report import judge, report
from .scenarios import Outcome, Stage, scenarios

_NAMES: Final = tuple(scenarios(""))
_SLOWEST: Final = 1
_FASTEST: Final = 500
_FAILED: Final = 2
_INTERRUPTED: Final = 130


class CompareError(Exception):
    """It cannot be started; says what to do."""


def main() -> int:
    """Run, and turn what goes wrong into a line and a status."""
    arguments = _arguments()
    end_in_order()
    try:
        # Standard output is for the table alone.
        with redirect_stdout(sys.stderr):
            text, kept = _run(arguments)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return _INTERRUPTED
    except (
        CompareError,
        HomeAssistantError,
        ServerError,
        ApiError,
        RequestError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED
    print(text)
    return 0 if kept else 1


def _run(arguments: argparse.Namespace) -> tuple[str, bool]:
    if not HASS.exists():
        raise CompareError("There is no Home Assistant yet: run scripts/setup runtime")
    # Beside the checkout's other files: a temporary directory may be in memory.
    place = CHECKOUT / ".dev" / "compare"
    place.mkdir(parents=True, exist_ok=True)
    name = _database(arguments.influxdb, place)
    began = time.monotonic()
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=place, delete=not arguments.keep))
        )
        if arguments.keep:
            print(f"  homes, logs and the database are kept in {directory}")
        server = Server(name=name, directory=directory / "database", auth=True)
        stack.callback(server.stop)
        with step(f"InfluxDB {server.version}"):
            server.start()
        homes = [
            Home.make(directory / integration.domain, integration, server)
            for integration in (BUILT_IN, OURS)
        ]
        for home in homes:
            stack.callback(home.assistant.stop)
        stage = Stage(
            server=server,
            built_in=homes[0],
            ours=homes[1],
            rate=arguments.rate,
            max_retries=arguments.max_retries,
        )
        with step("Home Assistant, twice"):
            stage.start()
            stage.connect()
        facts = _facts(server, homes[1].assistant)
        outcomes = _outcomes(stage, arguments.scenarios or _NAMES)
        verdict = judge(outcomes, written=_written(homes[1]), stored=homes[1].points())
        facts["Built-in"] += f", max_retries {arguments.max_retries}"
        facts["Changes"] = f"{arguments.rate:g} per second"
        facts["Took"] = f"{(time.monotonic() - began) / 60:.1f} minutes"
        return report(facts, outcomes, verdict, markdown=arguments.markdown), verdict.kept


def _outcomes(stage: Stage, names: Sequence[str]) -> list[Outcome]:
    known = scenarios(ISSUERS[stage.server.dialect].title)
    outcomes = []
    for name in names:
        with step(known[name].title):
            outcomes.append(stage.run(known[name].title, known[name].happen))
    return [*outcomes, stage.total()]


def _written(home: Home) -> int:
    counts = home.counts()
    if counts is None:
        raise HomeAssistantError("HA Ingestor tells no counts in its diagnostics")
    return counts["written"]


def _database(wish: str, directory: Path) -> str:
    """Return the name of a database of that version that can be started here."""
    names = WISHES[wish]
    for variable in (DATABASES[name].variable for name in names):
        if (path := os.environ.get(variable)) and not Path(path).is_file():
            raise CompareError(f"{variable} is {path}, where there is no file")
    if name := prepare(names, directory):
        return name
    raise CompareError(
        f"There is no InfluxDB {wish} to start:\n{reasons(names)}\n"
        "Make one with: scripts/setup databases\n"
        f"Or name one that you have: {DATABASES[names[0]].variable}=/path/to/influxd "
        f"scripts/compare --influxdb {wish}"
    )


def _facts(server: Server, assistant: HomeAssistant) -> dict[str, str]:
    """Name what it ran on."""
    manifest: Mapping[str, str] = json.loads(
        (CHECKOUT / "custom_components" / DOMAIN / "manifest.json").read_text(encoding="utf-8")
    )
    library = {"v1": "influxdb", "v2": "influxdb-client"}[server.dialect]
    known = assistant.api.request("GET", "/api/config")["version"]
    return {
        "Machine": f"{processor()}, {load()}",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Home Assistant": str(known),
        "InfluxDB": server.version,
        "Built-in": f"of Home Assistant {known}, with {library} {version(library)}",
        "HA Ingestor": f"{manifest['version']}{_commit()}",
    }


def _commit() -> str:
    """Say which commit of the checkout it is, where git can tell."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    except OSError, subprocess.SubprocessError:
        return ""
    return f", commit {told.stdout.strip()}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/compare", description=__doc__)
    parser.add_argument("--influxdb", choices=("1", "2"), default="2", help="2 if not said")
    parser.add_argument(
        "--rate", type=_rate, default=10.0, help="changes per second, 1 to 500; 10 if not said"
    )
    parser.add_argument(
        "--max-retries",
        type=int,
        default=0,
        choices=range(6),
        help="the option of the built-in integration that is only in YAML; 0 if not said, as there",
    )
    parser.add_argument("--markdown", action="store_true", help="print the table for a README")
    parser.add_argument("--keep", action="store_true", help="keep the homes and their logs")
    parser.add_argument(
        "scenarios",
        nargs="*",
        choices=[*_NAMES, []],
        metavar="SCENARIO",
        help=f"{', '.join(_NAMES)}; all when none is named",
    )
    return parser.parse_args()


def _rate(text: str) -> float:
    rate = float(text)
    if not _SLOWEST <= rate <= _FASTEST:
        raise argparse.ArgumentTypeError(f"from {_SLOWEST} to {_FASTEST}")
    return rate


if __name__ == "__main__":
    sys.exit(main())
