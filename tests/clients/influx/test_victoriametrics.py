"""Whether VictoriaMetrics stores a repeated point once: as it says itself, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.victoriametrics import ask_storage
from tests.emulator import V2_7, VM_NEW, VM_OLD, Answer, Emulator, Profile
from tests.shell import NOWHERE

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


def at(url: str, token: str = "") -> Destination:
    return Destination(url=url, dialect=Dialect.VICTORIAMETRICS, token=token)


@pytest.mark.parametrize("profile", [VM_OLD, VM_NEW], ids=lambda profile: profile.version)
@pytest.mark.parametrize(
    ("value", "expected"),
    [("0s", False), ("0", False), ("0ms", False), ("1ms", True), ("10s", True), ("1m30s", True)],
)
async def test_deduplication_is_read_from_the_flag_of_the_server(
    session: aiohttp.ClientSession, profile: Profile, value: str, expected: object
) -> None:
    assert profile.metrics is not None
    assert '"0s"' in profile.metrics
    started = replace(profile, metrics=profile.metrics.replace('"0s"', f'"{value}"'))
    async with Emulator(profile=started, prefix="/sub") as server:
        assert (await ask_storage(session, at(server.url))).deduplicates is expected


async def test_deduplication_is_found_at_the_end_of_a_long_page_of_metrics(
    session: aiohttp.ClientSession,
) -> None:
    assert VM_NEW.metrics is not None
    long = "vm_requests_total 1\n" * 50_000 + VM_NEW.metrics
    async with Emulator(profile=replace(VM_NEW, metrics=long)) as server:
        assert (await ask_storage(session, at(server.url))).deduplicates is False


async def test_the_credentials_are_sent_with_the_question_about_deduplication(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(profile=VM_NEW) as server:
        server.allowed = {"Bearer good"}
        assert (await ask_storage(session, at(server.url))).deduplicates is None
        assert (await ask_storage(session, at(server.url, "good"))).deduplicates is False


async def test_a_server_that_does_not_tell_is_not_blamed(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=replace(VM_NEW, metrics="vmauth_user_requests_total 1\n")) as proxy:
        assert (await ask_storage(session, at(proxy.url))).deduplicates is None
        proxy.impostor = Answer(status=200, body="<html>", headers={"Content-Type": "text/html"})
        assert (await ask_storage(session, at(proxy.url))).deduplicates is None
    async with Emulator(profile=V2_7) as other:
        assert (await ask_storage(session, at(other.url))).deduplicates is None
    assert (await ask_storage(session, at(NOWHERE))).deduplicates is None


async def test_no_answer_is_told_from_a_server_that_does_not_tell(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(profile=VM_NEW) as server:
        assert (await ask_storage(session, at(server.url))).is_answered
        server.impostor = Answer(status=404, body="no such page")
        assert (await ask_storage(session, at(server.url))).is_answered
        server.impostor = Answer(status=503, body="busy")
        assert not (await ask_storage(session, at(server.url))).is_answered
    assert not (await ask_storage(session, at(NOWHERE))).is_answered


@pytest.mark.parametrize("profile", [VM_NEW, VM_OLD], ids=lambda known: known.version)
async def test_samples_that_are_acknowledged_and_not_stored_are_counted_by_reason(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    week = 7 * 86_400
    async with Emulator(profile=profile, retention=week) as server:
        client = InfluxClient(session, at(server.url))
        old = "\n".join(f"m value={n},other=2 {server.now - 2 * week}000000000" for n in range(33))
        result = await client.write(old.encode())
        found = (await ask_storage(session, at(server.url))).ignored

    assert result.code == 204
    assert server.stored == []
    assert found == {"small_timestamp": 66, "big_timestamp": 0}


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        ("", None),
        ("vm_rows_ignored_total 5\n", None),
        ('vm_rows_ignored_total{reason="nan_value"} 1.5e+3\n', {"nan_value": 1500}),
        ('vm_rows_ignored_total{accountID="0", reason="big_timestamp"} 2\n', {"big_timestamp": 2}),
        ('vm_rows_ignored_total{reason="x"} many\n', None),
        # As version 1.79 says it, and as 1.150 says it twice.
        (
            (
                'vm_rows_ignored_total{reason="big_timestamp"} 0\n'
                "vm_hourly_series_limit_rows_dropped_total 16\n"
            ),
            {"big_timestamp": 0, "hourly_limit_exceeded": 16},
        ),
        (
            (
                'vm_rows_ignored_total{reason="hourly_limit_exceeded"} 15\n'
                "vm_hourly_series_limit_rows_dropped_total 15\n"
            ),
            {"hourly_limit_exceeded": 15},
        ),
        ("vm_daily_series_limit_rows_dropped_total 3\n", {"daily_limit_exceeded": 3}),
    ],
)
async def test_a_page_of_numbers_is_read_as_it_is(
    session: aiohttp.ClientSession, metrics: str, found: object
) -> None:
    async with Emulator(profile=VM_NEW) as server:
        server.impostor = Answer(status=200, body=metrics)
        assert (await ask_storage(session, at(server.url))).ignored == found
