"""A data-api beside a destination: connected, shown, repaired and taken away by the user."""

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryData,
    SubentryFlowResult,
)
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.icon import async_get_icons
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components import ha_ingestor
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.data_api import requests
from custom_components.ha_ingestor.data_api.coordinator import UNAUTHORIZED, issues_of
from custom_components.ha_ingestor.data_api.sync import SyncState
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from custom_components.ha_ingestor.entities.data_api import DATA_API_SENSORS
from custom_components.ha_ingestor.flows.data_api import SCHEMA
from custom_components.ha_ingestor.options.data_api import ERRORS
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.registry import snapshot
from custom_components.ha_ingestor.repairs import async_create_fix_flow
from scripts.rig.data_api import DataApi, Fault
from tests.emulator import Emulator
from tests.shell import NOWHERE, new_entry, set_up, until

KEY = "a-secret-key"
WORDS = json.loads((Path(ha_ingestor.__file__).parent / "translations" / "en.json").read_text())
CONNECTED = "binary_sensor.data_api_on_127_0_0_1_connected"


@pytest.fixture(name="server")
async def _server(socket_enabled: None) -> AsyncIterator[DataApi]:
    async with DataApi() as server:
        yield server


def with_data_api(database: Emulator, url: str, **changes: Any) -> MockConfigEntry:
    """Build an entry whose user has added a data-api."""
    data = {"url": url, "api_key": "", "verify_ssl": True, "refresh": 30} | changes
    subentry = ConfigSubentryData(
        data=data, subentry_type="data_api", title="data-api on 127.0.0.1", unique_id="data_api"
    )
    base = new_entry(database.url)
    return MockConfigEntry(
        domain=DOMAIN, title=base.title, data=base.data, subentries_data=[subentry]
    )


async def begin(hass: HomeAssistant, entry: MockConfigEntry) -> SubentryFlowResult:
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "data_api"), context={"source": "user"}
    )


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, **entered: Any
) -> SubentryFlowResult:
    assert result["type"] is FlowResultType.FORM, result
    entered = {"verify_ssl": True, "refresh": 30.0} | entered
    return await hass.config_entries.subentries.async_configure(result["flow_id"], entered)


def subentry_data(entry: MockConfigEntry) -> Mapping[str, Any]:
    subentry: ConfigSubentry
    (subentry,) = entry.subentries.values()
    return subentry.data


def issue(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"data_api_{entry.entry_id}_{key}")


async def reloaded(hass: HomeAssistant, entry: MockConfigEntry, before: object) -> None:
    """Wait until what runs is no longer what ran."""
    await until(lambda: getattr(entry, "runtime_data", before) is not before)
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    await hass.async_block_till_done()


def state_of(hass: HomeAssistant, entity_id: str) -> str | None:
    state = hass.states.get(entity_id)
    return state.state if state else None


async def test_a_data_api_is_added_and_gets_every_row_at_once(
    hass: HomeAssistant, server: DataApi, entry: MockConfigEntry
) -> None:
    server.api_key = KEY
    await set_up(hass, entry)
    result = await submit(
        hass, await begin(hass, entry), url=server.url + "/", api_key=f" {KEY}\n", refresh=45.0
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert subentry_data(entry) == {
        "url": server.url,
        "api_key": KEY,
        "verify_ssl": True,
        "refresh": 45,
    }
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)
    ours = {entity.entity_id for entity in er.async_get(hass).entities.values()}
    assert server.tables.entities.keys() <= ours
    await until(lambda: server.tables.entities.keys() == ours)
    assert "Attic" in {row["name"] for row in server.tables.devices.values()}


@pytest.mark.parametrize(
    ("prepare", "entered", "errors"),
    [
        ({}, {"url": NOWHERE}, {"url": "unreachable"}),
        ({}, {"url": "ftp://x"}, {"url": "unsupported_scheme"}),
        ({}, {"url": "http://a:b@x"}, {"url": "url_credentials"}),
        ({}, {"refresh": 4}, {"refresh": "out_of_range"}),
        ({}, {"refresh": 1_441}, {"refresh": "out_of_range"}),
        ({"api_key": KEY}, {}, {"api_key": "invalid_auth"}),
        ({"api_key": KEY}, {"api_key": "wrong"}, {"api_key": "invalid_auth"}),
        ({"impostor": Fault(status=404)}, {}, {"url": "wrong_service"}),
        ({"impostor": Fault(status=200, body="<html>")}, {}, {"url": "wrong_service"}),
        ({"impostor": Fault(status=500)}, {}, {"url": "server_error"}),
        ({"impostor": Fault(status=503)}, {}, {"url": "server_error"}),
        ({"impostor": Fault(status=302)}, {}, {"url": "redirect"}),
    ],
)
async def test_what_is_wrong_is_said_where_it_is_and_can_be_mended(
    hass: HomeAssistant,
    server: DataApi,
    entry: MockConfigEntry,
    *,
    prepare: dict[str, Any],
    entered: dict[str, Any],
    errors: dict[str, str],
) -> None:
    for name, value in prepare.items():
        setattr(server, name, value)
    await set_up(hass, entry)
    result = await submit(hass, await begin(hass, entry), **{"url": server.url} | entered)
    assert result["errors"] == errors
    assert set(errors.values()) <= WORDS["config_subentries"]["data_api"]["error"].keys()
    assert "a-secret" not in str(result["data_schema"])

    server.api_key, server.impostor = "", None
    result = await submit(hass, result, url=server.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)


async def test_a_destination_has_one_data_api_at_most(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    result = await begin(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.mark.parametrize(
    ("entered", "stored"), [("", KEY), ("another-key", "another-key")], ids=["kept", "changed"]
)
async def test_a_key_is_kept_at_its_address(
    hass: HomeAssistant, server: DataApi, database: Emulator, entered: str, stored: str
) -> None:
    entry = with_data_api(database, server.url, api_key=KEY)
    await set_up(hass, entry)
    server.api_key = stored
    (subentry,) = entry.subentries.values()
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    result = await submit(hass, result, url=server.url, api_key=entered)
    assert result["reason"] == "reconfigure_successful"
    assert subentry_data(entry)["api_key"] == stored
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)


async def test_a_key_is_not_sent_to_another_address(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    entry = with_data_api(database, NOWHERE, api_key=KEY)
    await set_up(hass, entry)
    (subentry,) = entry.subentries.values()
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    before = entry.runtime_data
    await submit(hass, result, url=server.url)
    await reloaded(hass, entry, before)
    assert all("Authorization" not in seen.headers for seen in server.seen)
    assert subentry_data(entry)["api_key"] == ""


async def test_a_refused_key_is_asked_for_and_then_everything_is_sent(
    hass: HomeAssistant, server: DataApi, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    server.api_key = KEY
    entry = with_data_api(database, server.url, api_key="the-old-key")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, "data_api_unauthorized"))
    assert state_of(hass, CONNECTED) == STATE_OFF

    assert await async_setup_component(hass, "repairs", {})
    http = await hass_client()
    issue_id = f"data_api_{entry.entry_id}_data_api_unauthorized"
    reply = await http.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await reply.json()
    path = f"/api/repairs/issues/fix/{form['flow_id']}"
    again = await (await http.post(path, json={"api_key": "wrong"})).json()
    assert again["errors"] == {"base": "invalid_auth"}
    reply = await http.post(path, json={"api_key": KEY})
    assert reply.status == HTTPStatus.OK

    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)
    assert issue(hass, entry, "data_api_unauthorized") is None
    assert server.tables.entities


async def test_another_server_at_the_address_is_an_issue_until_the_data_api_is_back(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    server.impostor = Fault(status=404)
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, "data_api_wrong_service"))
    server.impostor = None
    await hass.services.async_call(DOMAIN, "resync_registries", {}, blocking=True)
    await until(lambda: issue(hass, entry, "data_api_wrong_service") is None)
    assert state_of(hass, CONNECTED) == STATE_ON


async def test_actions_without_descriptions_are_an_issue_and_stop_nothing(
    hass: HomeAssistant, server: DataApi, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "No module named 'custom_components.odd'"
    failing = AsyncMock(side_effect=ModuleNotFoundError(reason))
    monkeypatch.setattr(snapshot, "async_get_all_descriptions", failing)
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, "actions_undescribed"))
    found = issue(hass, entry, "actions_undescribed")
    assert found
    assert found.translation_placeholders == {
        "title": "data-api on 127.0.0.1",
        "detail": f"ModuleNotFoundError: {reason}",
        "panel": f"/ha-ingestor/flow?entry={entry.entry_id}",
        "server": server.url.replace("://", "\\://"),
    }
    assert state_of(hass, CONNECTED) == STATE_ON
    assert server.tables.entities
    assert (DOMAIN, "flush") in server.tables.services
    failing.side_effect, failing.return_value = None, {}
    await hass.services.async_call(DOMAIN, "resync_registries", {}, blocking=True)
    await until(lambda: issue(hass, entry, "actions_undescribed") is None)


async def test_a_server_that_hangs_is_shown_while_it_hangs(
    hass: HomeAssistant, server: DataApi, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "SLOW_SECONDS", 0.3)
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)
    server.faults.append(Fault(kind="hang"))
    await hass.services.async_call(DOMAIN, "resync_registries", {}, blocking=True)
    await until(lambda: state_of(hass, CONNECTED) == STATE_OFF)
    shown = hass.states.get(CONNECTED)
    assert shown
    assert shown.attributes["problem"] == Problem.TIMEOUT
    assert server.faults == deque()


def test_a_page_at_the_address_is_an_issue_when_it_stays() -> None:
    def keys(attempts: int) -> list[str]:
        return [one.key for one in issues_of(SyncState(problem=Problem.PROXY, attempts=attempts))]

    assert keys(1) == keys(9) == []
    assert keys(10) == ["data_api_wrong_service"]
    assert "data_api_wrong_service" in WORDS["issues"]


async def test_neither_key_nor_page_is_shown_anywhere(
    hass: HomeAssistant,
    server: DataApi,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    page = f"<html><img src=//evil/{KEY}><script>alert(1)</script></html>"
    server.impostor = Fault(status=502, body=page, headers={"Content-Type": "text/html"})
    entry = with_data_api(database, server.url, api_key=KEY)
    await set_up(hass, entry)
    sync = entry.runtime_data.registries.sync
    await until(lambda: sync.state.connected is False)
    server.impostor = Fault(status=500, body=json.dumps({"error": f"<b>Bearer {KEY}</b>"}))
    await until(lambda: sync.state.problem is not Problem.NONE)
    told = await async_get_config_entry_diagnostics(hass, entry)
    shown = [str(told), caplog.text, *(str(state.as_dict()) for state in hass.states.async_all())]
    shown += [str(issue) for issue in ir.async_get(hass).issues.values()]
    for text in shown:
        assert KEY not in text
        assert "<script" not in text


async def test_a_row_that_is_refused_is_named(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    entities = er.async_get(hass)
    entities.async_get_or_create("light", "hue", "1", suggested_object_id="odd")
    entities.async_get_or_create("light", "hue", "2", suggested_object_id="even")
    server.tables.refuse = lambda row: "odd" if row.get("entity_id") == "light.odd" else None
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, "rows_rejected"))
    found = issue(hass, entry, "rows_rejected")
    assert found
    assert found.translation_placeholders == {
        "title": "data-api on 127.0.0.1",
        "row": "light.odd",
        "reason": "Failed to bulk upsert entities: odd",
        "panel": f"/ha-ingestor/registries?entry={entry.entry_id}",
        "count": "1",
        "server": server.url.replace("://", "\\://"),
    }
    assert "light.even" in server.tables.entities
    rejected = hass.states.get("sensor.data_api_on_127_0_0_1_rows_rejected")
    assert rejected
    assert rejected.state == "1"
    assert list(rejected.attributes["rows"]) == ["light.odd"]


async def test_stale_rows_are_named_in_the_attributes_of_their_sensor(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    entry = with_data_api(database, server.url)
    (subentry_id,) = entry.subentries
    entities = er.async_get(hass)
    # The user has enabled it.
    sensor = entities.async_get_or_create("sensor", DOMAIN, f"{subentry_id}_rows_lingering")
    entities.async_get_or_create("light", "hue", "1", suggested_object_id="gone")
    await set_up(hass, entry)
    await until(lambda: "light.gone" in server.tables.entities)
    entities.async_remove("light.gone")
    await until(lambda: state_of(hass, sensor.entity_id) == "1")
    shown = hass.states.get(sensor.entity_id)
    assert shown
    assert (shown.attributes["rows"], shown.attributes["renamed"]) == (["light.gone"], 0)
    await entry.runtime_data.registries.async_refresh()
    assert state_of(hass, sensor.entity_id) == "1"


async def test_ids_that_a_server_lists_are_shown_as_one_short_line(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    entry = with_data_api(database, server.url)
    (subentry_id,) = entry.subentries
    entities = er.async_get(hass)
    sensor = entities.async_get_or_create("sensor", DOMAIN, f"{subentry_id}_rows_lingering")
    server.tables.upsert_entities(
        [{"entity_id": "light.<img src=x>\n[a](b)"}, {"entity_id": "light." + "x" * 1_000_000}]
    )
    await set_up(hass, entry)
    await until(lambda: state_of(hass, sensor.entity_id) == "2")
    shown = hass.states.get(sensor.entity_id)
    assert shown
    first, second = shown.attributes["rows"]
    assert first == "light.\u2039img src=x\u203a (a)(b)"
    assert len(second) < 3_000


async def test_a_key_for_a_data_api_that_is_gone_is_not_asked_for(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    flow: Any = await async_create_fix_flow(
        hass, "any", {"entry_id": entry.entry_id, "problem": UNAUTHORIZED}
    )
    flow.hass = hass
    result = await flow.async_step_init()
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_the_action_sends_everything_again(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    await set_up(hass, with_data_api(database, server.url))
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)
    server.tables.clear()
    await hass.services.async_call(DOMAIN, "resync_registries", {}, blocking=True)
    await until(lambda: server.tables.entities)


async def test_the_action_says_that_there_is_no_data_api(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(DOMAIN, "resync_registries", {}, blocking=True)
    assert raised.value.translation_key == "no_data_api"


async def test_an_unreachable_data_api_stops_no_points(
    hass: HomeAssistant, database: Emulator
) -> None:
    await set_up(hass, with_data_api(database, NOWHERE))
    hass.states.async_set("sensor.one", "1")
    await until(lambda: state_of(hass, CONNECTED) == STATE_OFF)
    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: database.points)


async def test_removing_a_data_api_removes_its_device_and_its_issues(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    server.impostor = Fault(status=404)
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, "data_api_wrong_service"))
    (subentry,) = entry.subentries.values()
    before = entry.runtime_data
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await reloaded(hass, entry, before)
    assert issue(hass, entry, "data_api_wrong_service") is None
    names = {device.name for device in dr.async_get(hass).devices}
    assert names == {"Attic"}


async def test_diagnostics_show_the_sync_and_no_secret(
    hass: HomeAssistant, server: DataApi, database: Emulator
) -> None:
    server.api_key = KEY
    entry = with_data_api(database, server.url, api_key=KEY)
    await set_up(hass, entry)
    await until(lambda: state_of(hass, CONNECTED) == STATE_ON)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["registries"]["connected"] is True
    assert KEY not in str(told)
    assert "127.0.0.1" not in str(told)


def test_every_text_is_there_and_no_other() -> None:
    words = WORDS["config_subentries"]["data_api"]
    for step in ("user", "reconfigure"):
        assert words["step"][step]["data"].keys() == {str(key) for key in SCHEMA.schema}
        assert words["step"][step]["data_description"].keys() == words["step"][step]["data"].keys()
    said = {Problem.UNREACHABLE, Problem.TIMEOUT, Problem.TLS, Problem.REDIRECT}
    said |= {Problem.SERVER_ERROR, Problem.INVALID_AUTH}
    form = {"invalid_url", "unsupported_scheme", "url_credentials", "out_of_range", "not_whole"}
    assert set(words["error"]) == {*said, *ERRORS.values(), *form}
    fix = WORDS["issues"]["data_api_unauthorized"]["fix_flow"]
    assert set(fix["error"]) == set(words["error"]) - form


async def test_every_entity_has_a_name_and_an_icon(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    icons = (await async_get_icons(hass, "entity", {DOMAIN}))[DOMAIN]
    for description in DATA_API_SENSORS:
        assert description.key in icons["sensor"]
        assert "name" in WORDS["entity"]["sensor"][description.key]
