"""What a user does in the options, and the words that are shown there."""

import json
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import ha_ingestor
from custom_components.ha_ingestor.flows.options import MENU

PACKAGE: Final = Path(ha_ingestor.__file__).parent
WORDS: Final = json.loads((PACKAGE / "translations" / "en.json").read_text())


async def open_page(hass: HomeAssistant, entry: MockConfigEntry, page: str) -> ConfigFlowResult:
    """Choose a page of the menu."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == MENU
    flow_id = result["flow_id"]
    return await hass.config_entries.options.async_configure(flow_id, {"next_step_id": page})


async def fill_in(
    hass: HomeAssistant, result: ConfigFlowResult, **entered: Any
) -> ConfigFlowResult:
    """Submit the page that is shown, and let the entry reload while something happens."""
    assert result["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(result["flow_id"], entered)
    hass.states.async_set("sensor.meanwhile", "1")
    await hass.async_block_till_done()
    return result
