"""The dashboard is added, brought up to date, and made of what Home Assistant has."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import hass_frontend
import pytest
from homeassistant.components import frontend
from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.components.lovelace.dashboard import LovelaceYAML
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Emulator
from tests.pages import PACKAGE
from tests.shell import new_entry, set_up

STOCK: Final = {
    *("heading", "tile", "gauge", "markdown", "history-graph", "statistics-graph"),
}


@pytest.fixture(autouse=True)
async def _dashboards(hass: HomeAssistant) -> None:
    """Home Assistant's dashboards; the frontend itself is not needed."""
    hass.config.components.add("frontend")
    assert await async_setup_component(hass, "lovelace", {})


async def add(hass: HomeAssistant) -> Any:
    return await hass.services.async_call(
        DOMAIN, "add_dashboard", {}, blocking=True, return_response=True
    )


async def stored(hass: HomeAssistant) -> dict[str, Any]:
    dashboard = hass.data[LOVELACE_DATA].dashboards["ha-ingestor-health"]
    return await dashboard.async_load(force=False)


def cards(view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for section in view["sections"]:
        yield from section["cards"]


def named(value: Any) -> Iterator[str]:
    """Yield every entity that a configuration names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "entity":
                yield inner
            else:
                yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)


async def test_one_action_adds_a_dashboard_of_stock_cards(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)

    assert await add(hass) == {"url": "/ha-ingestor-health", "views": 1}

    (view,) = (await stored(hass))["views"]
    assert (view["type"], view["title"]) == ("sections", "Attic")
    assert {card["type"] for card in cards(view)} <= STOCK
    titles = [card["heading"] for card in cards(view) if card["type"] == "heading"]
    assert titles[0] == "Now"
    assert "Data-api" not in titles
    panel = hass.data[frontend.DATA_PANELS]["ha-ingestor-health"]
    assert (panel.sidebar_title, panel.require_admin) == ("HA Ingestor health", True)


async def test_every_entity_of_it_exists_and_is_enabled(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await add(hass)

    registry = er.async_get(hass)
    found = set(named(await stored(hass)))
    assert len(found) > 6
    for entity_id in found:
        known = registry.async_get(entity_id)
        assert known is not None
        assert (known.config_entry_id, known.disabled_by) == (entry.entry_id, None)


async def test_an_entity_that_was_renamed_is_found(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    old = registry.async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_backlog")
    assert old
    registry.async_update_entity(old, new_entity_id="sensor.queue")

    await add(hass)

    assert "sensor.queue" in set(named(await stored(hass)))
    assert old not in set(named(await stored(hass)))
    assert "states('sensor.queue')" in str(await stored(hass))


async def test_adding_the_dashboard_again_keeps_the_views_of_the_user(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await add(hass)
    first = await stored(hass)
    own = {"title": "Mine", "path": "mine", "cards": []}
    dashboard = hass.data[LOVELACE_DATA].dashboards["ha-ingestor-health"]
    await dashboard.async_save({"views": [own, *first["views"]], "background": "red"})

    await add(hass)

    assert await stored(hass) == {"views": [own, *first["views"]], "background": "red"}
    assert list(hass.data[LOVELACE_DATA].dashboards) == [None, "ha-ingestor-health"]


async def test_several_destinations_have_a_view_each_and_a_removed_one_has_none(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    other = new_entry(database.url, database="other")
    for each in (entry, other):
        await set_up(hass, each)

    assert (await add(hass))["views"] == 2
    one, two = (await stored(hass))["views"]
    assert not set(named(one)) & set(named(two))
    # Both are called Attic.
    assert one["title"] != two["title"]

    await hass.config_entries.async_remove(entry.entry_id)
    await add(hass)
    assert (await stored(hass))["views"] == [two | {"title": "Attic"}]


async def test_without_a_destination_it_says_so(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError, match="There is no destination"):
        await add(hass)


async def test_a_dashboard_in_yaml_is_left_alone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    config = {"mode": "yaml", "filename": "x.yaml", "title": "X"}
    theirs = LovelaceYAML(hass, "ha-ingestor-health", config)
    hass.data[LOVELACE_DATA].dashboards["ha-ingestor-health"] = theirs
    with pytest.raises(ServiceValidationError, match="defined in YAML"):
        await add(hass)


async def test_a_home_assistant_that_hides_its_dashboards_says_where_to_find_the_text(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    del hass.data["websocket_api"]["lovelace/dashboards/create"]
    with pytest.raises(HomeAssistantError, match="Paste the one from the documentation"):
        await add(hass)


async def test_only_an_administrator_may_add_the_dashboard(
    hass: HomeAssistant, entry: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    await set_up(hass, entry)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "add_dashboard",
            {},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )


def test_every_icon_is_one_that_the_frontend_has() -> None:
    folder = Path(hass_frontend.__file__).parent / "static" / "mdi"
    known = {
        name
        for path in folder.glob("*.json")
        if path.stem != "iconList"
        for content in [json.loads(path.read_text())]
        if isinstance(content, dict)
        for name in content
    }
    assert len(known) > 7000
    used: set[str] = set()
    for path in (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.json"), *PACKAGE.rglob("*.js")):
        used.update(re.findall(r"mdi:([a-z0-9-]+)", path.read_text()))
    assert used
    assert used - known == set()
