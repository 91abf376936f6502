"""Whatever text is written, the real servers store one point and give it back as documented.

The documented replacements are those in the docstring of `pipeline.line_protocol`, restated in
its unit tests without its code.
"""

import asyncio
import itertools
import json
import math
import random
import sys
import time
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.pipeline.encode.line_protocol import (
    STRING_MAX_BYTES,
    TAGS_MAX,
    TIME_MAX_US,
    FieldValue,
    field_set,
    line,
    series_key,
)
from scripts.rig import dialects
from scripts.rig.servers import Server
from tests.pipeline.encode.documented import cut, spaced, stored_key, stored_name, stored_tag
from tests.pipeline.encode.test_line_protocol import ANY_TEXT

from .access import destination_of, endpoint_of

pytest_plugins = ["tests.e2e.one_server"]

POINTS: Final = 200

# A week for every point would make thousands of shards, for which the servers take minutes.
SHARD_WEEKS: Final = 5000

# VictoriaMetrics finds a new series some seconds after it has stored it.
INDEXED_SECONDS: Final = 10.0

# What chance would not find.
SPECIAL_TEXTS: Final = (
    *("time", "_field", "_measurement", "_", "#", "#/cm3", "", " ", ",", "=", '"', "\\", "/", "x"),
    *("\\\\", "\\,", "\\ ", "\\=", '\\"', "a\\", "a ", " a", "a,b=c d", 'a="b"', "\\n", "\\x00"),
    *("\0", "\t", "\n", "\r\n", "\x1b", "\x7f", "\x85", "\xa0", "\u2028", "\ufeff", "\ufffd"),
    *("\ud800", "a\udfffb", "\U0010ffff", "😀", "👩\u200d👩\u200d👧", "e\u0301", "\u202eabc", "°C"),
    *("1", "1i", "-0", "t", "true", "null", "NaN", "1 1", "v=1", "name", "value", "tags"),
    *("x" * 300, "€" * 90, "a" + "😀" * 70, "\\" * 300, "," * 2000, "ab" + "€" * 1000),
)
LONG_STRINGS: Final = ("x" * 40_000, '"' * 33_000, "ab" + "😀" * 9_000, "\\" * 33_000)
SPECIAL_NUMBERS: Final = (
    *(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-7, 0.1),
    *(
        math.nan,
        math.inf,
        -math.inf,
        2**53 + 1,
        2**63,
        -(2**64),
        10**400,
        1e22,
        123456789.123456789,
    ),
)
SPECIAL_TIMES_US: Final = (-1, 0, 1, TIME_MAX_US, TIME_MAX_US + 1, -(10**17), 10**17)


# More tags than fit, each of them longer than fits, of what needs an escape.
HEAVY_TAGS: Final = [(f"{number}" + "=" * 999, "," * 9999) for number in range(99)]

_EXAMPLES: Final = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A point as a caller of the encoder has it."""

    measurement: str
    tags: list[tuple[str, str]]
    fields: list[tuple[str, FieldValue]]
    time_us: int

    @property
    def line(self) -> bytes:
        """The bytes that are sent."""
        series = series_key(self.measurement, self.tags)
        text = line(series, field_set(self.fields), self.time_us)
        return text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A point as a server has it."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Any]


def exact(value: FieldValue) -> str:
    """Tell 1.0 from True and -0.0 from 0.0, which Python calls equal."""
    return f"{type(value).__name__} {value!r}"


def stored_time_us(time_us: int) -> int:
    return min(max(time_us, 0), TIME_MAX_US)


def stored_value(value: FieldValue) -> FieldValue | None:
    if isinstance(value, str):
        return spaced(cut(value, STRING_MAX_BYTES))
    if isinstance(value, bool):
        return value
    return float(value) if abs(value) <= sys.float_info.max else None


def stored_fields(point: Written) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    for key, value in point.fields:
        if (stored := stored_value(value)) is not None:
            fields.setdefault(stored_key(key), stored)
    return fields


def stored_tags(point: Written) -> dict[str, str]:
    tags: dict[str, str] = {}
    for key, value in point.tags:
        if value:
            tags.setdefault(stored_key(key), stored_tag(value))
    return dict(itertools.islice(tags.items(), TAGS_MAX))


class Influx:
    """InfluxDB 1 and 2, read in the language that both speak."""

    kinds: Final[tuple[type, ...]] = (str, bool, float)
    has_series_for_each_point: Final = False

    def __init__(self, server: Server, database: str) -> None:
        """Make a database whose shards are so long that a few hold points of every age."""
        endpoint = endpoint_of(server)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._queries = replace(endpoint, headers={**endpoint.headers, **form})
        self._database = database
        if server.dialect == "v1":
            self._ask(f'CREATE DATABASE "{database}" WITH SHARD DURATION {SHARD_WEEKS}w')
            return
        (org,) = json.loads(endpoint.request("/api/v2/orgs", {"org": server.org}))["orgs"]
        seconds = SHARD_WEEKS * 7 * 24 * 3600
        rule = {"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": seconds}
        bucket = {"orgID": org["id"], "name": database, "retentionRules": [rule]}
        endpoint.request("/api/v2/buckets", body=json.dumps(bucket).encode())

    @staticmethod
    def time_us(chance: random.Random) -> int:
        return chance.choice([*SPECIAL_TIMES_US, *[chance.randint(0, TIME_MAX_US)] * 10])

    def expected(self, point: Written) -> tuple[int, Stored]:
        fields = {key: exact(value) for key, value in stored_fields(point).items()}
        stored = Stored(
            measurement=stored_name(point.measurement), tags=stored_tags(point), fields=fields
        )
        return stored_time_us(point.time_us) * 1000, stored

    def found(self, count: int) -> list[tuple[int, Stored]]:
        """Return everything that there is, whatever it is called."""
        types = {
            series["name"]: dict(series["values"])
            for result in self._ask("SHOW FIELD KEYS")
            for series in result
        }
        # In one query for all of them a field would have the type that it has in the first. And not
        # with GROUP BY: the servers take two series of its answer for one when their tags, keys and
        # values one behind the other, are the same text, as of `a=b` and `b=b` where both are tags.
        queries = [f"SELECT * FROM {_quoted(name)}" for name in types]  # noqa: S608
        return [
            (time_ns, _stored(series, values, types[series["name"]]))
            for result in self._ask(";".join(queries))
            for series in result
            for time_ns, *values in series["values"]
        ]

    def _ask(self, queries: str) -> list[list[Any]]:
        form = {"q": queries, "db": self._database, "epoch": "ns"}
        answer = self._queries.request("/query", body=urlencode(form).encode())
        # JSON has no whole floats, and what Go writes as `-0` Python reads as 0.
        results = json.loads(answer, parse_int=lambda text: -0.0 if text == "-0" else int(text))
        assert not [result for result in results["results"] if "error" in result]
        return [result.get("series", []) for result in results["results"]]


def _quoted(name: str) -> str:
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    return f'"{name.translate(escapes)}"'


def _stored(series: dict[str, Any], values: list[Any], types: dict[str, str]) -> Stored:
    fields: dict[str, Any] = {}
    tags: dict[str, str] = {}
    # What no field is called is a tag. Of one that other points of the measurement have, a server
    # may say that it is empty.
    for key, value in zip(series["columns"][1:], values, strict=True):
        if key not in types:
            tags |= {key: value} if value else {}
        elif value is not None:
            fields[key] = exact(float(value) if types[key] == "float" else value)
    return Stored(measurement=series["name"], tags=tags, fields=fields)


class VictoriaMetrics:
    """A metric for each field, a label for each tag; numbers and milliseconds."""

    kinds: Final[tuple[type, ...]] = (bool, float)
    # The numbers of a series share one exponent: beside 1e22 there is no 1e-7.
    has_series_for_each_point: Final = True

    def __init__(self, server: Server, database: str) -> None:
        """Need nothing: the name of the database is a label."""
        self._endpoint = endpoint_of(server)
        self._database = database

    @staticmethod
    def time_us(chance: random.Random) -> int:
        """Some time in the last months: each month is a partition, and the future is refused."""
        return time.time_ns() // 1000 - chance.randrange(10**13)

    def expected(self, point: Written) -> tuple[int, Stored]:
        # It keeps twelve digits; below 1e-295 there is nothing but 0, and a zero has no sign.
        metrics = {
            f"{stored_name(point.measurement)}_{key}": pytest.approx(
                float(value), rel=1e-11, abs=1e-295
            )
            for key, value in stored_fields(point).items()
        }
        stored = Stored(measurement="", tags=stored_tags(point), fields=metrics)
        return stored_time_us(point.time_us) // 1000 * 1_000_000, stored

    def found(self, count: int) -> list[tuple[int, Stored]]:
        """Return everything as soon as it is that much."""
        deadline = time.monotonic() + INDEXED_SECONDS
        while len(found := self._found()) < count and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def _found(self) -> list[tuple[int, Stored]]:
        points = dialects.VictoriaMetrics().every_point(self._endpoint, self._database)
        return [
            (each["time_ns"], Stored(measurement="", tags=each["tags"], fields=each["fields"]))
            for each in points
        ]


type Reader = Influx | VictoriaMetrics
READERS: Final[dict[str, type[Reader]]] = {
    "v1": Influx,
    "v2": Influx,
    "victoriametrics": VictoriaMetrics,
}


class Tag:
    """What a name is that is no field's."""


def composed(
    texts: list[str], numbers: list[float], chance: random.Random, reader: Reader
) -> list[Written]:
    """Put texts and numbers into every place; no two points have the same time."""
    values: list[FieldValue] = [*texts, *texts, *LONG_STRINGS, *numbers, *numbers, True, False]
    values = [value for value in values if kind_of(value) in reader.kinds]
    kinds: dict[tuple[str, str], type] = {}
    points: dict[int, Written] = {}
    while len(points) < POINTS:
        measurement = chance.choice(texts)
        tags = [(chance.choice(texts), chance.choice(texts)) for _ in range(chance.randrange(5))]
        if not points:
            tags = HEAVY_TAGS
        if reader.has_series_for_each_point:
            tags = [("number", str(len(points))), *tags]
        # In one measurement a name is a tag or a field: profiles see to that, and servers read
        # what is both as one of them.
        tags = [
            (key, value)
            for key, value in tags
            if kinds.setdefault((stored_name(measurement), stored_key(key)), Tag) is Tag
        ]
        fields = []
        for key, value in zip(chance.choices(texts, k=4), chance.choices(values, k=4), strict=True):
            # A field that is text here and a number there is a mistake of another kind.
            field = (stored_name(measurement), stored_key(key))
            if kinds.setdefault(field, kind_of(value)) is kind_of(value):
                fields.append((key, value))
        point = Written(
            measurement=measurement,
            tags=tags,
            fields=fields,
            time_us=reader.time_us(chance),
        )
        if stored_fields(point):
            points.setdefault(reader.expected(point)[0], point)
    return list(points.values())


def kind_of(value: FieldValue) -> type:
    return type(value) if isinstance(value, (bool, str)) else float


async def deliver(server: Server, database: str, lines: list[bytes]) -> None:
    async with aiohttp.ClientSession() as session:
        client = InfluxClient(session, destination_of(server, database))
        outcome = await client.post(b"\n".join(lines))
    assert (outcome.status, outcome.body) == (204, "")


# Not shrunk: two hundred points in a new database for each attempt take too long, and
# what is wrong is told line by line.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    texts=st.lists(ANY_TEXT, min_size=10, max_size=60),
    numbers=st.lists(st.floats() | st.integers(), max_size=30),
    seed=st.integers(0, 2**64),
)
def test_any_text_in_any_place_is_one_point_and_comes_back(
    server: Server, texts: list[str], numbers: list[float], seed: int
) -> None:
    database = f"example{next(_EXAMPLES)}"
    reader = READERS[server.dialect](server, database)
    points = composed(
        [*SPECIAL_TEXTS, *texts], [*SPECIAL_NUMBERS, *numbers], random.Random(seed), reader
    )
    asyncio.run(deliver(server, database, [point.line for point in points]))

    found = reader.found(len(points))
    stored = dict(found)
    wrong = [
        f"sent {point.line!r:.400}\nstored {stored.get(time_ns)!r:.400}\nexpected {expected!r:.400}"
        for point in points
        for time_ns, expected in [reader.expected(point)]
        if stored.get(time_ns) != expected
    ]
    assert not wrong, "\n".join(wrong[:3])
    assert len(found) == len(points)
