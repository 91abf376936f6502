"""The database that `scripts/develop` writes to: whichever can be had soonest."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .containers import IMAGES, disguise, find_engine, pull
from .databases import DATABASES, Unavailable, binary, obtain
from .home_assistant import free_port, is_free
from .integration import Address, Addressed
from .progress import step
from .recipes import DebianPackage
from .servers import Server

# The first is what most people run. Without a wish it is InfluxDB, whichever.
WISHES: Final = {
    "": ("influxdb2", "influxdb1", "influxdb1-debian"),
    "1": ("influxdb1", "influxdb1-debian"),
    "2": ("influxdb2",),
    "victoriametrics": ("victoriametrics", "victoriametrics-debian"),
}
# Each its own, so that an entry of an earlier run never finds another database at its address.
_PORTS: Final = {
    "influxdb2": 8086,
    "influxdb1": 8087,
    "influxdb1-debian": 8088,
    "victoriametrics": 8428,
    "victoriametrics-debian": 8429,
}
_VARIABLE: Final = "HA_INGESTOR_DEV_"


class NoDatabaseError(Exception):
    """There is none to be had; says what to do."""


@contextmanager
def destination(wish: str, directory: Path) -> Iterator[Address]:
    """Provide a database for as long as the block lasts."""
    if not wish and (named := from_environment()):
        print(f"  {named.url}, which the environment names")
        yield named
        return
    name = prepare(WISHES[wish], directory)
    if name is None:
        raise NoDatabaseError(
            f"There is no database to write to:\n{reasons(WISHES[wish])}\n"
            "Start one yourself and name it in HA_INGESTOR_DEV_URL, _DIALECT (v1, v2, v3 or "
            "victoriametrics), _DATABASE, _ORG, _TOKEN, _USER and _PASSWORD."
        )
    home = directory / name
    with Server(name=name, directory=home, port=_port(name, home)) as server:
        with step(f"{name} {server.version} at {server.url}"):
            server.start()
        yield address_of(server, server.database)


def address_of(server: Addressed, database: str) -> Address:
    """Say where a database on a server is."""
    return Address(
        url=server.url,
        dialect=server.dialect,
        database=database,
        org=server.org,
        token=server.token,
        user=server.user,
        password=server.password,
    )


def from_environment() -> Address | None:
    """Read HA_INGESTOR_DEV_URL, and whatever else its database wants to be told."""
    told = {
        name: os.environ.get(_VARIABLE + name.upper(), "")
        for name in ("url", "dialect", "database", "org", "token", "user", "password")
    }
    if not told["url"]:
        return None
    return Address(**told | {"dialect": told["dialect"] or "v2"})


def prepare(names: tuple[str, ...], directory: Path) -> str | None:
    """Make sure that one of the databases can be started; returns its name, None without one."""
    found = (way(names, directory) for way in (_ready, _in_container, _made))
    return next(filter(None, found), None)


def reasons(names: tuple[str, ...]) -> str:
    """Say of each database why it cannot be started, one a line."""
    return "\n".join(f"  {name}: {_reason(name)}" for name in names)


def _ready(names: tuple[str, ...], directory: Path) -> str | None:  # noqa: ARG001
    return next((name for name in names if isinstance(binary(name), Path)), None)


def _in_container(names: tuple[str, ...], directory: Path) -> str | None:
    name = next((name for name in names if name in IMAGES), None)
    engine = find_engine()
    if name is None or engine is None:
        return None
    try:
        with step(f"{IMAGES[name].reference}, with {engine}"):
            pull(engine, name)
    except subprocess.SubprocessError:
        return None
    script = disguise(engine, name, directory / name)
    os.environ[DATABASES[name].variable] = str(script)
    return name


def _made(names: tuple[str, ...], directory: Path) -> str | None:  # noqa: ARG001
    def is_built(name: str) -> bool:
        return not isinstance(DATABASES[name].recipe, DebianPackage)

    for name in sorted(names, key=is_built):
        if DATABASES[name].recipe.missing():
            continue
        try:
            with step(f"{name} {DATABASES[name].version}, which is kept for the next time"):
                found = obtain(name)
                if isinstance(found, Unavailable):
                    raise NoDatabaseError(found.reason)  # noqa: TRY301
        except NoDatabaseError:
            continue
        return name
    return None


def _reason(name: str) -> str:
    found = binary(name)
    return found.reason if isinstance(found, Unavailable) else "it does not start"


def _port(name: str, home: Path) -> int:
    """Return the same port each time: Home Assistant has it in the entry's address."""
    remembered = home / "port"
    if remembered.exists():
        return int(remembered.read_text())
    port = _PORTS[name] if is_free(_PORTS[name]) else free_port()
    home.mkdir(parents=True, exist_ok=True)
    remembered.write_text(str(port))
    return port
