"""Certificates that nobody but the user vouches for."""

import pytest
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.emulator import V2_7, Emulator
from tests.tls import Authority

from .steps import V2_INPUT, enter, locate

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")


def is_open(result: ConfigFlowResult) -> bool:
    """Whether the fields about the encryption are in view."""
    shown = result["data_schema"]
    assert shown
    collapsed: bool = shown.schema["advanced"].options["collapsed"]
    return not collapsed


async def test_the_encryption_is_in_view_only_where_there_is_something_to_see(
    hass: HomeAssistant,
) -> None:
    result = await locate(hass, "http://127.0.0.1:1")
    assert result["errors"] == {"url": "unreachable"}
    assert not is_open(result)
    result = await locate(hass, "http://127.0.0.1:1", result=result, verify_ssl=False)
    assert is_open(result)


async def test_an_unknown_certificate_is_told_and_its_authority_can_be_pasted(
    hass: HomeAssistant, authority: Authority
) -> None:
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        result = await locate(hass, server.url)
        assert result["errors"] == {"url": "tls"}
        assert is_open(result)
        result = await locate(
            hass, server.url, result=result, ca_certificate=authority.private_key + authority.pem
        )
        assert result["step_id"] == "v2"
        result = await enter(hass, result, **V2_INPUT)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["ca_certificate"] == authority.pem.strip()
    assert "PRIVATE" not in result["data"]["ca_certificate"]


async def test_verification_can_be_switched_off(hass: HomeAssistant, authority: Authority) -> None:
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        result = await locate(hass, server.url, verify_ssl=False)
        result = await enter(hass, result, **V2_INPUT)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["verify_ssl"] is False


@pytest.mark.parametrize(
    "pem",
    [
        "garbage",
        "a" * 1_000_000,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nä\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)
async def test_what_is_no_certificate_is_refused(
    hass: HomeAssistant, server: Emulator, pem: str
) -> None:
    result = await locate(hass, server.url, ca_certificate=pem)
    assert (result["step_id"], result["errors"]) == ("user", {"base": "invalid_certificate"})
    assert is_open(result)

    result = await locate(hass, server.url, result=result)
    assert result["step_id"] == "v2"
