"""The panel in a home of 2,000 entities: all at once, asleep, after a restart, and for whom.

At the end there are 10,000.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from scripts.rig.api import Api
from scripts.rig.browser import Frontend
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import Destination, any_database, until
from .test_panel import PAGES, WINDOWS, look, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ENTITIES: Final = 2000
MANY: Final = 10_000


def helpers(count: int) -> str:
    """Configure so many entities, the first ones always with the same names."""
    names = [f"room_{number:04}" for number in range(count)]
    return "input_number:\n" + "".join(
        f"  {name}: {{name: {name}, min: 0, max: 9000}}\n" for name in names
    )


# Of each: markup, an emoji of several characters, and a mark that turns the direction around.
LEFT_TO_RIGHT: Final = "Küche <b>😀</b> 👩‍👩‍👧 \u202eabc"
RIGHT_TO_LEFT: Final = "غرفة <b>😀</b> המעגל 👩‍👩‍👧"
# The elements of the panel whose text is exactly this, with the direction of each, and how many
# elements there are that only such a name could have made.
SHOWN_TEXT: Final = """(panel, text) => {
  const found = { directions: [], made: 0 };
  const look = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) look(each.shadowRoot);
      if (each.localName === "b" && each.textContent === "😀") found.made += 1;
      if (!each.children.length && each.textContent.trim() === text)
        found.directions.push(getComputedStyle(each).direction);
    }
  };
  look(panel.shadowRoot);
  return found;
}"""
# A hidden page, as far as it can tell.
HIDE: Final = """isHidden => {
  Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
  Object.defineProperty(
    document, "visibilityState", {value: isHidden ? "hidden" : "visible", configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# What Home Assistant answers on the connection of the page.
ASK: Final = """async message => {
  const { hass } = document.querySelector("home-assistant");
  return hass.connection.sendMessagePromise(message).then(() => "done", (error) => error.code);
}"""
GUEST: Final = "guest"
# Sources, filter, spool, database.
STAGES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody with a browser."""

    api: Api


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home with many entities, and where they are recorded."""

    process: HomeAssistant
    destination: Destination

    @property
    def api(self) -> Api:
        """Home Assistant's interfaces, which `opened` wants."""
        return self.process.api

    def change(self, name: str, value: int) -> None:
        """Set one of the many."""
        entity_id = f"input_number.{name}"
        self.api.call_service("input_number", "set_value", entity_id=entity_id, value=value)

    def write(self, *lines: str) -> None:
        """Write points of no entity."""
        asked = {"config_entry_id": self.destination.entry_id, "line_protocol": "\n".join(lines)}
        self.api.call_service("ha_ingestor", "write_points", **asked)

    def rename(self, title: str) -> None:
        """Give the destination another title, with which it is reloaded."""
        asked = {"entry_id": self.destination.entry_id, "title": title}
        self.api.ws("config_entries/update", **asked)
        assert until(lambda: self.api.entries("ha_ingestor")[0]["state"] == "loaded")

    def received(self) -> int:
        """Count the events, as the panel shows them."""
        return int(self.destination.diagnostics()["ledger"]["received"])


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    name = any_database()
    with ExitStack() as stack:
        server = Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True)
        stack.enter_context(server).start()
        process = HomeAssistant(directory=tmp_path_factory.mktemp("large"), more=helpers(ENTITIES))
        stack.callback(process.stop)
        process.start()
        entry = connect(process.api, address_of(server, server.database))["result"]
        destination = Destination(
            server=server,
            database=server.database,
            api=process.api,
            entry_id=entry["entry_id"],
        )
        yield Home(process=process, destination=destination)


def shown(window: Frontend) -> int:
    """Return how many events the panel says were received."""
    text = window.page.locator("ha-ingestor-panel .stage .big").first.inner_text()
    return int(text.replace(",", ""))


def test_two_thousand_entities_are_listed_and_hundreds_are_left_out_together(home: Home) -> None:
    with opened(home, **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor/entities")
        panel = window.page.locator("ha-ingestor-panel")
        listed = panel.get_by_text("entities recorded").first
        listed.wait_for()
        assert int(listed.inner_text().split()[2].replace(",", "")) >= ENTITIES
        table = panel.locator("ha-data-table")
        table.get_by_placeholder("Search entities").fill("room_01")
        rows = table.locator(".mdc-data-table__row")
        rows.filter(has_not_text="room_01").first.wait_for(state="detached")
        table.locator(".mdc-data-table__header-row ha-checkbox").click()
        panel.get_by_text("Selected: 100 entities").wait_for()
        panel.get_by_role("toolbar").get_by_role("button", name="Leave out").click()
        dialog = panel.locator("ha-dialog")
        dialog.get_by_text("and 92 more").wait_for()
        dialog.get_by_role("button", name="Apply").click()
        panel.get_by_text("Selected").wait_for(state="detached")
        table.get_by_text("Excluded by entity: input_number.room_0100").wait_for()
    home.change("room_0150", 7)
    home.change("room_0250", 7)
    home.destination.settle()
    states = {
        name: [each["fields"]["state"] for each in home.destination.points(f"input_number.{name}")]
        for name in ("room_0150", "room_0250")
    }
    assert "7.0" not in states["room_0150"]
    assert "7.0" in states["room_0250"]


def test_history_that_is_being_written_is_resumed_from_the_page(home: Home) -> None:
    asked = {"config_entry_id": home.destination.entry_id}
    home.api.call_service("ha_ingestor", "backfill", start_time="2026-01-01 00:00", **asked)
    home.api.call_service("ha_ingestor", "pause_backfill", **asked)
    with opened(home, **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor/sources")
        panel = window.page.locator("ha-ingestor-panel")
        panel.get_by_text("Writing history").wait_for()
        panel.get_by_role("button", name="Continue").click()
        panel.get_by_text("Writing history").wait_for(state="detached")
    assert home.destination.diagnostics()["health"]["backfill"]["status"] == "done"


def test_a_page_that_was_hidden_for_an_hour_shows_what_is_now(home: Home) -> None:
    """Home Assistant takes such a page apart; one that is frozen gets all of it afterwards."""
    with opened(home, **WINDOWS["desktop"]) as window:
        window.page.clock.install()
        window.open("/ha-ingestor/flow")
        page, panel = window.page, window.page.locator("ha-ingestor-panel")
        panel.get_by_text("Everything is delivered").wait_for()
        session = page.context.new_cdp_session(page)
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        home.change("room_0001", 1)
        session.send("Page.setWebLifecycleState", {"state": "active"})
        page.evaluate(HIDE, True)
        page.clock.fast_forward("01:00:00")
        panel.wait_for(state="detached")
        for value in range(5):
            home.change("room_0002", 10 + value)
        wanted = home.received()
        page.evaluate(HIDE, False)
        page.clock.resume()
        panel.get_by_text("Everything is delivered").wait_for()
        page.wait_for_function(
            """wanted => {
              const flow = document.querySelector("home-assistant").shadowRoot;
              const find = (root) => {
                for (const each of root.querySelectorAll("*")) {
                  if (each.localName === "ha-ingestor-flow") return each;
                  const found = each.shadowRoot && find(each.shadowRoot);
                  if (found) return found;
                }
              };
              const text = find(flow)?.shadowRoot.querySelector(".stage .big")?.textContent;
              return Number((text ?? "").replaceAll(",", "")) >= wanted;
            }""",
            arg=wanted,
        )
        assert shown(window) >= wanted


def test_after_a_restart_under_the_page_it_goes_on_and_knows_the_outage_before(home: Home) -> None:
    assert isinstance(home.destination.server, Server)
    home.destination.settle()
    home.destination.server.stop()
    home.change("room_0003", 3)
    with opened(home, **WINDOWS["desktop"]) as window:
        window.open(f"/ha-ingestor/problems?entry={home.destination.entry_id}")
        panel = window.page.locator("ha-ingestor-panel")
        panel.get_by_text("Goes on").wait_for()
        home.process.stop()
        panel.get_by_text("No connection to HA Ingestor").wait_for()
        home.destination.server.start()
        home.process.start()
        panel.get_by_text("No connection to HA Ingestor").wait_for(state="detached")
        panel.get_by_text(", all by").wait_for()
        assert window.page.url.endswith(f"problems?entry={home.destination.entry_id}")
    home.destination.settle()
    stored = home.destination.points("input_number.room_0003")
    assert "3.0" in [each["fields"]["state"] for each in stored]


@pytest.mark.parametrize("language", ["en", "he"])
def test_names_with_emoji_and_from_right_to_left_are_text_in_their_own_direction(
    home: Home, language: str
) -> None:
    """On all pages, in a page from left to right and in one from right to left."""
    names = {
        "sensor.strange_ltr": (LEFT_TO_RIGHT, "ltr"),
        "sensor.strange_rtl": (RIGHT_TO_LEFT, "rtl"),
    }
    for entity_id, (name, _) in names.items():
        home.api.set_state(entity_id, f"{name} {language}", friendly_name=name)
    tag = RIGHT_TO_LEFT.replace(" ", "\\ ")
    home.write(f"weather,place={tag} wind=1")
    home.write(f'weather,place={tag} wind="{LEFT_TO_RIGHT}"')
    title = f"{RIGHT_TO_LEFT} 2"
    home.rename(title)
    with opened(home, language=language, **WINDOWS["desktop"]) as window:
        panel = window.page.locator("ha-ingestor-panel")

        def shown(text: str) -> set[str]:
            """Wait for a text, and return the directions in which it is shown."""
            panel.get_by_text(text, exact=True).first.wait_for()
            found = panel.evaluate(SHOWN_TEXT, text)
            assert not found["made"]
            return set(found["directions"])

        window.open("/ha-ingestor/flow")
        assert shown(title) == {"rtl"}
        held = panel.locator(".branch.warning .row").first
        assert held.inner_text().split()[-1] == "1"
        look(window, f"names_flow_{language}")
        boxes = [each.bounding_box() for each in panel.locator(".stage").all()]
        places = [each["x"] for each in boxes if each]
        assert len(places) == STAGES
        assert places == sorted(places, reverse=language == "he")
        for page in PAGES:
            panel.locator(f"ha-tab-group-tab[data-page={page}]").click()
            panel.locator(f"ha-ingestor-{page}").wait_for()
            width = window.page.evaluate("document.documentElement.scrollWidth")
            assert width <= WINDOWS["desktop"]["width"]
        panel.locator(".bar ha-button").first.click()
        panel.locator("li").get_by_text(RIGHT_TO_LEFT.partition(" ")[0]).first.wait_for()
        assert not panel.evaluate(SHOWN_TEXT, "")["made"]
        look(window, f"names_quarantine_{language}")
        panel.locator("ha-tab-group-tab[data-page=points]").click()
        panel.locator("ha-ingestor-points input").wait_for()
        for entity_id, (name, _) in names.items():
            home.api.set_state(entity_id, f"{name} {language} 2", friendly_name=name)
        panel.locator(".row").filter(has_text="strange_rtl").click()
        assert shown(f"{RIGHT_TO_LEFT} {language} 2") == {"rtl"}
        look(window, f"names_point_{language}")
        panel.locator("ha-tab-group-tab[data-page=entities]").click()
        panel.locator("ha-data-table input").first.fill("strange")
        for name, direction in names.values():
            assert shown(name) == {direction}
        panel.get_by_text(RIGHT_TO_LEFT, exact=True).click()
        panel.locator("ha-dialog").get_by_text(f"{RIGHT_TO_LEFT} {language} 2").first.wait_for()
        look(window, f"names_entity_{language}")
    asked = {"config_entry_id": home.destination.entry_id}
    home.api.call_service("ha_ingestor", "purge_quarantine", **asked)
    home.rename("home_assistant")


def _guest(api: Api) -> Api:
    """Make a user who is no administrator, and log in."""
    user = api.ws("config/auth/create", name=GUEST, group_ids=["system-users"])["user"]
    password = {"username": GUEST, "password": f"{GUEST}-password"}
    api.ws("config/auth_provider/homeassistant/create", user_id=user["id"], **password)
    client: dict[str, Any] = {"client_id": f"{api.url}/"}
    begun = client | {"handler": ["homeassistant", None], "redirect_uri": f"{api.url}/"}
    flow = api.request("POST", "/auth/login_flow", begun)["flow_id"]
    code = api.request("POST", f"/auth/login_flow/{flow}", client | password)["result"]
    grant = client | {"grant_type": "authorization_code", "code": code}
    token = api.request("POST", "/auth/token", grant, form=True)["access_token"]
    return replace(api, token=token)


def test_who_is_no_administrator_sees_no_panel_and_is_told_nothing(home: Home) -> None:
    entry_id = home.destination.entry_id
    with opened(Visitor(api=_guest(home.api)), **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor")
        page = window.page
        page.wait_for_url(lambda url: "ha-ingestor" not in url)
        assert page.locator("ha-ingestor-panel").count() == 0
        assert page.get_by_text("HA Ingestor", exact=True).count() == 0
        for command in ("health", "subscribe", "subscribe_points", "entities", "last_hour"):
            asked = {"type": f"ha_ingestor/{command}", "config_entry_id": entry_id}
            assert page.evaluate(ASK, asked) == "unauthorized"


def test_ten_thousand_entities_are_listed_searched_and_no_more_than_one_thousand_changed(
    home: Home,
) -> None:
    home.process.more = helpers(MANY)
    home.process.write_configuration()
    home.api.call_service("input_number", "reload")
    with opened(home, **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor/entities")
        panel = window.page.locator("ha-ingestor-panel")
        listed = panel.get_by_text("entities recorded").first
        listed.wait_for()
        assert int(listed.inner_text().split()[2].replace(",", "")) >= MANY
        table = panel.locator("ha-data-table")
        table.locator(".mdc-data-table__header-row ha-checkbox").click()
        panel.get_by_text("At most 1,000 can be changed").wait_for()
        tools = panel.get_by_role("toolbar")
        assert tools.get_by_role("button", name="Leave out").is_disabled()
        tools.get_by_role("button", name="Clear selection").click()
        table.get_by_placeholder("Search entities").fill("room_9999")
        table.get_by_text("input_number.room_9999").click()
        panel.locator("ha-dialog").get_by_text("Watch live points").wait_for()
        window.open("/ha-ingestor/flow")
        panel.get_by_text("Everything is delivered").wait_for()
