"""How the executable of a database is made from what package registries have.

A recipe's `missing` says what this machine lacks for it, and its `make` returns the executable's
path in a directory, or raises what a failing command raises; what the commands say goes to a log.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final, Protocol

# Where a recipe leaves the shared libraries that an executable needs beside the system's, if any.
LIBRARIES: Final = "lib"

UNPACK_DEBIAN: Final = Path(__file__).parents[1] / "lib" / "unpack-debian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where a recipe works: a directory of its own, a log, and until when (`time.monotonic`)."""

    directory: Path
    log: IO[bytes]
    deadline: float | None = None
    environment: Mapping[str, str] | None = None

    def run(self, command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
        """Run a command with everything that it starts; both end with us."""
        process = subprocess.Popen(
            command,
            cwd=cwd or self.directory,
            env=None if self.environment is None else dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(self.deadline and max(0.0, self.deadline - time.monotonic()))
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if status:
            raise subprocess.CalledProcessError(status, [str(word) for word in command])


class Recipe(Protocol):
    """A way to make an executable."""

    def missing(self) -> str | None:
        """Return what this machine lacks, as a sentence's end."""

    def make(self, place: Workplace) -> Path:
        """Make the executable; returns where it is."""


def _lacks(tools: Sequence[str]) -> str | None:
    absent = [tool for tool in tools if shutil.which(tool) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackage:
    """A package of a Debian release, unpacked and not installed, with packages of libraries."""

    suite: str
    package: str
    path: str
    libraries: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """Return what this machine lacks."""
        if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
            return "comes from a Debian package, and this is no Debian"
        return _lacks(["apt-get", "dpkg"])

    def make(self, place: Workplace) -> Path:
        """Unpack it."""
        root = place.directory / "root"
        place.run([UNPACK_DEBIAN, self.suite, root, self.package, *self.libraries])
        if self.libraries:
            (place.directory / LIBRARIES).mkdir()
            for library in root.glob("usr/lib/*/lib*.so.*"):
                library.rename(place.directory / LIBRARIES / library.name)
        return root / self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class GoModule:
    """A Go module, built in a copy of itself, so with the dependencies that its authors chose."""

    module: str
    version: str
    package: str
    version_variable: str
    tags: str = ""
    with_flux: bool = False

    def missing(self) -> str | None:
        """Return what this machine lacks."""
        return _lacks(["go", "cargo", "cc", "pkg-config"] if self.with_flux else ["go", "cc"])

    def make(self, place: Workplace) -> Path:
        """Download and build it."""
        source = place.directory / "source"
        executable = place.directory / "executable"
        environment = os.environ | {"GOFLAGS": "-buildvcs=false"}
        place = replace(place, directory=source, environment=environment)
        self._download(source)
        # Any Go that understands the code will do; not only the one that its authors used.
        place.run(["go", "mod", "edit", "-toolchain=none"])
        if self.with_flux:
            place = self._prepare_flux(place)
        # Only a debugger wants what -dwarf=false, -s and -w leave out, and it costs time.
        linker = f"-s -w -X {self.version_variable}={self.version}"
        command = ["go", "build", "-gcflags=all=-dwarf=false", "-tags", self.tags]
        place.run([*command, "-ldflags", linker, "-o", executable, self.package])
        return executable

    def _download(self, source: Path) -> None:
        told = subprocess.run(
            ["go", "mod", "download", "-json", f"{self.module}@{self.version}"],  # noqa: S607
            cwd=source.parent,
            capture_output=True,
            check=True,
            timeout=300,
        )
        shutil.copytree(json.loads(told.stdout)["Dir"], source)
        for folder, _, names in source.walk():
            folder.chmod(0o755)
            for name in names:
                (folder / name).chmod(0o644)

    def _prepare_flux(self, place: Workplace) -> Workplace:
        """Get ready for the part in Rust, the query language."""
        place.run(["go", "build", "-o", "pkg-config", "github.com/influxdata/pkg-config"])
        # What newer compilers warn of was not known to the authors, who forbid every warning.
        wrapper = place.directory / "rustc-wrapper"
        wrapper.write_text('#!/bin/sh\nexec "$@" --cap-lints=warn\n')
        wrapper.chmod(0o755)
        environment = {
            "PKG_CONFIG": str(place.directory / "pkg-config"),
            "RUSTC_WRAPPER": str(wrapper),
            # Not the old one that its authors pinned.
            "RUSTUP_TOOLCHAIN": os.environ.get("RUSTUP_TOOLCHAIN", "stable"),
            # The build is what takes the time here, not the queries.
            "CARGO_PROFILE_RELEASE_LTO": "off",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
            "CGO_CFLAGS": "-O0 -w",
        }
        return replace(place, environment={**(place.environment or {}), **environment})
