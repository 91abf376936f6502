"""The emulator, which all other tests believe, answers as the real servers do."""

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.probe import Probe, probe
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.endpoint import Account
from scripts.rig.servers import DATABASE, Server, start
from tests.emulator import V1_6, V1_13, V2_7, VM_NEW, VM_OLD, Emulator, Profile

from .access import destination_of, endpoint_of
from .installation import until
from .writes import CASES, INFLUX, NOW, WEEK, WEEK_SECONDS, Case

pytest_plugins = ["tests.e2e.one_server"]

PROFILES: Final = {
    "influxdb1-debian": V1_6,
    "influxdb1": V1_13,
    "influxdb2": V2_7,
    "victoriametrics-debian": VM_OLD,
    "victoriametrics": VM_NEW,
}
# How a VictoriaMetrics is told to let in one user only, and who there is then.
LOCK: Final = "-httpAuth.username=ingestor -httpAuth.password=right"
LOCKED: Final = {
    "owner": Account(user="ingestor", password="right"),
    "wrong": Account(user="ingestor", password="wrong"),
    "nobody": Account(user="nobody", password="right"),
    "none": Account(),
}


class Answered(NamedTuple):
    """What a write came to, as far as we act on it."""

    status: int
    failure: Failure | None
    from_database: bool
    kind: Kind
    problem: Problem
    rejected: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """All that was heard from the real server, or from the emulated one."""

    answers: dict[str, Answered] = field(default_factory=dict)
    checks: dict[str, tuple[Kind, Problem]] = field(default_factory=dict)
    points: dict[str, list[str]] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)


@pytest.fixture(scope="module")
def sides(found_server: tuple[str, Server | Unavailable]) -> tuple[Side, Side]:
    """Write every case to both."""
    name, server = found_server
    if isinstance(server, Unavailable):
        return Side(), Side()
    observed = DATABASES[name].version
    if (server.version or observed).split(".")[:2] != observed.split(".")[:2]:
        pytest.skip(f"{name} is {server.version}, and the emulator follows {observed}")
    real, emulated = asyncio.run(_write_to_both(server, PROFILES[name], _accounts(server)))

    def read() -> bool:
        real.points.update(
            {case.name: _stored(server, case) for case in CASES if case.name in emulated.points}
        )
        return real.points == emulated.points

    # VictoriaMetrics shows what is new after some time only.
    until(read, seconds=10.0 if server.dialect == "victoriametrics" else 0.0)
    return real, emulated


def test_every_write_gets_the_same_answer_from_the_emulator(
    server: Server, sides: tuple[Side, Side]
) -> None:
    real, emulated = sides
    assert emulated.answers == real.answers


def test_the_same_points_are_stored(server: Server, sides: tuple[Side, Side]) -> None:
    real, emulated = sides
    assert emulated.points == real.points


def test_the_connection_check_has_the_same_result_with_the_real_server_and_the_emulator(
    server: Server, sides: tuple[Side, Side]
) -> None:
    real, emulated = sides
    assert emulated.checks == real.checks


def test_the_probe_finds_the_same_in_the_real_server_and_the_emulator(
    server: Server, sides: tuple[Side, Side]
) -> None:
    real, emulated = sides
    assert emulated.probes == real.probes


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xdist_group(name))
        for name in ("victoriametrics-debian", "victoriametrics")
    ],
)
def test_a_victoriametrics_with_a_password_is_the_same_too(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable = binary(name)
    if isinstance(executable, Unavailable):
        pytest.skip(f"{name}: {executable.reason}")
    script = tmp_path / "locked"
    script.write_text(f'#!/bin/sh\nexec "{executable}" "$@" {LOCK}\n')
    script.chmod(0o755)
    monkeypatch.setenv(DATABASES[name].variable, str(script))
    with start(name, tmp_path / "data") as server:
        real, emulated = asyncio.run(_write_to_both(server, PROFILES[name], LOCKED))
    assert emulated.answers == real.answers
    assert emulated.checks == real.checks
    assert emulated.probes == real.probes


async def _write_to_both(
    server: Server, profile: Profile, accounts: dict[str, Account]
) -> tuple[Side, Side]:
    cases = [case for case in CASES if profile.dialect in case.dialects and case.who in accounts]
    real, emulated = Side(), Side()
    async with aiohttp.ClientSession() as session, _twin(profile, accounts) as emulator:
        for side, url in ((real, server.url), (emulated, emulator.url)):
            # The same kind of server, also where it is of another version than the emulated one.
            side.probes.append(replace(await probe(session, url), version=""))
            for case in cases:
                keeps_a_week = case.database == WEEK and profile.dialect in INFLUX
                emulator.retention = WEEK_SECONDS if keeps_a_week else None
                await _write(side, case, _client(session, url, server, case, accounts))
        for case in cases:
            emulated.points[case.name] = sorted(
                _told(time_ns, dict(tags), fields)
                for (name, tags), time_ns, fields in emulator.found()
                if name == case.measurement
            )
    return real, emulated


async def _write(side: Side, case: Case, client: InfluxClient) -> None:
    if case.before:
        assert (await client.write(case.body(case.before))).kind is Kind.ACCEPTED
    body = case.body(case.lines)
    outcome = await client.post(body, gzipped=case.pack is not None)
    # Packed ones are not unpacked here, as some of them are damaged.
    result = classify(outcome, client.dialect, body=body)
    lines = body.split(b"\n")
    side.answers[case.name] = Answered(
        status=outcome.status,
        failure=outcome.failure,
        from_database=outcome.from_database,
        kind=result.kind,
        problem=result.problem,
        rejected=frozenset(lines[index] for index in result.rejected_lines),
    )
    if case.is_about_access:
        check = await client.check()
        side.checks[case.name] = (check.kind, check.problem)


def _client(
    session: aiohttp.ClientSession,
    url: str,
    server: Server,
    case: Case,
    accounts: dict[str, Account],
) -> InfluxClient:
    account = accounts[case.who]
    destination = replace(
        destination_of(server, case.database),
        url=url,
        org=case.org,
        retention_policy=case.policy,
        token=account.token,
        username=account.user,
        password=account.password,
    )
    client = InfluxClient(session, destination)
    # The client itself knows nothing but nanoseconds.
    client._url = client._url.update_query(precision=case.precision)
    return client


def _twin(profile: Profile, accounts: dict[str, Account]) -> Emulator:
    emulator = Emulator(profile=profile, now=NOW + 60)
    databases = {DATABASE, WEEK}
    emulator.names = {"db": databases, "bucket": databases, "org": {"home"}, "rp": {"autogen"}}
    if len(accounts) > 1:
        named = {who: _authorization(account) for who, account in accounts.items()}
        emulator.allowed = {named[who] for who in {"owner", "writer"} & named.keys()}
        emulator.read_only = {named[who] for who in {"reader"} & named.keys()}
    return emulator


def _authorization(account: Account) -> str:
    if account.token:
        return f"Token {account.token}"
    return f"Basic {b64encode(f'{account.user}:{account.password}'.encode()).decode()}"


def _accounts(server: Server) -> dict[str, Account]:
    """Make a database that keeps a week, and those who may read or write only."""
    endpoint = endpoint_of(server)
    owner = server.account
    if server.dialect == "victoriametrics":
        return {"owner": owner}
    if server.dialect == "v1":
        for query in (
            f"CREATE DATABASE {WEEK} WITH DURATION 7d NAME autogen",
            "CREATE USER reader WITH PASSWORD 'reads only'",
            "CREATE USER writer WITH PASSWORD 'writes only'",
            f"GRANT READ ON {DATABASE} TO reader",
            f"GRANT WRITE ON {DATABASE} TO writer",
        ):
            endpoint.request("/query", {"q": query}, body=b"")
        return {
            "owner": owner,
            "reader": Account(user="reader", password="reads only"),
            "writer": Account(user="writer", password="writes only"),
            "wrong": replace(owner, password="wrong secret"),
            "nobody": replace(owner, user="nobody"),
            "none": Account(),
        }

    def post(path: str, content: dict[str, Any]) -> Any:
        return json.loads(endpoint.request(f"/api/v2/{path}", body=json.dumps(content).encode()))

    (org,) = json.loads(endpoint.request("/api/v2/orgs", {"org": owner.org}))["orgs"]
    rule = {"type": "expire", "everySeconds": WEEK_SECONDS}
    post("buckets", {"orgID": org["id"], "name": WEEK, "retentionRules": [rule]})
    resource = {"type": "buckets", "orgID": org["id"]}

    def only(action: str) -> Account:
        permissions = [{"action": action, "resource": resource}]
        made = post("authorizations", {"orgID": org["id"], "permissions": permissions})
        return Account(token=made["token"], org=owner.org)

    return {
        # Its user is for the web page.
        "owner": Account(token=owner.token, org=owner.org),
        "reader": only("read"),
        "writer": only("write"),
        "wrong": Account(token="wrong secret"),
        "none": Account(),
    }


def _stored(server: Server, case: Case) -> list[str]:
    if server.dialect != "victoriametrics" and case.database not in {DATABASE, WEEK}:
        return []
    points = server.query_points(case.measurement, case.database)
    return sorted(_told(each["time_ns"], each["tags"], each["fields"]) for each in points)


def _told(time_ns: int, tags: dict[str, str], fields: dict[str, Any]) -> str:
    """Write a point so that 1, 1.0 and True are three different values."""
    return json.dumps([time_ns, tags, fields], sort_keys=True)
