"""A pattern that fits nothing is named before it is stored, and can be stored."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.flows.fits_nothing import FITS_NOTHING
from tests.flows.steps import suggested, told
from tests.pages import WORDS, choose, confirm, fill_in, open_page, shown_again
from tests.shell import set_up

ATTRIBUTES = {"shape": "flat", "recorder": True, "coordinates": True, "media": True}
CASES = [
    pytest.param(
        "attributes",
        {**ATTRIBUTES, "only": ["bright*", "brihgt*"], "drop": ["icon"]},
        "brihgt\\*, icon",
        id="attributes",
    ),
    pytest.param(
        "noise",
        {
            "window": 0,
            "rules": [
                {"name": "Lamps", "domains": ["light"], "globs": ["*.lmap"], "throttle": 5},
                {"name": "Power", "device_classes": ["power"], "throttle": 5},
            ],
        },
        "Lamps: \\*.lmap, Power: power",
        id="rules",
    ),
]


@pytest.mark.parametrize(("page", "entered", "unfit"), CASES)
async def test_what_fits_nothing_is_named_before_it_is_stored(
    hass: HomeAssistant, entry: MockConfigEntry, page: str, entered: dict[str, Any], unfit: str
) -> None:
    hass.states.async_set("light.lamp", "on", {"brightness": 3})
    await set_up(hass, entry)
    result = await fill_in(hass, await open_page(hass, entry, page), **entered)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, FITS_NOTHING)
    assert told(result) == {"unfit": unfit}
    assert WORDS["options"]["step"][FITS_NOTHING]["description"].format(**told(result))
    assert entry.options == {}
    again = await shown_again(hass, result)
    assert (again["step_id"], told(again)) == (FITS_NOTHING, {"unfit": unfit})
    result = await confirm(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # What was stored already is not asked again.
    result = await fill_in(hass, await open_page(hass, entry, page), **entered)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    result = await fill_in(hass, await open_page(hass, entry, "weather"), max_age=2)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(("page", "entered", "unfit"), CASES)
async def test_the_way_back_from_what_fits_nothing_shows_what_was_entered(
    hass: HomeAssistant, entry: MockConfigEntry, page: str, entered: dict[str, Any], unfit: str
) -> None:
    hass.states.async_set("light.lamp", "on", {"brightness": 3})
    await set_up(hass, entry)
    result = await fill_in(hass, await open_page(hass, entry, page), **entered)
    assert told(result) == {"unfit": unfit}
    form = await choose(hass, result, "go_back")
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, page)
    assert suggested(form) == entered
    assert entry.options == {}
    result = await fill_in(hass, form, **entered)
    assert result["step_id"] == FITS_NOTHING
    await confirm(hass, result)
    assert entry.options[page].items() >= entered.items()


async def test_a_page_is_saved_at_once_when_every_entry_fits_something(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.lamp", "on", {"brightness": 3})
    await set_up(hass, entry)
    page = await open_page(hass, entry, "attributes")
    result = await fill_in(hass, page, **ATTRIBUTES, only=["bright*"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
