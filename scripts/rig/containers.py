"""Databases in containers, wrapped as executables that `servers` can start."""

import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ENGINES: Final = ("docker", "podman")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image, and what to start in it."""

    reference: str
    entrypoint: str


IMAGES: Final = {
    "influxdb2": Image(reference="influxdb:2.7", entrypoint="influxd"),
    "influxdb1": Image(reference="influxdb:1.11", entrypoint="influxd"),
    "victoriametrics": Image(
        reference="victoriametrics/victoria-metrics:latest", entrypoint="/victoria-metrics-prod"
    ),
}


def find_engine() -> str | None:
    """Return a container engine whose daemon answers."""
    for engine in filter(shutil.which, _ENGINES):
        with suppress(subprocess.SubprocessError):
            subprocess.run([engine, "info"], check=True, capture_output=True, timeout=10)
            return engine
    return None


def pull(engine: str, name: str) -> None:
    """Download an image; raises what a failing command raises."""
    command = [engine, "pull", IMAGES[name].reference]
    subprocess.run(command, check=True, capture_output=True, text=True)


def disguise(engine: str, name: str, directory: Path) -> Path:
    """Write an executable that does in a container what the database itself would do.

    The container sees the same directory under the same name, and the network of the machine, so
    that arguments and environment mean the same inside and outside. The engine hands signals on.
    """
    image = IMAGES[name]
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        *(engine, "run", "--rm", "--network=host", f"--user={os.getuid()}:{os.getgid()}"),
        *(f"--volume={directory}:{directory}", f"--entrypoint={image.entrypoint}"),
    ]
    script = directory / "influxd"
    script.write_text(
        "#!/usr/bin/env bash\n"
        "names=($(compgen -e INFLUX))\n"
        f'exec {shlex.join(command)} "${{names[@]/#/--env=}}" {image.reference} "$@"\n'
    )
    script.chmod(0o755)
    return script
