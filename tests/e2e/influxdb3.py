"""InfluxDB 3, which no package registry has: one that the environment names, or none."""

import json
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from scripts.rig.endpoint import Point, RequestError

NAME: Final = "influxdb3"
MISSING: Final = "no package registry has it, and HA_INGESTOR_TEST_INFLUXDB3_URL names none"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxDB3:
    """A server that others started, so that it cannot be stopped either."""

    url: str
    token: str
    database: str
    dialect: str = "v3"
    version: str = "3"
    org: str = ""
    user: str = ""
    password: str = ""

    def stop(self) -> None:
        """Leave it alone."""

    def start(self) -> None:
        """Leave it alone."""

    def create_database(self, name: str) -> None:
        """Nothing: the first write creates it."""

    def query_points(self, measurement: str, database: str | None = None) -> list[Point]:
        """Return every point of a measurement; a column is a tag if its type is a dictionary."""
        types = {
            row["column_name"]: row["data_type"]
            for row in self._ask(
                "SELECT column_name, data_type FROM information_schema.columns "  # noqa: S608
                f"WHERE table_name = '{measurement}'",
                database,
            )
        }
        if not types:
            return []
        rows = self._ask(
            f'SELECT *, CAST(time AS BIGINT) AS time_ns FROM "{measurement}"',  # noqa: S608
            database,
        )
        points = []
        for row in rows:
            del row["time"]
            time_ns = int(row.pop("time_ns"))
            known = {key: value for key, value in row.items() if value is not None}
            tags = {key: known.pop(key) for key in list(known) if "Dictionary" in types[key]}
            points.append(Point(time_ns=time_ns, tags=tags, fields=known))
        return points

    def every_point(self, database: str | None = None) -> list[Point]:
        """Return every point that a database has, of whatever measurement."""
        tables = self._ask(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox'", database
        )
        return [
            point for table in tables for point in self.query_points(table["table_name"], database)
        ]

    def _ask(self, query: str, database: str | None) -> list[dict[str, Any]]:
        told = {"db": database or self.database, "q": query, "format": "json"}
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/v3/query_sql?{urllib.parse.urlencode(told)}",
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
        )
        try:
            with urllib.request.urlopen(request, timeout=30.0) as answer:  # noqa: S310
                return list(json.load(answer))
        except OSError as error:
            raise RequestError(str(error)) from error


def from_environment(database: str) -> InfluxDB3 | None:
    """Return the server that the environment names."""
    if url := os.environ.get("HA_INGESTOR_TEST_INFLUXDB3_URL"):
        token = os.environ.get("HA_INGESTOR_TEST_INFLUXDB3_TOKEN", "")
        return InfluxDB3(url=url, token=token, database=database)
    return None
