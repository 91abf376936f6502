"""What a user does in the options, and the words that are shown there."""

import json
from pathlib import Path
from typing import Any, Final, cast

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import ha_ingestor
from custom_components.ha_ingestor.flows.filter_preview import SAVE, SAVE_ANYWAY
from custom_components.ha_ingestor.flows.options import MENUS

PACKAGE: Final = Path(ha_ingestor.__file__).parent
LANGUAGES: Final = {
    path.stem: json.loads(path.read_text())
    for path in sorted((PACKAGE / "translations").glob("*.json"))
}
WORDS: Final = LANGUAGES["en"]


def explained(words: Any) -> Any:
    """Read which fields and sections some words explain; each field has a label too."""
    assert set(words.get("data", {})) == set(words.get("data_description", {}))
    parts = words.get("sections", {})
    assert all(part["name"] and part["description"] for part in parts.values())
    return {**dict.fromkeys(words.get("data", {})), **{k: explained(v) for k, v in parts.items()}}


def fields(schema: Any) -> Any:
    """Read which fields and sections a form has."""
    return {
        str(key): fields(field.schema) if isinstance(field, section) else None
        for key, field in schema.schema.items()
    }


def way_to(page: str) -> list[str]:
    """Find the menus that lead to a page, without the first."""
    for name, choices in MENUS.items():
        if page in choices:
            return [] if name == "init" else [*way_to(name), name]
    raise KeyError(page)


async def open_page(hass: HomeAssistant, entry: MockConfigEntry, page: str) -> ConfigFlowResult:
    """Choose a page of the menus."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    for step in [*way_to(page), page]:
        assert result["type"] is FlowResultType.MENU
        assert result["menu_options"] == MENUS[result["step_id"]]
        result = await choose(hass, result, step)
    return result


async def choose(hass: HomeAssistant, result: ConfigFlowResult, step: str) -> ConfigFlowResult:
    """Choose something of a menu."""
    assert result["type"] is FlowResultType.MENU
    assert step in result["menu_options"]
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": step}
    )


async def shown_again(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Load the page of the browser anew: the dialogue is asked for the step that it is at."""
    return await hass.config_entries.options.async_configure(result["flow_id"])


async def confirm(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Confirm an effect of what was chosen, and let the entry reload while something happens."""
    result = await choose(hass, result, "confirmed")
    await hass.async_block_till_done()
    return result


async def save(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Save a filter whose preview is shown."""
    (save_it,) = {SAVE, SAVE_ANYWAY} & set(cast("list[str]", result["menu_options"]))
    result = await choose(hass, result, save_it)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    return result


async def fill_in(
    hass: HomeAssistant, result: ConfigFlowResult, **entered: Any
) -> ConfigFlowResult:
    """Submit the page that is shown, and let the entry reload while something happens."""
    assert result["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(result["flow_id"], entered)
    hass.states.async_set("sensor.meanwhile", "1")
    await hass.async_block_till_done()
    return result
