"""The real databases that tests write to, an MQTT broker, and where their executables are.

`python -m scripts.rig.databases [--within SECONDS] [NAME…]` makes those that are not there yet.
An executable is looked for in this order: the environment (`HA_INGESTOR_INFLUXD2=/a/path`), the
user's cache, the PATH. That there is none is an answer, with a reason, and not an error.
"""

import argparse
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from .recipes import LIBRARIES, DebianPackage, GoModule, Recipe, Workplace

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ha-ingestor"
LOGS: Final = Path(__file__).parents[2] / ".dev" / "logs"

type Dialect = Literal["v1", "v2", "victoriametrics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """There is no executable; the reason completes a sentence that begins with its name."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server in a version, and how to get it."""

    name: str
    version: str
    executable: str
    recipe: Recipe
    # What a version on the PATH has to begin with to stand in for ours.
    series: str

    @property
    def variable(self) -> str:
        """The environment variable that names an executable."""
        server = self.name.upper().replace("-", "_").replace("INFLUXDB", "INFLUXD")
        return f"HA_INGESTOR_{server}"

    @property
    def key(self) -> str:
        """What the cache and the log are called."""
        return f"{self.name}-{self.version}"

    @property
    def cached(self) -> Path:
        """Where the executable is once it was made."""
        return CACHE / self.key / self.executable

    @property
    def log(self) -> Path:
        """What was said when it was made the last time."""
        return LOGS / f"{self.key}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Program):
    """A database."""

    dialect: Dialect


# In the order in which they are made: what unpacks in seconds, what most people run, the rest.
_TABLE: Final = (
    Database(
        name="influxdb1-debian",
        version="1.6.7",
        dialect="v1",
        executable="influxd",
        series="1.6.",
        recipe=DebianPackage(suite="bookworm", package="influxdb", path="usr/bin/influxd"),
    ),
    Database(
        name="victoriametrics-debian",
        version="1.79.5",
        dialect="victoriametrics",
        executable="victoria-metrics",
        series="1.79.",
        recipe=DebianPackage(
            suite="bookworm", package="victoria-metrics", path="usr/bin/victoria-metrics"
        ),
    ),
    Database(
        name="influxdb2",
        version="2.7.12",
        dialect="v2",
        executable="influxd",
        series="2.",
        recipe=GoModule(
            module="github.com/influxdata/influxdb/v2",
            version="v2.7.12",
            package="./cmd/influxd",
            version_variable="main.version",
            tags="sqlite_foreign_keys,sqlite_json",
            with_flux=True,
        ),
    ),
    Database(
        name="victoriametrics",
        version="1.150.0",
        dialect="victoriametrics",
        executable="victoria-metrics",
        series="1.1",
        recipe=GoModule(
            module="github.com/VictoriaMetrics/VictoriaMetrics",
            version="v1.150.0",
            package="./app/victoria-metrics",
            version_variable="github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version",
        ),
    ),
    Database(
        name="influxdb1",
        version="1.13.2",
        dialect="v1",
        executable="influxd",
        series="1.",
        recipe=GoModule(
            module="github.com/influxdata/influxdb",
            version="v1.13.2",
            package="./cmd/influxd",
            version_variable="main.version",
            with_flux=True,
        ),
    ),
)
DATABASES: Final = {database.name: database for database in _TABLE}
BROKER: Final = Program(
    name="mosquitto",
    version="2.0.11",
    executable="mosquitto",
    series="2.",
    recipe=DebianPackage(
        suite="bookworm",
        package="mosquitto",
        path="usr/sbin/mosquitto",
        # Those that not every Debian has.
        libraries=("libdlt2", "libwrap0"),
    ),
)
PROGRAMS: Final[dict[str, Program]] = {BROKER.name: BROKER, **DATABASES}


def binary(name: str) -> Path | Unavailable:
    """Return the executable if there is one; makes nothing, so a test may ask."""
    program = PROGRAMS[name]
    if named := os.environ.get(program.variable):
        return Path(named) if Path(named).is_file() else Unavailable(reason=f"not at {named}")
    if program.cached.is_file():
        return program.cached
    if (found := _on_path(program)) is not None:
        return found
    if lacking := program.recipe.missing():
        return Unavailable(reason=lacking)
    with suppress(FileNotFoundError):
        return Unavailable(reason=_reason_file(program).read_text())
    return Unavailable(reason="not made yet: scripts/setup databases")


def obtain(name: str, *, deadline: float | None = None) -> Path | Unavailable:
    """Return the executable, making it when there is none."""
    program = PROGRAMS[name]
    LOGS.mkdir(parents=True, exist_ok=True)
    program.cached.parent.parent.mkdir(parents=True, exist_ok=True)
    with _turn(program):
        found = binary(name)
        if not isinstance(found, Unavailable) or program.recipe.missing():
            return found
        reason = _make(program, deadline)
        if reason:
            _reason_file(program).write_text(reason)
        else:
            _reason_file(program).unlink(missing_ok=True)
    return binary(name)


def _make(program: Program, deadline: float | None) -> str:
    """Make the executable; returns why not."""
    home = program.cached.parent
    for abandoned in home.parent.glob(f"{home.name}.*/"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=home.parent) as directory,
        program.log.open("wb") as log,
    ):
        place = Workplace(directory=Path(directory), log=log, deadline=deadline)
        try:
            made = program.recipe.make(place)
            (place.directory / "home").mkdir()
            made.chmod(0o755)
            made.rename(place.directory / "home" / program.executable)
            with suppress(FileNotFoundError):
                (place.directory / LIBRARIES).rename(place.directory / "home" / LIBRARIES)
            # Last and at once: what has the final name is complete.
            shutil.rmtree(home, ignore_errors=True)
            (place.directory / "home").rename(home)
        except subprocess.TimeoutExpired:
            return "its build takes longer than a test run: scripts/setup databases"
        except (OSError, subprocess.SubprocessError) as error:
            log.write(f"\n{error}\n{getattr(error, 'stderr', None) or ''}\n".encode())
            return f"could not be made: {program.log.relative_to(LOGS.parents[1])}"
    return ""


@contextmanager
def _turn(program: Program) -> Iterator[None]:
    """Let only one process at a time make a program."""
    with (CACHE / f"{program.key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _reason_file(program: Program) -> Path:
    return program.log.with_suffix(".reason")


def _on_path(program: Program) -> Path | None:
    found = shutil.which(program.executable)
    if found and version_of(Path(found)).startswith(program.series):
        return Path(found)
    return None


def version_of(executable: Path) -> str:
    """Return the version that an executable says it has, empty if it says none."""
    # Not one way for both: VictoriaMetrics would take the word for nothing, and start.
    option = "version" if executable.name.startswith("influxd") else "--version"
    with suppress(OSError, subprocess.TimeoutExpired):
        told = subprocess.run(
            [executable, option], capture_output=True, text=True, timeout=10, check=False
        )
        if match := re.search(r"\d+\.\d+\.\d+", told.stdout + told.stderr):
            return match[0]
    return ""


def main() -> None:
    """Make what is missing, and say for each what it was."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", choices=[*PROGRAMS, []], metavar="NAME")
    parser.add_argument("--within", type=float, metavar="SECONDS", help="stop building after that")
    arguments = parser.parse_args()
    # As after Ctrl-C: what was started ends with us, and what is half done is cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    deadline = began + arguments.within if arguments.within else None
    for name in arguments.names or PROGRAMS:
        started = time.monotonic()
        sys.stdout.write(f"  {name} {PROGRAMS[name].version} …")
        sys.stdout.flush()
        found = obtain(name, deadline=deadline)
        told = f"not available, {found.reason}" if isinstance(found, Unavailable) else str(found)
        print(f" {time.monotonic() - started:.0f} s: {told}")


if __name__ == "__main__":
    main()
