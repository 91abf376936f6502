"""How each kind of database is started, set up and read; the process itself is in `servers`."""

import base64
import json
import math
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

from .endpoint import HOST, Account, Endpoint, Point, RequestError


class Kind(Protocol):
    """What differs between the databases."""

    @property
    def health(self) -> str:
        """The path that answers once it is ready."""

    @property
    def write(self) -> str:
        """The path that takes line protocol."""

    def command(self, executable: Path, directory: Path, port: int) -> list[str]:
        """Return how it is started."""

    def environment(self, directory: Path, port: int, *, auth: bool) -> dict[str, str]:
        """Return what it finds in its environment."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return how a request shows whose it is."""

    def set_up(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Make the account and a first database."""

    def create(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Make another database."""

    def target(self, account: Account, database: str) -> dict[str, str]:
        """Return the query that a write needs."""

    def points(self, endpoint: Endpoint, database: str, measurement: str) -> list[Point]:
        """Return every point of a measurement."""

    def every_point(self, endpoint: Endpoint, database: str) -> list[Point]:
        """Return every point, of whatever measurement."""


class _InfluxQL:
    """What InfluxDB 1 and 2 share: the older query language, whose answers are exact JSON."""

    def points(self, endpoint: Endpoint, database: str, measurement: str) -> list[Point]:
        """Return every point; JSON does not tell an integer from a float, the field keys do."""
        name = json.dumps(measurement, ensure_ascii=False)
        types: dict[str, str] = {}
        for series in _ask(endpoint, f"SHOW FIELD KEYS FROM {name}", database):
            types.update(series["values"])
        points = []
        everything = f"SELECT *::field FROM {name} GROUP BY *"  # noqa: S608
        for series in _ask(endpoint, everything, database):
            tags = {key: value for key, value in series.get("tags", {}).items() if value}
            for time_ns, *values in series["values"]:
                present = zip(series["columns"][1:], values, strict=True)
                fields = {
                    key: float(value) if types.get(key) == "float" else value
                    for key, value in present
                    if value is not None
                }
                points.append(Point(time_ns=time_ns, tags=tags, fields=fields))
        return points

    def every_point(self, endpoint: Endpoint, database: str) -> list[Point]:
        """Ask for the points of one measurement after the other."""
        return [
            point
            for series in _ask(endpoint, "SHOW MEASUREMENTS", database)
            for (measurement,) in series["values"]
            for point in self.points(endpoint, database, measurement)
        ]


def _ask(endpoint: Endpoint, query: str, database: str = "", *, post: bool = False) -> list[Any]:
    body = b"" if post else None
    answer = endpoint.request("/query", {"q": query, "db": database, "epoch": "ns"}, body=body)
    result = json.loads(answer)["results"][0]
    if "error" in result:
        raise RequestError(result["error"])
    return list(result.get("series", ()))


class InfluxDB1(_InfluxQL):
    """InfluxDB 1."""

    health: Final = "/ping"
    write: Final = "/write"

    def command(self, executable: Path, directory: Path, port: int) -> list[str]:  # noqa: ARG002
        """Start it with an empty configuration: everything is in the environment."""
        return [str(executable), "run", "-config", "/dev/null"]

    def environment(self, directory: Path, port: int, *, auth: bool) -> dict[str, str]:
        """Place its files and its port."""
        return {
            "INFLUXDB_META_DIR": str(directory / "meta"),
            "INFLUXDB_DATA_DIR": str(directory / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(directory / "wal"),
            "INFLUXDB_HTTP_BIND_ADDRESS": f"{HOST}:{port}",
            "INFLUXDB_BIND_ADDRESS": f"{HOST}:0",
            "INFLUXDB_HTTP_AUTH_ENABLED": str(auth).lower(),
            "INFLUXDB_REPORTING_DISABLED": "true",
        }

    def headers(self, account: Account) -> dict[str, str]:
        """Send user and password in the way that every version understands."""
        if not account.user:
            return {}
        pair = base64.b64encode(f"{account.user}:{account.password}".encode())
        return {"Authorization": f"Basic {pair.decode()}"}

    def set_up(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Create the first user, which needs no user, and the database."""
        if account.user:
            words = f"CREATE USER {account.user} WITH PASSWORD '{account.password}'"
            _ask(endpoint, f"{words} WITH ALL PRIVILEGES", post=True)
        self.create(endpoint, account, database)

    def create(self, endpoint: Endpoint, account: Account, database: str) -> None:  # noqa: ARG002
        """Create a database."""
        _ask(endpoint, f"CREATE DATABASE {json.dumps(database)}", post=True)

    def target(self, account: Account, database: str) -> dict[str, str]:  # noqa: ARG002
        """Name the database."""
        return {"db": database}


class InfluxDB2(_InfluxQL):
    """InfluxDB 2, read in the language of InfluxDB 1: Flux answers CSV, which is not exact."""

    health: Final = "/health"
    write: Final = "/api/v2/write"

    def command(self, executable: Path, directory: Path, port: int) -> list[str]:
        """Place its files and its port."""
        return [
            str(executable),
            f"--bolt-path={directory / 'influxd.bolt'}",
            f"--sqlite-path={directory / 'influxd.sqlite'}",
            f"--engine-path={directory / 'engine'}",
            f"--http-bind-address={HOST}:{port}",
            "--reporting-disabled",
        ]

    def environment(self, directory: Path, port: int, *, auth: bool) -> dict[str, str]:  # noqa: ARG002
        """Let it take nothing from a configuration that the machine may have."""
        return {"INFLUXD_CONFIG_PATH": str(directory)}

    def headers(self, account: Account) -> dict[str, str]:
        """Send the token."""
        return {"Authorization": f"Token {account.token}", "Content-Type": "application/json"}

    def set_up(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Answer its first question."""
        answers = {
            "username": account.user,
            "password": account.password,
            "token": account.token,
            "org": account.org,
            "bucket": database,
            "retentionPeriodSeconds": 0,
        }
        endpoint.request("/api/v2/setup", body=json.dumps(answers).encode())

    def create(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Create a bucket."""
        orgs = json.loads(endpoint.request("/api/v2/orgs", {"org": account.org}))["orgs"]
        wanted = {"orgID": orgs[0]["id"], "name": database, "retentionRules": []}
        try:
            endpoint.request("/api/v2/buckets", body=json.dumps(wanted).encode())
        except RequestError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            # There is one of that name.

    def target(self, account: Account, database: str) -> dict[str, str]:
        """Name the bucket."""
        return {"org": account.org, "bucket": database}


class VictoriaMetrics:
    """VictoriaMetrics, which has neither databases nor accounts nor text."""

    health: Final = "/health"
    write: Final = "/write"

    def command(self, executable: Path, directory: Path, port: int) -> list[str]:
        """Place its files and its port; a test's points may be of any age."""
        return [
            str(executable),
            f"-storageDataPath={directory / 'data'}",
            f"-httpListenAddr={HOST}:{port}",
            "-retentionPeriod=100y",
        ]

    def environment(self, directory: Path, port: int, *, auth: bool) -> dict[str, str]:  # noqa: ARG002
        """Nothing."""
        return {}

    def headers(self, account: Account) -> dict[str, str]:  # noqa: ARG002
        """Nothing."""
        return {}

    def set_up(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Nothing."""

    def create(self, endpoint: Endpoint, account: Account, database: str) -> None:
        """Nothing: the name of a database is but a label."""

    def target(self, account: Account, database: str) -> dict[str, str]:  # noqa: ARG002
        """Name the database, which becomes the label `db` of every point."""
        return {"db": database}

    def points(self, endpoint: Endpoint, database: str, measurement: str) -> list[Point]:
        """Return the points of the metrics `<measurement>_<field>`."""
        prefix = f"{measurement}_"
        points = self.every_point(endpoint, database)
        for point in points:
            point["fields"] = {
                name.removeprefix(prefix): value
                for name, value in point["fields"].items()
                if name.startswith(prefix)
            }
        return [point for point in points if point["fields"]]

    def every_point(self, endpoint: Endpoint, database: str) -> list[Point]:
        """Put points together from whatever metrics; what was stored twice is found twice."""
        endpoint.request("/internal/force_flush")
        points: dict[tuple[int, str, int], Point] = {}
        copies: Counter[tuple[int, str, str]] = Counter()
        answer = endpoint.request("/api/v1/export", {"match[]": f"{{db={json.dumps(database)}}}"})
        for line in answer.splitlines():
            series = json.loads(line)
            name = series["metric"].pop("__name__")
            tags = {key: value for key, value in series["metric"].items() if key != "db"}
            whose = json.dumps(tags, sort_keys=True)
            for time_ms, value in zip(series["timestamps"], series["values"], strict=True):
                copies[time_ms, whose, name] += 1
                point = points.setdefault(
                    (time_ms, whose, copies[time_ms, whose, name]),
                    Point(time_ns=time_ms * 1_000_000, tags=tags, fields={}),
                )
                point["fields"][name] = _number(value)
        return list(points.values())


def _number(value: float | str | None) -> float:
    return math.nan if value is None else float(value)


KINDS: Final[dict[str, Kind]] = {
    "v1": InfluxDB1(),
    "v2": InfluxDB2(),
    "victoriametrics": VictoriaMetrics(),
}
