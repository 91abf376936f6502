"""Every query of every dashboard for Grafana gets an answer with rows from the real servers.

The points come from the recorded home, through our encoder, spool, exporter and client. Variables
are replaced as Grafana replaces them.
"""

import asyncio
import csv
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from scripts.rig.documents.grafana import FOLDER
from scripts.rig.servers import Server
from tests.faults.rig import Rig
from tests.golden.lines import PROFILES, home
from tests.pipeline.memory_files import MemoryFiles

from .access import destination_of, endpoint_of

pytest_plugins = ["tests.e2e.one_server"]

LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "v1": ("influxql",),
    "v2": ("influxql", "flux"),
    "victoriametrics": ("metricsql",),
}
# VictoriaMetrics finds new series some seconds after it has stored them.
PATIENCE: Final = 20.0
# The recorded home.
BEGIN, END = 1_795_262_400, 1_795_284_000
INTERVAL: Final = 600
# What a viewer may choose of the recorded home: something with numbers and something with states.
CHOSEN: Final[Mapping[str, Mapping[str, list[str]]]] = {
    "homeiq": {"entity": ["sensor.outside_temperature", "light.kitchen_lights"]},
    "tidy": {
        "measurement": ["sensor", "light"],
        "entity": ["sensor.outside_temperature", "light.kitchen_lights"],
    },
    "core": {
        "measurement": ["°C", "light.kitchen_lights"],
        "entity": ["outside_temperature", "kitchen_lights"],
    },
}
# How Grafana escapes what was chosen, for a regular expression of the language.
ESCAPES: Final = {"influxql": r"\\\1", "flux": r"\\\1", "metricsql": r"\\\\\1"}


def profile(name: str, dialect: str) -> Profile:
    """Return the profile, as it writes to this database."""
    if dialect != "victoriametrics":
        return PROFILES[name]()
    if name == "homeiq":
        return PROFILES["victoriametrics"]()
    if name == "tidy":
        return Tidy(dumps=json.dumps, location="Home", numbers_only=True)
    return Core(numbers_only=True)


async def write(server: Server, database: str, name: str) -> None:
    lines = Encoder(profile=profile(name, server.dialect)).encode(home()).lines
    assert len(lines) > 50
    async with aiohttp.ClientSession() as session:
        rig = Rig(MemoryFiles(), InfluxClient(session, destination_of(server, database)))
        rig.commit(lines)
        assert await rig.deliver() == []
        assert rig.ledger.written == len(lines)


def told(query: str | Mapping[str, str]) -> str:
    """Return the text of a query of a variable."""
    return query if isinstance(query, str) else query["query"]


def queries(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every query."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], told(variable["query"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target.get("query") or target["expr"]


def in_regex(values: list[str], *, escape: str) -> str:
    """Join what was chosen as Grafana does in a regular expression."""
    escaped = [re.sub(r"([\\^$*+?.()|{}\[\]/])", escape, value) for value in values]
    return f"({'|'.join(escaped)})"


def influxql(server: Server, database: str, query: str, chosen: Mapping[str, str]) -> int:
    query = query.replace("$timeFilter", f"time >= {BEGIN}000ms and time <= {END}000ms")
    query = query.replace("$__interval", f"{INTERVAL}s")
    for name, regex in chosen.items():
        query = query.replace(f"${name}", regex)
    assert "$" not in query.replace("$/", "")
    answer = endpoint_of(server).request("/query", {"q": query, "db": database, "epoch": "ms"})
    (result,) = json.loads(answer)["results"]
    assert "error" not in result, (query, result)
    return sum(len(series["values"]) for series in result.get("series", []))


def flux(server: Server, database: str, query: str, chosen: Mapping[str, str]) -> int:
    for name, value in {
        "v.timeRangeStart": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN)),
        "v.timeRangeStop": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(END)),
        "v.windowPeriod": f"{INTERVAL * 1000}ms",
        "v.defaultBucket": json.dumps(database),
    }.items():
        query = query.replace(name, value)
    for name, regex in chosen.items():
        query = query.replace(f"${{{name}:regex}}", regex)
    assert "$" not in query.replace("$/", "")
    assert "v." not in re.sub(r'"[^"]*"', "", query)
    body = json.dumps({"query": query, "type": "flux"}).encode()
    answer = endpoint_of(server).request("/api/v2/query", {"org": server.org}, body=body).decode()
    rows = [row for row in csv.reader(answer.splitlines()) if any(row)]
    return sum("table" not in row for row in rows)


def metricsql(server: Server, database: str, query: str, chosen: Mapping[str, str]) -> int:
    del database  # its name is a label that nobody asks for
    endpoint = endpoint_of(server)
    if found := re.fullmatch(r"label_values\((.*), (\w+)\)", query, re.DOTALL):
        query, label = found.groups()
    for name, regex in chosen.items():
        query = query.replace(f"${name}", regex)
    query = query.replace("$__interval", f"{INTERVAL}s").replace("$__range", f"{END - BEGIN}s")
    assert "$" not in query
    period = {"start": str(BEGIN), "end": str(END)}
    if found:
        answer = endpoint.request(f"/api/v1/label/{label}/values", {"match[]": query, **period})
        return len(json.loads(answer)["data"])
    answer = endpoint.request(
        "/api/v1/query_range", {"query": query, "step": str(INTERVAL), "nocache": "1", **period}
    )
    series = json.loads(answer)["data"]["result"]
    return sum(len(each["values"]) for each in series)


ASK: Final[Mapping[str, Callable[[Server, str, str, Mapping[str, str]], int]]] = {
    "influxql": influxql,
    "flux": flux,
    "metricsql": metricsql,
}


@pytest.mark.parametrize("name", CHOSEN)
def test_every_query_answers_with_rows(server: Server, name: str) -> None:
    # To VictoriaMetrics the name is a label that no dashboard asks for: profiles differ in metrics.
    database = f"grafana_{name}"
    server.create_database(database)
    asyncio.run(write(server, database, name))
    is_indexed_late = server.dialect == "victoriametrics"
    for language in LANGUAGES[server.dialect]:
        dashboard = json.loads((FOLDER / f"{name}-{language}.json").read_text())
        everything = {
            each["name"]: each["allValue"]
            for each in dashboard["templating"]["list"]
            if each["type"] == "query"
        }
        few = {
            key: in_regex(values, escape=ESCAPES[language]) for key, values in CHOSEN[name].items()
        }
        assert everything.keys() == few.keys()
        for chosen in (everything, few):
            for title, query in queries(dashboard):
                deadline = time.monotonic() + (PATIENCE if is_indexed_late else 0)
                while not ASK[language](server, database, query, chosen):
                    assert time.monotonic() < deadline, (language, title, query, chosen)
                    time.sleep(0.5)
