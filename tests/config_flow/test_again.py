"""Mending a connection: new credentials, or another place."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.emulator import V1_13, V3, VM_NEW, Emulator

from .steps import BLANK, PAGE, V2_INPUT, connected, locate, submit, suggested

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")


async def test_reauth_asks_for_the_credentials_only_and_keeps_the_rest(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server, token="revoked")
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    assert suggested(result) == {"token": ""}

    result = await submit(hass, result, token="bad")
    assert result["errors"] == {"token": "invalid_auth"}
    result = await submit(hass, result, token="good")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data == {**BLANK, "url": server.url, "dialect": "v2", **V2_INPUT}


async def test_reauth_with_a_username_shows_it_and_hides_the_password(hass: HomeAssistant) -> None:
    async with Emulator(profile=V1_13) as server:
        server.allowed = {"Basic dTpw"}
        data = {"dialect": "v1", "username": "u", "password": "old", "database": "home_assistant"}
        entry = await connected(hass, server, **{**data, "token": "", "org": "", "bucket": ""})
        result = await entry.start_reauth_flow(hass)
        assert suggested(result) == {"username": "u", "password": ""}
        result = await submit(hass, result, username="u", password="p")

    assert result["reason"] == "reauth_successful"
    assert entry.data["password"] == "p"


async def test_reauth_survives_a_server_that_is_down(hass: HomeAssistant, server: Emulator) -> None:
    entry = await connected(hass, server)
    result = await entry.start_reauth_flow(hass)
    server.impostor = PAGE
    result = await submit(hass, result, token="good")
    assert result["errors"] == {"base": "proxy"}


async def test_reconfigure_points_the_entry_elsewhere(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    async with Emulator(profile=V3) as other:
        other.allowed = {"Bearer fresh"}
        result = await entry.start_reconfigure_flow(hass)
        assert result["step_id"] == "reconfigure"
        assert suggested(result)["url"] == server.url

        result = await locate(hass, "http://127.0.0.1:1", result=result)
        assert (result["step_id"], result["errors"]) == ("reconfigure", {"url": "unreachable"})
        result = await locate(hass, other.url, result=result)
        assert result["step_id"] == "v3"
        result = await submit(hass, result, token="fresh", database="ha")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    where = {"url": other.url, "dialect": "v3", "token": "fresh", "database": "ha"}
    assert entry.data == {**BLANK, **where}
    assert entry.unique_id == f"v3|{other.url}|ha"
    assert entry.title == "ha on 127.0.0.1"


async def test_reconfigure_keeps_what_is_left_as_it_is(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    hass.config_entries.async_update_entry(entry, title="My archive")
    before = dict(entry.data)
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert suggested(result) == {"token": "", "org": "home", "bucket": "home_assistant"}
    result = await submit(hass, result, org="home", bucket="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data, entry.title) == (before, "My archive")


async def test_an_empty_token_means_the_stored_one_and_not_the_one_just_refused(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    result = await submit(hass, result, **{**V2_INPUT, "token": "bad"})
    assert result["errors"] == {"token": "invalid_auth"}
    result = await submit(hass, result, org="home", bucket="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert entry.data["token"] == "good"


async def test_reconfigure_does_not_take_over_another_destination(
    hass: HomeAssistant, server: Emulator
) -> None:
    await connected(hass, server)
    entry = await connected(hass, server, bucket="another")
    hass.config_entries.async_update_entry(entry, unique_id=f"v2|{server.url}|home|another")
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    result = await submit(hass, result, **V2_INPUT)

    assert result["reason"] == "already_configured"
    assert entry.data["bucket"] == "another"


async def test_a_username_replaces_the_token_that_was_used_before(hass: HomeAssistant) -> None:
    async with Emulator(profile=VM_NEW) as server:
        server.allowed = {"Basic dTpw"}
        old = {"dialect": "victoriametrics", "token": "old", "org": "", "bucket": ""}
        entry = await connected(hass, server, **old)
        result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
        result = await submit(hass, result, username="u", password="p")

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data["token"], entry.data["password"]) == ("", "p")
