"""A real database as a process on loopback, with a directory of its own.

`with servers.start("influxdb2", directory) as server:` makes one and stops it at the end;
`server.stop()`, `server.kill()` and `server.start()` take it away and bring it back, on the same
port and with the same data. `python -m scripts.rig.servers` tries every one that is there.
"""

import json
import os
import secrets
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .databases import DATABASES, Dialect, Unavailable, binary, version_of
from .dialects import KINDS, Kind
from .endpoint import Account, Endpoint, Point, RequestError
from .home_assistant import free_port

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
DATABASE: Final = "home_assistant"

_POLL_SECONDS: Final = 0.05
_TAIL_LINES: Final = 30


class ServerError(Exception):
    """A server did not do what it was told; says what its log said last."""


@dataclass(slots=True, kw_only=True)
class Server:
    """A database server; `start` and `stop` as often as wanted."""

    name: str
    directory: Path
    port: int = field(default_factory=free_port)
    auth: bool = False
    database: str = DATABASE
    account: Account = field(default_factory=Account, init=False)
    version: str = field(default="", init=False)
    _executable: Path = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Find the executable, and the account of an earlier run on the same directory."""
        found = binary(self.name)
        if isinstance(found, Unavailable):
            raise ServerError(f"{self.name}: {found.reason}")
        self._executable = found
        self.version = version_of(found)
        self.directory.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            self.account = Account(**json.loads(self._account_path.read_text()))

    def __enter__(self) -> Self:
        """Begin a block at whose end the server stops."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def dialect(self) -> Dialect:
        """What it understands."""
        return DATABASES[self.name].dialect

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._endpoint.url

    @property
    def token(self) -> str:
        """The token of InfluxDB 2."""
        return self.account.token

    @property
    def org(self) -> str:
        """The organisation of InfluxDB 2."""
        return self.account.org

    @property
    def bucket(self) -> str:
        """The first bucket, as InfluxDB 2 calls a database."""
        return self.database

    @property
    def user(self) -> str:
        """The user; empty where there are none."""
        return self.account.user

    @property
    def password(self) -> str:
        """The user's password."""
        return self.account.password

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers; makes the account and the database the first time."""
        if self.is_alive:
            raise ServerError(f"{self.name} is running already")
        settings = self._kind.environment(self.directory, self.port, auth=self.auth)
        with self._log_path.open("ab") as log:
            # Its own session: Ctrl-C is for us to hear, and to pass on as an orderly stop.
            self._process = subprocess.Popen(
                self._kind.command(self._executable, self.directory, self.port),
                cwd=self.directory,
                env=os.environ | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait()
            if not self._account_path.exists():
                self._set_up()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop in order; nothing happens when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Stop at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def log(self) -> str:
        """Everything that the server said since the directory was made."""
        with suppress(FileNotFoundError):
            return self._log_path.read_text(errors="replace")
        return ""

    def create_database(self, name: str) -> None:
        """Make another database (a bucket)."""
        self._kind.create(self._endpoint, self.account, name)

    def write(self, lines: str, database: str | None = None) -> None:
        """Write line protocol."""
        target = self._kind.target(self.account, database or self.database)
        self._endpoint.request(self._kind.write, target, body=lines.encode())

    def query_points(self, measurement: str, database: str | None = None) -> list[Point]:
        """Return every point of a measurement, with exact values and types."""
        return self._kind.points(self._endpoint, database or self.database, measurement)

    def every_point(self, database: str | None = None) -> list[Point]:
        """Return every point that a database has, of whatever measurement."""
        return self._kind.every_point(self._endpoint, database or self.database)

    @property
    def _kind(self) -> Kind:
        return KINDS[self.dialect]

    @property
    def _endpoint(self) -> Endpoint:
        return Endpoint(port=self.port, headers=self._kind.headers(self.account))

    @property
    def _account_path(self) -> Path:
        return self.directory / "account.json"

    @property
    def _log_path(self) -> Path:
        return self.directory / "server.log"

    def _set_up(self) -> None:
        account = Account()
        if self.dialect == "v2":
            account = Account(token=secrets.token_urlsafe(), org="home")
        if self.dialect == "v2" or (self.dialect == "v1" and self.auth):
            account = replace(account, user="admin", password=secrets.token_urlsafe())
        # The account of v1 is needed from the moment that it exists, that of v2 not before.
        headers = self._kind.headers(account)
        self._kind.set_up(Endpoint(port=self.port, headers=headers), account, self.database)
        self._account_path.write_text(json.dumps(asdict(account)))
        self.account = account

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_alive:
                raise self._failure("ended")
            with suppress(RequestError):
                self._endpoint.request(self._kind.health, seconds=1.0)
                return
            time.sleep(_POLL_SECONDS)
        raise self._failure("took too long to start")

    def _failure(self, what: str) -> ServerError:
        tail = "\n".join(self.log().splitlines()[-_TAIL_LINES:])
        return ServerError(f"{self.name} {what}. The end of its log:\n{tail}")


def start(name: str, directory: Path, port: int | None = None, *, auth: bool = False) -> Server:
    """Start a server; stop it, or use it as a context."""
    server = Server(name=name, directory=directory, port=port or free_port(), auth=auth)
    server.start()
    return server


def _try(name: str, directory: Path, *, auth: bool) -> str:
    """Write a point, take the server away and bring it back, read the point."""
    with start(name, directory, auth=auth) as server:
        server.write('check,place=here whole=3i,broken=3,text="a\\"b" 1700000000123456789')
        if server.dialect == "victoriametrics":
            # It keeps what it has in memory for a second, and knows neither text nor nanoseconds.
            stored = Point(
                time_ns=1700000000123000000,
                tags={"place": "here"},
                fields={"whole": 3.0, "broken": 3.0, "text": 0.0},
            )
        else:
            stored = Point(
                time_ns=1700000000123456789,
                tags={"place": "here"},
                fields={"whole": 3, "broken": 3.0, "text": 'a"b'},
            )
        server.stop()
        server.start()
        found = server.query_points("check")
        # As text, because 3 == 3.0 and yet they are not the same in a database.
        same = json.dumps(found, sort_keys=True) == json.dumps([stored], sort_keys=True)
        return "ok" if same else f"not what was written: {found}"


def main() -> None:
    """Try every server."""
    for name, database in DATABASES.items():
        for auth in (False, True) if database.dialect == "v1" else (False,):
            began = time.monotonic()
            found = binary(name)
            with tempfile.TemporaryDirectory() as directory:
                if isinstance(found, Unavailable):
                    told = found.reason
                else:
                    told = _try(name, Path(directory), auth=auth)
            title = f"{name} {database.version}{' with accounts' if auth else ''}"
            print(f"{title}: {told} ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    main()
