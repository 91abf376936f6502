"""The panel in the sidebar: who sees it, for how long, and where its files are."""

from http import HTTPStatus
from typing import Any, Final

import pytest
from homeassistant.components.frontend import DATA_PANELS
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.panel import FILES
from tests.emulator import Emulator
from tests.shell import new_entry, set_up

PATH: Final = "ha-ingestor"


def panel(hass: HomeAssistant) -> Any:
    """Return the panel as it is registered, or None."""
    return hass.data.get(DATA_PANELS, {}).get(PATH)


async def test_the_panel_is_for_administrators_and_hides_no_options(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert panel(hass).require_admin
    # With a config panel the options could not be reached any more.
    assert panel(hass).config_panel_domain is None
    assert panel(hass).sidebar_title == "HA Ingestor"


async def test_without_a_destination_there_is_no_panel(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert panel(hass) is None


async def test_every_module_is_served_below_a_path_that_changes_with_the_content(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    client = await hass_client_no_auth()
    root = panel(hass).config["modules"]
    assert panel(hass).config["_panel_custom"]["module_url"] == f"{root}/panel.js"
    for file in FILES.glob("*.js"):
        answer = await client.get(f"{root}/{file.name}")
        assert answer.status == HTTPStatus.OK
        assert "javascript" in answer.headers["Content-Type"]
        assert await answer.text() == file.read_text()


async def test_the_panel_stays_while_the_only_destination_is_reloaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    before = panel(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert panel(hass) is before
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert panel(hass) is before


async def test_the_panel_goes_with_the_last_destination_that_is_enabled(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    other = new_entry(database.url, database="other")
    await set_up(hass, other)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert panel(hass)
    await hass.config_entries.async_remove(other.entry_id)
    assert panel(hass) is None
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert panel(hass)


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval("])
def test_no_module_makes_markup_of_data(word: str) -> None:
    assert [file.name for file in FILES.glob("*.js") if word in file.read_text()] == []
