"""The dashboard with a week of data, as a browser draws it on a desk, on a phone and in the dark.

With HA_INGESTOR_PICTURES the pictures are kept in that folder.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Error

from scripts.rig.api import Api
from scripts.rig.browser import Frontend, frontend
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.past import hours, import_statistics, insert_states
from scripts.rig.servers import Server

from .installation import any_database, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LOOKS: Final[Mapping[str, Any]] = {
    "desk": {"width": 1600, "height": 1200},
    "phone": {"width": 390, "height": 3600},
    "dark": {"width": 1600, "height": 1200, "dark": True},
}


def own_entities(api: Api, entry_id: str) -> dict[str, str]:
    """Return the ids of the entities by the end of their unique ids."""
    return {
        each["unique_id"].removeprefix(f"{entry_id}_"): each["entity_id"]
        for each in api.ws("config/entity_registry/list")
        if each["platform"] == DOMAIN
    }


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Some database."""
    name = any_database()
    with Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True) as server:
        server.start()
        yield server


@pytest.fixture(scope="module", name="home")
def _home(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """A home with a destination, a week of data, and the dashboard."""
    with ExitStack() as stack:
        home = HomeAssistant(directory=tmp_path_factory.mktemp("home"), demo=True)
        stack.callback(home.stop)
        home.start()
        result = connect(home.api, address_of(server, server.database))
        entry_id = result["result"]["entry_id"]
        entities = own_entities(home.api, entry_id)
        for entity_id in entities.values():
            home.api.ws("config/entity_registry/update", entity_id=entity_id, disabled_by=None)
        home.api.reload(entry_id)
        assert until(lambda: known(home.api, entities))
        home.stop()
        made = hours(time.time())
        insert_states(home.directory, entities, made)
        home.start()
        import_statistics(home.api, entities, made)
        home.api.call_service(DOMAIN, "add_dashboard")
        yield home


def known(api: Api, entities: Mapping[str, str]) -> bool:
    states = {each["entity_id"]: each["state"] for each in api.states()}
    return states.get(entities["status"]) == "ok" and entities["oldest_age"] in states


@pytest.fixture(params=LOOKS, name="window")
def _window(home: HomeAssistant, request: pytest.FixtureRequest) -> Iterator[Frontend]:
    """A browser that shows the dashboard."""
    with ExitStack() as stack:
        try:
            window = stack.enter_context(frontend(home.api, **LOOKS[request.param]))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        window.page.add_init_script("localStorage.setItem('dockedSidebar', '\"always_hidden\"')")
        window.open("/ha-ingestor-health")
        window.page.locator("hui-statistics-graph-card").first.wait_for()
        window.settle()
        yield window


def keep(window: Frontend, tmp_path: Path, name: str) -> None:
    folder = Path(os.environ.get("HA_INGESTOR_PICTURES") or tmp_path)
    window.page.screenshot(path=folder / f"dashboard-{name}.png", scale="css")


def test_a_dashboard_is_drawn_without_errors_and_fits_the_window(
    window: Frontend, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    page = window.page
    keep(window, tmp_path, request.node.callspec.id)

    assert page.locator("hui-error-card, hui-warning").count() == 0
    assert page.locator("hui-tile-card").count() > 6
    assert page.locator("hui-statistics-graph-card canvas").count() >= 4
    shown = page.locator("hui-sections-view").inner_text()
    for word in ("No statistics found", "No state history found", "What to do about it"):
        assert word not in shown
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("window", ["desk"], indirect=True)
def test_when_the_database_is_away_it_says_so_and_what_to_do(
    home: HomeAssistant, server: Server, window: Frontend, tmp_path: Path
) -> None:
    server.stop()
    home.api.set_state("sensor.something", "1")

    window.page.get_by_text("Server unreachable").wait_for()
    link = window.page.get_by_role("link", name="What to do about it")
    assert str(link.get_attribute("href")).endswith("docs/troubleshooting.md")
    keep(window, tmp_path, "away")
