"""What an administrator sees of the panel, at a desk, on a phone and in the dark."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, FloatRect, WebSocket

from scripts.rig.api import Api
from scripts.rig.browser import Frontend, frontend, logged_in

from .installation import Destination, Installation, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("destination", ["influxdb2"], indirect=True),
]

PAGES: Final = {
    "flow": "Every event is accounted for",
    "entities": "entities recorded",
    "points": "New points are shown",
    "sources": "This Home Assistant",
    "registries": "Metadata store",
    "problems": "Self-test",
}
WINDOWS: Final = {
    "desktop": {"width": 1400, "height": 1150},
    "phone": {"width": 390, "height": 1500},
    "dark": {"width": 1400, "height": 1150, "dark": True},
}
# What the drawing may take once the page is told, and once the destination knows, which is told
# once in a second; a browser on a busy machine takes its time.
DRAWN_MS: Final = 2000
FOLLOWS_MS: Final = 5000
# Notes of an outage and of its end, in milliseconds since 1970, when it was known, when the page
# was told so, and when that was drawn.
FOLLOW: Final = """entry => {
  const { hass } = document.querySelector("home-assistant");
  const find = (root, name) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.localName === name) return each;
      const found = each.shadowRoot && find(each.shadowRoot, name);
      if (found) return found;
    }
  };
  const flow = find(document.querySelector("home-assistant").shadowRoot, "ha-ingestor-flow");
  const drawing = flow.shadowRoot;
  const [known, told, drawn] = (window.followed = [{}, {}, {}]);
  const every = { subtree: true, childList: true, characterData: true, attributes: true };
  let before = "ok";
  new MutationObserver(() => {
    const shown = drawing.querySelector(".link.broken") ? "retrying" : "ok";
    if (shown !== before) drawn[shown] ??= Date.now();
    before = shown;
  }).observe(drawing, every);
  hass.connection.socket.addEventListener("message", ({ data }) => {
    for (const { event } of [JSON.parse(data)].flat()) {
      const mine = event?.destinations?.find((each) => each.config_entry_id === entry);
      const change = mine?.health?.history.at(-1);
      // What was well before is not the end of an outage.
      if (change?.status === "retrying" || (change?.status === "ok" && told.retrying)) {
        known[change.status] ??= Date.parse(change.time);
        told[change.status] ??= Date.now();
      }
    }
  });
}"""
HOSTILE: Final = "<img src=x onerror='window.hacked = true'>"
# Every element of Home Assistant in the panel that is shown, with whether it is one, and its size.
ELEMENTS: Final = """panel => {
  const found = [];
  const look = (root) => {
    for (const each of root.querySelectorAll("*")) {
      const name = each.localName;
      if (name.startsWith("ha-ingestor")) look(each.shadowRoot);
      else if (name.startsWith("ha-")) {
        const { width, height } = each.getBoundingClientRect();
        found.push([name, Boolean(customElements.get(name)), width * height]);
      }
    }
  };
  look(panel.shadowRoot);
  return found;
}"""


WALK: Final = Path(__file__).parents[1] / "frontend/firefox.mjs"
# What a screen reader, a keyboard and weak eyes need: scripts/setup frontend brings the checker.
AXE: Final = Path(__file__).parents[1] / "frontend/node_modules/axe-core/axe.min.js"
# Each rule that an element of ours breaks, with where and why. Home Assistant's own are not ours.
BROKEN: Final = """async () => {
  const shown = ["home-assistant", "home-assistant-main", "ha-ingestor-panel"];
  const found = await axe.run({ include: [{ fromShadowDom: shown }] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes
      .filter(({ target: [path] }) => /ha-ingestor-[a-z]+[^ ]*$/.test(path.at(-2) ?? ""))
      .map(({ target: [path], failureSummary }) => `${id}: ${path.at(-1)}: ${failureSummary}`));
}"""


class HasApi(Protocol):
    """Whoever has a way to a Home Assistant."""

    @property
    def api(self) -> Api:
        """Home Assistant's interfaces."""


@contextmanager
def opened(whose: HasApi, **window: Any) -> Iterator[Frontend]:
    """Open a browser that is logged in; afterwards the page has had no error."""
    with ExitStack() as stack:
        try:
            shown = stack.enter_context(frontend(whose.api, **window))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        errors: list[str] = []
        shown.page.on("pageerror", lambda error: errors.append(str(error)))
        yield shown
        # Home Assistant loads parts of its own whenever it likes, also during a restart.
        assert [each for each in errors if "/frontend_latest/" not in each] == []


def look(window: Frontend, name: str) -> None:
    """Check the page for everybody's eyes; take a picture where somebody wants to look at it."""
    if folder := os.environ.get("HA_INGESTOR_PICTURES"):
        window.settle()
        window.page.screenshot(path=Path(folder) / f"panel_{name}.png", scale="css")
    if AXE.exists():
        window.page.add_script_tag(content=AXE.read_text())
        assert window.page.evaluate(BROKEN) == []


def _is_in_view(box: FloatRect | None, width: int) -> bool:
    return bool(box and box["x"] >= 0 and box["x"] + box["width"] <= width)


@pytest.mark.parametrize("size", WINDOWS)
def test_every_page_is_drawn_with_elements_that_are_there(
    installation: Installation, destination: Destination, size: str
) -> None:
    destination.settle()
    with opened(installation, **WINDOWS[size]) as window:
        window.open("/ha-ingestor")
        panel = window.page.locator("ha-ingestor-panel")
        for name, sign in PAGES.items():
            panel.locator(f'ha-tab-group-tab[panel="{name}"], ha-tab-group-tab').filter(
                has_text={"points": "Live points"}.get(name, name.capitalize())
            ).click()
            panel.get_by_text(sign).first.wait_for()
            window.settle()
            assert window.page.url.endswith(("/ha-ingestor", f"/ha-ingestor/{name}"))
            elements = panel.evaluate(ELEMENTS)
            assert {"ha-top-app-bar-fixed", "ha-tab-group"} <= {each for each, *_ in elements}
            assert [each for each in elements if not (each[1] and each[2])] == []
            look(window, f"{name}_{size}")
            width = window.page.evaluate("document.documentElement.scrollWidth")
            assert width <= WINDOWS[size]["width"]
        window.open("/ha-ingestor/problems")
        tab = panel.locator("ha-tab-group-tab[data-page=problems]")
        # A link leads to a page whose tab may be beyond the edge of a phone.
        assert until(lambda: _is_in_view(tab.bounding_box(), WINDOWS[size]["width"]), seconds=10)


def test_firefox_shows_every_page_without_an_error(
    installation: Installation, destination: Destination
) -> None:
    destination.settle()
    executable = which("firefox-esr") or which("firefox")
    if not (executable and WALK.with_name("node_modules").exists()):
        pytest.skip("no Firefox: scripts/setup firefox frontend")
    told = {
        "executable": executable,
        "url": installation.api.url,
        "stored": logged_in(installation.api),
        "pages": PAGES,
        "pictures": os.environ.get("HA_INGESTOR_PICTURES"),
    }
    run = subprocess.run(  # noqa: S603  our own file
        [str(which("node")), str(WALK)],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["errors"] == []
    assert re.search(r"[1-9]\d* points written", found["seen"]["flow"])
    assert re.search(r"[1-9]\d* of \d+ entities recorded", found["seen"]["entities"])


def test_the_drawing_in_the_panel_shows_an_outage_and_its_end(
    installation: Installation, destination: Destination
) -> None:
    destination.settle()
    with opened(installation, **WINDOWS["desktop"]) as window:
        window.open("/ha-ingestor")
        panel = window.page.locator("ha-ingestor-panel")
        place = urlsplit(destination.server.url).netloc
        mine = panel.locator(".pipeline").filter(has_text=place)
        mine.get_by_text("Everything is delivered").wait_for()
        window.page.evaluate(FOLLOW, destination.entry_id)
        destination.server.stop()
        try:
            installation.set_state("sensor.panel", "1")
            mine.get_by_text("The database does not accept points").wait_for()
            mine.get_by_text("interrupted").wait_for()
            look(window, "outage")
        finally:
            destination.server.start()
        mine.get_by_role("button", name="Deliver now").click()
        mine.get_by_text("Everything is delivered").wait_for()
        known, told, drawn = window.page.evaluate("window.followed")
        assert known.keys() == told.keys() == drawn.keys() == {"retrying", "ok"}
        for each in known:
            # The page draws in the moment in which it is told, and may be noted first.
            assert known[each] <= drawn[each] < told[each] + DRAWN_MS
            assert drawn[each] < known[each] + FOLLOWS_MS


def test_a_destination_is_reloaded_and_removed_while_two_look_at_it(
    installation: Installation, destination: Destination
) -> None:
    with (
        installation.spare() as spare,
        opened(installation, **WINDOWS["desktop"]) as window,
    ):
        window.open(f"/ha-ingestor/entities?entry={spare.entry_id}")
        panel = window.page.locator("ha-ingestor-panel")
        panel.locator("ha-data-table .mdc-data-table__row").first.wait_for()
        first = window.page.context
        assert first.browser
        other = first.browser.new_context(storage_state=first.storage_state()).new_page()
        other.goto(f"{installation.api.url}/ha-ingestor")
        pipelines = other.locator("ha-ingestor-panel .pipeline")
        mine = pipelines.filter(has_text=spare.database)
        mine.wait_for()
        installation.api.reload(spare.entry_id)
        mine.get_by_text("events received").wait_for()
        installation.api.delete(spare.entry_id)
        mine.wait_for(state="detached")
        assert pipelines.count() == len(installation.destinations)
        choice = panel.get_by_label("Destination")
        choice.get_by_role("option", name=spare.database).wait_for(state="detached")
        panel.locator("ha-data-table .mdc-data-table__row").first.wait_for()
        assert choice.input_value() != spare.entry_id
        window.open(f"/ha-ingestor/problems?entry={destination.entry_id}")
        assert choice.input_value() == destination.entry_id


def test_names_and_values_are_text_and_nothing_else(
    installation: Installation, destination: Destination
) -> None:
    entity_id = "sensor.panel_hostile"
    installation.set_state(entity_id, HOSTILE, friendly_name=HOSTILE)
    destination.settle()
    with opened(installation, **WINDOWS["desktop"]) as window:
        chosen = f"?entry={destination.entry_id}"
        window.open(f"/ha-ingestor/points{chosen}&entity={entity_id}")
        panel = window.page.locator("ha-ingestor-panel")
        panel.get_by_text("New points are shown").wait_for()
        installation.set_state(entity_id, f"{HOSTILE} 2", friendly_name=HOSTILE)
        panel.get_by_text(entity_id).first.wait_for()
        window.open(f"/ha-ingestor/entities{chosen}")
        panel.locator("ha-data-table").get_by_text("onerror").first.wait_for()
        panel.get_by_text(entity_id).first.click()
        panel.get_by_text("Watch live points").wait_for()
        look(window, "entity")
        assert window.page.evaluate("window.hacked") is None
    installation.api.remove_state(entity_id)


def test_chosen_entities_are_left_out_and_recorded_again(
    installation: Installation, destination: Destination
) -> None:
    entity_ids = ["sensor.panel_one", "sensor.panel_two"]
    for entity_id in entity_ids:
        installation.set_state(entity_id, "1", friendly_name=entity_id.upper())
    destination.settle()
    with opened(installation, **WINDOWS["desktop"]) as window:
        window.open(f"/ha-ingestor/entities?entry={destination.entry_id}")
        panel = window.page.locator("ha-ingestor-panel")
        table = panel.locator("ha-data-table")

        def choose() -> None:
            table.get_by_placeholder("Search entities").fill("panel_")
            for entity_id in entity_ids:
                table.locator(".mdc-data-table__row").filter(has_text=entity_id).locator(
                    "ha-checkbox"
                ).click()

        table.get_by_placeholder("Search entities").fill("panel_")
        found = table.locator(".mdc-data-table__row").filter(has_text=".")
        until(lambda: found.count() == len(entity_ids))
        header = table.locator("ha-checkbox").first
        header.click()
        panel.get_by_role("toolbar").get_by_role("button", name="Leave out").click()
        dialog = panel.locator("ha-dialog")
        dialog.get_by_text("Not recorded any more:").wait_for()
        for entity_id in entity_ids:
            dialog.get_by_text(entity_id).wait_for()
        look(window, "change")
        dialog.get_by_role("button", name="Apply").click()
        table.get_by_text("Excluded by entity: sensor.panel_one").wait_for()
        assert header.evaluate("each => each.checked") is False
        for entity_id in entity_ids:
            installation.set_state(entity_id, "2")
        choose()
        panel.get_by_role("toolbar").get_by_role("button", name="Rules").click()
        dialog.get_by_label("Throttle").fill("90")
        dialog.get_by_label("Heartbeat").fill("1")
        dialog.get_by_text("the heartbeat is shorter than the throttle").wait_for()
        assert dialog.get_by_role("button", name="Apply").is_disabled()
        dialog.get_by_label("Heartbeat").fill("10")
        dialog.get_by_text("At most 40 points per hour").wait_for()
        dialog.get_by_role("button", name="Cancel").click()
        panel.get_by_role("toolbar").get_by_role("button", name="Record").click()
        dialog.get_by_text("Recorded from now on:").wait_for()
        dialog.get_by_role("button", name="Apply").click()
        table.get_by_text("Nothing excludes it").first.wait_for()
    installation.set_state(entity_ids[0], "3")
    destination.settle()
    written = [each["fields"]["state"] for each in destination.points(entity_ids[0])]
    # What it was while it was left out is not there.
    assert written == ["1", "3"]


def test_leaving_a_page_ends_its_subscriptions_and_begins_no_other(
    installation: Installation, destination: Destination
) -> None:
    kinds = ["ha_ingestor/subscribe", "ha_ingestor/subscribe_points"]
    sent: list[Any] = []
    news: list[Any] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.extend(_messages(frame)))
        socket.on("framereceived", lambda frame: news.extend(_messages(frame)))

    with opened(installation, **WINDOWS["desktop"]) as window:
        page = window.page
        page.on("websocket", listen)
        window.open(f"/ha-ingestor/points?entry={destination.entry_id}")
        page.locator("ha-ingestor-panel").get_by_text("New points are shown").wait_for()
        begun = {each["type"]: each["id"] for each in sent if each["type"] in kinds}
        # While another page is loaded its address is shown already, and the panel is told news.
        page.evaluate("history.pushState(null, '', '/history')")
        del news[:]
        installation.set_state("sensor.panel_left", "1")
        health = begun["ha_ingestor/subscribe"]

        def is_told() -> bool:
            page.wait_for_timeout(100)
            return any(each["id"] == health and each["type"] == "event" for each in news)

        assert until(is_told, seconds=10)
        page.evaluate("window.dispatchEvent(new CustomEvent('location-changed'))")
        page.locator("ha-panel-history").wait_for()

        def ended() -> set[int]:
            """Return the subscriptions that are ended; waits, so that frames are noted."""
            page.wait_for_timeout(100)
            return {each["subscription"] for each in sent if each["type"] == "unsubscribe_events"}

        assert until(lambda: set(begun.values()) <= ended(), seconds=10)
        assert sorted(each["type"] for each in sent if each["type"] in kinds) == kinds
    installation.api.remove_state("sensor.panel_left")


def _messages(frame: str | bytes) -> list[Any]:
    said = json.loads(frame)
    return said if isinstance(said, list) else [said]


def test_a_destination_is_tested_and_its_diagnostics_are_downloaded(
    installation: Installation, destination: Destination
) -> None:
    destination.settle()
    with opened(installation, **WINDOWS["desktop"]) as window:
        window.open(f"/ha-ingestor/problems?entry={destination.entry_id}")
        panel = window.page.locator("ha-ingestor-panel")
        panel.get_by_role("button", name="Test now").click()
        panel.get_by_text("Everything works").wait_for()
        panel.get_by_text("The quarantine is empty").wait_for()
        for name in ("Show points", "Deliver again", "Delete all"):
            assert panel.get_by_role("button", name=name).is_disabled()
        with window.page.expect_download() as download:
            panel.get_by_role("button", name="Download diagnostics").click()
        told = json.loads(download.value.path().read_text())
        assert told["data"]["entry"]["entry_id"] == destination.entry_id
        look(window, "self_test")
