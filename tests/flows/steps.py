"""What a user does in the dialogue."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Answer, Emulator

PAGE = Answer(status=200, body="<!DOCTYPE html><html>", headers={"Content-Type": "text/html"})
V2_INPUT = {"token": "good", "org": "home", "bucket": "home_assistant"}
BLANK = {
    "org": "",
    "bucket": "",
    "database": "",
    "retention_policy": "",
    "username": "",
    "password": "",
    "token": "",
    "verify_ssl": True,
    "ca_certificate": "",
}


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialogue."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})


async def submit(hass: HomeAssistant, result: ConfigFlowResult, **entered: Any) -> ConfigFlowResult:
    """Fill in the form that is shown."""
    assert result["type"] is FlowResultType.FORM, result
    return await hass.config_entries.flow.async_configure(result["flow_id"], entered)


async def choose(hass: HomeAssistant, result: ConfigFlowResult, option: str) -> ConfigFlowResult:
    """Choose from the menu that is shown."""
    assert result["type"] is FlowResultType.MENU, result
    assert option in result["menu_options"]
    return await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": option}
    )


async def enter(hass: HomeAssistant, result: ConfigFlowResult, **entered: Any) -> ConfigFlowResult:
    """Fill in the credentials and the names, and choose the profile; stop at the first error."""
    done: set[str] = set()
    while result["type"] is FlowResultType.FORM and result["step_id"] not in done:
        done.add(result["step_id"])
        asked = suggested(result).keys()
        known = {key: value for key, value in entered.items() if key in asked}
        result = await submit(hass, result, **known)
        if result.get("errors"):
            break
    if result["type"] is FlowResultType.MENU and result["step_id"] == "profile":
        return await choose(hass, result, "profile_homeiq")
    return result


async def locate(
    hass: HomeAssistant,
    url: str,
    *,
    result: ConfigFlowResult | None = None,
    dialect: str = "auto",
    **advanced: Any,
) -> ConfigFlowResult:
    """Enter an address in the first form."""
    result = result or await begin(hass)
    return await submit(hass, result, url=url, dialect=dialect, advanced=advanced)


def told(result: ConfigFlowResult) -> Mapping[str, str]:
    """Read what the texts of the form are completed with."""
    return result["description_placeholders"] or {}


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Read what is filled in already; of a section only that."""
    assert result["data_schema"]
    return _suggested(result["data_schema"])


def _suggested(schema: Any) -> dict[str, Any]:
    return {
        key.schema: (
            {name: value for name, value in _suggested(field.schema).items() if value}
            if isinstance(field, section)
            else (key.description or {}).get("suggested_value")
        )
        for key, field in schema.schema.items()
    }


async def connected(hass: HomeAssistant, server: Emulator, **more: Any) -> MockConfigEntry:
    """Set up a destination as the dialogue would have."""
    data = {**BLANK, "url": server.url, "dialect": "v2", **V2_INPUT, **more}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="home_assistant on 127.0.0.1",
        data=data,
        unique_id=f"v2|{server.url}|home|home_assistant",
    )
    entry.add_to_hass(hass)
    return entry
