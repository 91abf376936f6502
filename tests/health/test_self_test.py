"""The self-test on emulated databases: answers that a real one gives rarely."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.influx import admin, client, probe, read_back
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from custom_components.ha_ingestor.health import self_test
from custom_components.ha_ingestor.pipeline.files import OsFiles
from tests.emulator import Answer, Emulator, Fault
from tests.shell import new_entry, set_up, until

TOKEN = "a-token-that-nobody-may-see"

type Answers = Callable[[web.Request, list[str]], web.Response]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "READ_SECONDS", 0.3)
    monkeypatch.setattr(self_test, "READ_SECONDS_METRICS", 0.3)
    monkeypatch.setattr(self_test, "WRITE_SECONDS", 2.0)
    monkeypatch.setattr(self_test, "_READ_INTERVAL", 0.05)


@asynccontextmanager
async def server(answers: Answers, **headers: str) -> AsyncIterator[str]:
    """Serve a database that takes everything, and answers queries as it is told."""
    lines: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        path = request.path.removeprefix("/base")
        own = {"X-Influxdb-Version": "v1.2.3", **headers}
        if path.endswith(("/write", "/write_lp")):
            body = await request.read()
            lines.extend(line for line in body.decode().split("\n") if line)
            return web.Response(status=204, headers=own)
        if path == "/ping":
            return web.Response(status=204, headers=own)
        if path == "/api/v2/buckets":
            return web.json_response({"buckets": []}, headers=own)
        return answers(request, [line for line in lines if "self_test" in line])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/base"
    finally:
        await runner.cleanup()


async def report_of(hass: HomeAssistant) -> dict[str, Any]:
    """Run the action and return the report of the only destination."""
    answer: Any = await hass.services.async_call(
        DOMAIN, "self_test", {}, blocking=True, return_response=True
    )
    (report,) = answer["destinations"]
    json.dumps(report, allow_nan=False)
    assert TOKEN not in str(report)
    assert not re.search(r"\{[a-z]+\}", report["message"])
    assert not report["message"].startswith("self_test_")
    return dict(report)


async def verdict_of(hass: HomeAssistant, answers: Answers, dialect: str, **headers: str) -> Any:
    async with server(answers, **headers) as url:
        entry = new_entry(url, dialect=dialect, token=TOKEN, org="home", bucket='b"${x}')
        await set_up(hass, entry)
        report = await report_of(hass)
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
    return report


def _parts(line: str) -> tuple[float, int]:
    _, field, moment = line.split(" ")
    return float(field.removeprefix("value=")), int(moment)


def _v1(request: web.Request, lines: list[str]) -> web.Response:
    assert request.query["db"] == "home_assistant"
    if "SHOW" in request.query["q"]:
        return web.json_response({"results": [{}]})
    values = [
        [moment, value]
        for value, moment in map(_parts, lines)
        if f"WHERE time = {moment}" in request.query["q"]
    ]
    return web.json_response({"results": [{"series": [{"values": values}]}]})


def _v2(request: web.Request, lines: list[str]) -> web.Response:
    assert request.path == "/base/api/v2/query"
    assert request.headers["Authorization"] == f"Token {TOKEN}"
    value, moment = _parts(lines[-1])
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment / 1e9))
    csv = (
        "#datatype,string,long,dateTime:RFC3339,double\r\n#group,false,false,false,false\r\n"
        f"#default,_result,,,\r\n,result,table,_time,_value\r\n,,0,{shown},{value}\r\n\r\n"
    )
    return web.Response(text=csv, content_type="text/csv")


def _v3(request: web.Request, lines: list[str]) -> web.Response:
    assert request.path == "/base/api/v3/query_sql"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    return web.json_response([{"value": _parts(line)[0]} for line in lines])


def _metrics(request: web.Request, lines: list[str]) -> web.Response:
    if request.path == "/base/metrics":
        return web.Response(text='vm_app_version{short_version="v1.150.0"} 1\n')
    assert request.path == "/base/api/v1/export"
    assert 'db="home_assistant"' in request.query["match[]"]
    series = [json.dumps({"values": [_parts(line)[0]]}) for line in lines]
    return web.Response(text="\n".join(series))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize(
    ("dialect", "answers"),
    [("v1", _v1), ("v2", _v2), ("v3", _v3), ("victoriametrics", _metrics)],
)
async def test_every_dialect_is_asked_in_its_own_language(
    hass: HomeAssistant, dialect: str, answers: Answers
) -> None:
    report = await verdict_of(hass, answers, dialect)
    assert (report["verdict"], report["written"], report["found"]) == ("ok", True, True), report
    assert report["read_seconds"] < 5
    assert abs(report["clock_ahead_seconds"]) <= 1.5


def _always(status: int, text: str = "", kind: str = "application/json") -> Answers:
    return lambda *_: web.Response(status=status, text=text, content_type=kind)


EMPTY = '{"results":[{"statement_id":0}]}'
HIDDEN = json.dumps({"code": "not found", "message": 'could not find bucket "home_assistant"'})


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize(
    ("dialect", "answers", "verdict"),
    [
        ("v1", _always(403, '{"error":"requires READ"}'), "no_permission"),
        ("v1", _always(401), "no_permission"),
        ("v1", _always(404, "404 page not found"), "no_queries"),
        ("v1", _always(200, "<html>login</html>", "text/html"), "no_queries"),
        ("v1", _always(500, "engine failed"), "read_failed"),
        ("v1", _always(200, '{"results":[{"error":"timeout"}]}'), "read_failed"),
        ("v1", _always(200, EMPTY), "not_found"),
        ("v1", _always(200, "[1]"), "not_found"),
        ("v1", _always(200, '{"results":[{"series":[{"values":7}]}]}'), "not_found"),
        ("v2", _always(404, HIDDEN), "no_permission"),
        ("v2", _always(401, '{"code":"unauthorized"}'), "no_permission"),
        ("v2", _always(404, "404 page not found"), "no_queries"),
        ("v2", _always(500, "engine failed"), "read_failed"),
        ("v2", _always(200, "", "text/csv"), "not_found"),
        ("v3", _always(403), "no_permission"),
        ("v3", _always(200, "[]"), "not_found"),
        ("v2", _always(200, "<html>login</html>", "text/html"), "read_failed"),
        ("v2", _always(200, "<html>\n\n,result,table", "text/csv"), "read_failed"),
        ("victoriametrics", _always(400, "unsupported path requested"), "no_queries"),
        ("victoriametrics", _always(400, "cannot parse"), "read_failed"),
        ("victoriametrics", _always(200, ""), "not_found_metrics"),
    ],
)
async def test_a_point_that_is_sent_and_not_found_is_explained(
    hass: HomeAssistant, dialect: str, answers: Answers, verdict: str
) -> None:
    report = await verdict_of(hass, answers, dialect)
    assert report["verdict"] == verdict, report
    assert (report["written"], report["found"]) == (True, False)


@pytest.mark.usefixtures("socket_enabled")
async def test_a_clock_that_differs_is_the_likely_reason(hass: HomeAssistant) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 7200))
    report = await verdict_of(hass, _always(200, EMPTY), "v1", Date=date)
    assert report["verdict"] == "not_found_clock"
    # A busy machine takes some seconds to ask.
    assert report["clock_ahead_seconds"] == pytest.approx(7200, abs=60)
    assert re.search("differs by 7[12]\\d\\d s", report["message"])


@pytest.mark.usefixtures("socket_enabled")
async def test_what_a_server_says_is_shown_as_text_and_without_secrets(hass: HomeAssistant) -> None:
    said = f"<b>[click](http://x)</b> {TOKEN} password=hunter22"
    report = await verdict_of(hass, _always(500, said), "v1")
    shown = report["message"] + report["detail"]
    assert "hunter22" not in shown
    assert "[click]" not in shown
    assert "<b>" not in shown


async def test_a_point_that_is_refused_is_named_with_the_reason(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status == "ok")
    refused = '{"error":"partial write: field type conflict dropped=1"}'
    database.faults.append(Fault(answer=Answer(status=400, body=refused)))
    report = await report_of(hass)
    assert (report["verdict"], report["written"]) == ("refused", False)
    assert "field type conflict" in report["message"]


async def test_a_destination_that_is_paused_gets_nothing(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.services.async_call(DOMAIN, "pause", {}, blocking=True)
    assert (await report_of(hass))["verdict"] == "paused"
    assert not [seen for seen in database.writes if b"self_test" in seen.body]


async def test_a_database_that_does_not_answer_is_named(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await until(lambda: database.writes)
    database.impostor = Answer(status=200, body="<html>login</html>")
    report = await report_of(hass)
    assert (report["verdict"], report["problem"]) == ("not_sent", "proxy")
    assert "Something else answered" in report["message"]
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["last_self_test"]["detail"] == "**REDACTED**"


async def test_a_request_that_hangs_ends_the_wait(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (admin, client, probe, read_back):
        monkeypatch.setattr(module, "CHECK_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    monkeypatch.setattr(client, "RETENTION_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status == "ok")
    database.slowness = 60.0
    report = await report_of(hass)
    assert report["verdict"] == "waiting"
    assert report["backlog"] >= 1
    database.slowness = 0.0
    # So that the stop does not wait for it either.
    await database.__aexit__()


async def test_a_destination_that_is_unloaded_meanwhile_ends_the_test(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status == "ok")
    database.slowness = 1.0
    test = hass.async_create_task(report_of(hass))
    await until(lambda: [seen for seen in database.writes if b"self_test" in seen.body])
    assert await hass.config_entries.async_unload(entry.entry_id)
    report = await test
    assert report["verdict"] == "stopped"


async def test_a_disk_that_fails_is_named(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    await until(lambda: entry.runtime_data.pipeline.export_state.status == "ok")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(OsFiles, "write", broken)
        report = await report_of(hass)
    assert report["verdict"] == "disk"
    assert not report["written"]


async def test_the_button_shows_what_came_of_it(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    data = {"entity_id": "button.attic_self_test"}
    await hass.services.async_call("button", "press", data, blocking=True)

    notifications = hass.data["persistent_notification"]
    shown = notifications[f"ha_ingestor_self_test_{entry.entry_id}"]
    assert shown["title"] == "Attic: self-test"
    # The emulated database takes points and answers no queries.
    assert "answers no queries" in shown["message"]
    assert "keeps points for ever" in shown["message"]
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["last_self_test"]["verdict"] == "no_queries"


async def test_a_destination_that_is_not_loaded_is_not_tested(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for data in ({}, {"config_entry_id": entry.entry_id}, {"config_entry_id": "unknown"}):
        with pytest.raises(ServiceValidationError):
            await hass.services.async_call(
                DOMAIN, "self_test", data, blocking=True, return_response=True
            )
