"""A destination that is not loaded: every door gives a clear answer, whatever the reason is."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import pytest
import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

import custom_components.ha_ingestor as integration
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.data_api.coordinator import UNAUTHORIZED
from custom_components.ha_ingestor.flows.options import MENUS, PAGES
from custom_components.ha_ingestor.health.issues.issues import QUARANTINED
from custom_components.ha_ingestor.health.issues.remote import GIVEN_UP
from custom_components.ha_ingestor.health.issues.remote import UNAUTHORIZED as REMOTE_UNAUTHORIZED
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.repairs import async_create_fix_flow
from custom_components.ha_ingestor.services import ACTIONS
from tests.emulator import Emulator
from tests.shell import new_entry, spool_path

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN: Final = "t0p-s3cr3t-t0ken"


async def _unloaded(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def _disabled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)


async def _bad_certificate(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    data = {**entry.data, "ca_certificate": "no certificate"}
    hass.config_entries.async_update_entry(entry, data=data)
    assert not await hass.config_entries.async_setup(entry.entry_id)


async def _bad_address(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": "http://[bad"})
    assert not await hass.config_entries.async_setup(entry.entry_id)


async def _retried(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    async def not_yet(*_: object) -> None:
        raise ConfigEntryNotReady("Later")

    # After everything was built.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hass.config_entries, "async_forward_entry_setups", not_yet)
        assert not await hass.config_entries.async_setup(entry.entry_id)


async def _not_unloaded(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    async def fails(*_: object) -> bool:
        return False

    assert await hass.config_entries.async_setup(entry.entry_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integration, "_async_unload", fails)
        assert not await hass.config_entries.async_unload(entry.entry_id)


STATES: Final[Mapping[str, tuple[Callable[..., Awaitable[None]], ConfigEntryState]]] = {
    "unloaded": (_unloaded, ConfigEntryState.NOT_LOADED),
    "disabled": (_disabled, ConfigEntryState.NOT_LOADED),
    "bad certificate": (_bad_certificate, ConfigEntryState.SETUP_ERROR),
    "bad address": (_bad_address, ConfigEntryState.SETUP_ERROR),
    "set-up is tried again": (_retried, ConfigEntryState.SETUP_RETRY),
    "unload failed": (_not_unloaded, ConfigEntryState.FAILED_UNLOAD),
}


@pytest.fixture(name="gone", params=STATES)
async def _gone(
    request: pytest.FixtureRequest, hass: HomeAssistant, database: Emulator
) -> AsyncIterator[MockConfigEntry]:
    """Lend a destination that is not loaded, with a data-api and a remote home."""
    entry = new_entry(database.url, token=TOKEN)
    for name in (DOMAIN, "repairs", "system_health"):
        assert await async_setup_component(hass, name, {})
    entry.add_to_hass(hass)
    bring, state = STATES[request.param]
    await bring(hass, entry)
    await hass.async_block_till_done()
    assert entry.state is state
    yield entry
    if state is ConfigEntryState.FAILED_UNLOAD:
        await entry.runtime_data.async_stop()


@pytest.fixture(autouse=True)
def _no_exception(caplog: pytest.LogCaptureFixture) -> Any:
    """Fail when an exception reached Home Assistant."""
    yield
    logged = [each for each in caplog.records if each.exc_info and each.levelno >= logging.ERROR]
    assert [each.getMessage() for each in logged] == []


async def test_diagnostics_tell_what_is_known_and_no_secret(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, gone: MockConfigEntry
) -> None:
    folder = spool_path(hass, gone)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quarantine-000001.ndjson").write_bytes(b"abc")

    told: Any = await get_diagnostics_for_config_entry(hass, hass_client, gone)

    assert told["state"]["state"] == gone.state.value
    assert told["state"]["disabled_by"] == gone.disabled_by
    assert told["spool"]["quarantine-000001.ndjson"] == 3
    assert told["options"]["spool"]["max_size"] > 0
    assert told["entry"]["data"]["database"] == "home_assistant"
    assert "ledger" not in told
    assert TOKEN not in str(told)
    assert str(gone.data["url"]) not in str(told)


@pytest.mark.parametrize("gone", ["bad certificate", "set-up is tried again"], indirect=True)
async def test_diagnostics_tell_why_it_is_not_loaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, gone: MockConfigEntry
) -> None:
    told: Any = await get_diagnostics_for_config_entry(hass, hass_client, gone)
    reasons = {"setup_error": "invalid_connection", "setup_retry": "Later"}
    assert told["state"]["reason"] == reasons[gone.state.value]


async def test_every_http_view_answers(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, gone: MockConfigEntry
) -> None:
    client = await hass_client()
    expected = {
        "health": HTTPStatus.OK,
        "health/dependencies": HTTPStatus.OK,
        "metrics": HTTPStatus.OK,
        "ready": HTTPStatus.SERVICE_UNAVAILABLE,
    }
    for name, status in expected.items():
        for query in ("", f"?config_entry_id={gone.entry_id}"):
            reply = await client.get(f"/api/{DOMAIN}/{name}{query}")
            assert (name, reply.status) == (name, status)
            text = await reply.text()
            assert TOKEN not in text
            is_listed = query or gone.disabled_by is None
            assert not is_listed or name == "metrics" or "not loaded" in text or "unhealthy" in text
            if not is_listed and name in {"health", "ready"}:
                assert (await reply.json())["message"] == "Every destination is disabled"
    for name in ("devices", "entities"):
        reply = await client.get(f"/api/{DOMAIN}/{name}")
        # The metadata store goes with the last destination, unless that could not be unloaded.
        assert reply.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.OK}
        if reply.status != HTTPStatus.OK:
            assert (await reply.json())["message"] == "No destination is loaded"
    reply = await client.get(f"/api/{DOMAIN}/states")
    assert (reply.status, (await reply.json())["states"]) == (HTTPStatus.OK, [])


async def test_every_websocket_command_answers(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, gone: MockConfigEntry
) -> None:
    client = await hass_ws_client(hass)
    change = {"entity_id": "sensor.a", "recorded": False}
    commands: dict[str, dict[str, Any]] = {
        **{name: {} for name in ("health", "last_hour", "entities")},
        "preview_filter": {"filter": {}},
        "preview_entities": change,
        "change_entities": change,
    }
    for name, more in commands.items():
        wanted = {"type": f"{DOMAIN}/{name}", "config_entry_id": gone.entry_id, **more}
        await client.send_json_auto_id(wanted)
        answer = await client.receive_json()
        assert answer["success"], (name, answer)
    for name in ("subscribe", "subscribe_points"):
        wanted = {"type": f"{DOMAIN}/{name}", "config_entry_id": gone.entry_id}
        await client.send_json_auto_id(wanted)
        assert (await client.receive_json())["success"]
        event = (await client.receive_json())["event"]
        assert event["destinations"][0]["state"] == gone.state.value


async def test_system_information_answers(hass: HomeAssistant, gone: MockConfigEntry) -> None:
    info = await get_system_health_info(hass, DOMAIN)
    if gone.disabled_by:
        assert (info["destinations"], info["delivery"]) == (0, "Every destination is disabled")
        return
    assert info["delivery"] == "Attic: not loaded"
    for name in ("can_reach_server", "server_version"):
        assert await info.pop(name)


async def test_every_action_says_that_the_destination_is_not_loaded(
    hass: HomeAssistant, gone: MockConfigEntry
) -> None:
    required: Mapping[str, dict[str, Any]] = {
        "write_points": {"line_protocol": "m v=1"},
        "backfill": {"start_time": "2026-01-01 00:00:00"},
    }
    for action, service in ACTIONS.items():
        call = {**required.get(action, {}), "config_entry_id": gone.entry_id}
        with pytest.raises(HomeAssistantError) as raised:
            await hass.services.async_call(
                DOMAIN,
                action,
                call,
                blocking=True,
                return_response=service.response is SupportsResponse.ONLY,
            )
        assert raised.value.translation_key == "service_config_entry_not_loaded"


def opened(hass: HomeAssistant, flow: Any) -> Any:
    """Give a flow what the manager of flows would."""
    flow.hass = hass
    return flow


async def test_every_step_of_a_repair_says_that_the_destination_is_not_loaded(
    hass: HomeAssistant, gone: MockConfigEntry
) -> None:
    entered: dict[str, Any] = {"confirm": {"retention_days": 1}}
    for problem in (Problem.BUCKET_NOT_FOUND, Problem.REJECTION_SURGE, QUARANTINED):
        data: Any = {"entry_id": gone.entry_id, "problem": problem}
        flow: RepairsFlow = opened(hass, await async_create_fix_flow(hass, "any", data))
        steps = {name.removeprefix("async_step_") for name in dir(flow) if "async_step_" in name}
        assert "init" in steps
        for step in steps - {"ignore", "user"}:
            result = await getattr(flow, f"async_step_{step}")(entered.get(step))
            assert result["type"] is FlowResultType.ABORT, step
            assert result["reason"] == "not_loaded"


SUBENTRY_REPAIRS: Final = (
    ("data_api", UNAUTHORIZED, "api_key"),
    ("remote", REMOTE_UNAUTHORIZED, "token"),
    ("remote", GIVEN_UP, ""),
)


async def test_a_repair_of_a_subentry_opens_and_says_what_cannot_be_used(
    hass: HomeAssistant, gone: MockConfigEntry
) -> None:
    data = {"url": "http://127.0.0.1:9", "verify_ssl": True, "ca_certificate": "bad"}
    for kind, problem, field in SUBENTRY_REPAIRS:
        subentry = ConfigSubentry(
            data=MappingProxyType({**data, "api_key": "", "token": "", "name": "cabin"}),
            subentry_type=kind,
            title="Other",
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(gone, subentry)
        wanted: Any = {"entry_id": gone.entry_id, "problem": problem}
        wanted |= {"subentry_id": subentry.subentry_id}
        flow = opened(hass, await async_create_fix_flow(hass, "any", wanted))
        assert (await flow.async_step_init())["type"] is FlowResultType.FORM
        # Its certificate is none.
        result = await flow.async_step_confirm({field: "new"} if field else {})
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_every_page_of_the_options_opens_and_is_saved(
    hass: HomeAssistant, gone: MockConfigEntry
) -> None:
    for page in {choice for choices in MENUS.values() for choice in choices} - set(MENUS):
        result = await hass.config_entries.options.async_init(gone.entry_id)
        way = next(name for name, choices in MENUS.items() if page in choices)
        for step in ([] if way == "init" else [way]) + [page]:
            result = await hass.config_entries.options.async_configure(
                result["flow_id"], {"next_step_id": step}
            )
        if page not in PAGES:
            assert (page, result["reason"]) == ("write_history", "not_loaded")
            continue
        assert result["type"] is FlowResultType.FORM
        schema: Any = result["data_schema"]
        entered = {
            key: key.description["suggested_value"]
            for key in schema.schema
            if isinstance(key, vol.Required) and key.description
        }
        result = await hass.config_entries.options.async_configure(result["flow_id"], entered)
        assert result["type"] is not FlowResultType.ABORT
        assert not result.get("errors")
        await hass.async_block_till_done()


async def test_every_dialogue_of_the_entry_opens(
    hass: HomeAssistant, gone: MockConfigEntry
) -> None:
    for source, data in ((SOURCE_REAUTH, gone.data), (SOURCE_RECONFIGURE, None)):
        result = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": source, "entry_id": gone.entry_id}, data=data
        )
        assert result["type"] is FlowResultType.FORM
    for kind in ("data_api", "remote", "mqtt"):
        asked = await hass.config_entries.subentries.async_init(
            (gone.entry_id, kind), context={"source": "user"}
        )
        # There is no MQTT in this home.
        is_mqtt = kind == "mqtt"
        assert asked["type"] is (FlowResultType.ABORT if is_mqtt else FlowResultType.FORM)
