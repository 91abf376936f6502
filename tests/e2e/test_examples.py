"""The queries of the documentation find what a home wrote."""

import asyncio
import csv
import json
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Final

import aiohttp

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.encode.statistics import Hour, Statistic, series_of
from custom_components.ha_ingestor.pipeline.model import EntityContext, NoContext, StateEvent
from scripts.rig.servers import DATABASE, Server
from tests.docs.reading import FENCE, section, text

from .access import destination_of, endpoint_of

pytest_plugins = ["tests.e2e.one_server"]

HEADINGS: Final = (
    "Queries with the profile HomeIQ",
    "Queries with the profile Tidy",
    "Queries with the profile of the built-in integration",
    "Queries of long-term statistics",
)
LANGUAGES: Final = {
    "v1": {"influxql"},
    "v2": {"influxql", "flux"},
    "victoriametrics": {"metricsql"},
}
# VictoriaMetrics finds new series some seconds after it has stored them.
PATIENCE: Final = 20.0
NOW: Final = time.time() - 600
# Of the state before.
HOURS: Final = 2


def queries(server: Server) -> list[tuple[str, str]]:
    page = text("examples.md")
    found = [block for heading in HEADINGS for block in FENCE.findall(section(page, heading))]
    return [(kind, query) for kind, query in found if kind in LANGUAGES[server.dialect]]


def changes() -> list[StateEvent]:
    """A washer, and a light that an automation switched off after two hours."""
    washer = EntityContext(
        entity_id="sensor.washer_power", domain="sensor", area_id="laundry", area="Laundry"
    )
    light = EntityContext(entity_id="light.hall", domain="light", area_id="hall", area="Hall")
    power = {"unit_of_measurement": "W", "device_class": "power"}
    return [
        change(washer, ("3.1", "412.5"), power, "a"),
        change(light, ("on", "off"), {}, "automation"),
    ]


def change(
    entity: EntityContext, states: tuple[str, str], attributes: dict[str, str], context: str
) -> StateEvent:
    before, after = (
        SimpleNamespace(
            state=state,
            attributes=attributes,
            last_changed_timestamp=seconds,
            last_updated_timestamp=seconds,
        )
        for state, seconds in zip(states, (NOW - HOURS * 3600, NOW), strict=True)
    )
    return StateEvent(entity, after, before, NOW, replace(NoContext(), id=context))


def statistics(profile: Profile) -> list[str]:
    """Make hours of three days."""
    known = {"sensor.attic_temperature": "mean", "sensor.energy_meter": "sum"}
    lines: list[str] = []
    for statistic_id, number in known.items():
        statistic = Statistic(statistic_id=statistic_id, source="recorder")
        series = series_of(statistic, profile, None, {})
        for day in range(3):
            hour = Hour(NOW - NOW % 3600 - day * 86_400)._replace(**{number: 30.0 - day})
            point = series.encode(hour)
            assert point
            lines.append(point.line)
    return lines


async def write(server: Server) -> None:
    numbers_only = server.dialect == "victoriametrics"
    causes = {"automation": "automation.hall_at_night"}
    profiles: list[Profile] = [
        HomeIQ(dumps=json.dumps, location="Home", causes=causes, numbers_only=numbers_only),
        Tidy(dumps=json.dumps, location="Home", causes=causes, numbers_only=numbers_only),
        Core(numbers_only=numbers_only),
    ]
    async with aiohttp.ClientSession() as session:
        client = InfluxClient(session, destination_of(server, DATABASE))
        for profile in profiles:
            lines = Encoder(profile=profile).encode(changes()).lines
            assert lines
            lines += statistics(profile)
            outcome = await client.post("\n".join(lines).encode())
            assert (outcome.status, outcome.body) == (204, "")


def rows(server: Server, kind: str, query: str) -> int:
    endpoint = endpoint_of(server)
    if kind == "influxql":
        answer = endpoint.request("/query", {"q": query, "db": DATABASE})
        (result,) = json.loads(answer)["results"]
        assert "error" not in result, (query, result)
        return sum(len(series["values"]) for series in result.get("series", []))
    if kind == "flux":
        body = json.dumps({"query": query, "type": "flux"}).encode()
        told = endpoint.request("/api/v2/query", {"org": server.org}, body=body).decode()
        return sum("table" not in row for row in csv.reader(told.splitlines()) if any(row))
    answer = endpoint.request(
        "/api/v1/query", {"query": query, "nocache": "1", "latency_offset": "1ms"}
    )
    return len(json.loads(answer)["data"]["result"])


def test_every_query_of_the_examples_finds_something(server: Server) -> None:
    asyncio.run(write(server))
    asked = queries(server)
    assert len(asked) >= 5
    for kind, query in asked:
        deadline = time.monotonic() + (PATIENCE if kind == "metricsql" else 0)
        while not rows(server, kind, query):
            assert time.monotonic() < deadline, query
            time.sleep(0.5)


def test_the_hours_of_the_light_are_those_that_it_was_on(server: Server) -> None:
    if server.dialect == "victoriametrics":
        return
    asyncio.run(write(server))
    (query,) = [query for _, query in queries(server) if "/ 3600" in query]
    answer = endpoint_of(server).request("/query", {"q": query, "db": DATABASE})
    ((series,),) = (each["series"] for each in json.loads(answer)["results"])
    assert [hours for _, hours in series["values"]] == [HOURS]
