"""What a user sees of the options: the filter, what it says is wrong, and its preview."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Error, Locator

from scripts.rig.browser import Frontend, frontend
from scripts.rig.integration import DOMAIN

from .installation import Destination, Installation, until

pytestmark = [pytest.mark.browser]


@pytest.fixture
def window(installation: Installation) -> Iterator[Frontend]:
    """Open a browser that is logged in."""
    with ExitStack() as stack:
        try:
            window = stack.enter_context(frontend(installation.api, height=1300))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        yield window


def _open_page(window: Frontend, destination: Destination, page: str) -> Locator:
    entry = destination.api.entry(destination.entry_id)
    window.open(f"/config/integrations/integration/{DOMAIN}#config_entry={entry['entry_id']}")
    row = window.page.locator("ha-config-entry-row").filter(has_text=entry["title"])
    row.get_by_role("button", name="Configure").first.click()
    dialog = window.page.locator("dialog-data-entry-flow")
    dialog.get_by_text(page, exact=True).click()
    dialog.get_by_role("button", name="Submit").wait_for()
    window.settle()
    return dialog


def test_a_filter_is_corrected_previewed_saved_and_shown_again(
    installation: Installation, spare: Destination, window: Frontend
) -> None:
    """What is entered survives an error, and what is saved holds without a restart."""
    for name in ("seen_a", "seen_b", "other"):
        installation.set_state(f"sensor.{name}", "1")
    dialog = _open_page(window, spare, "What to record")
    exclude = dialog.locator("ha-form-expandable").nth(1)
    exclude.get_by_text("Exclude", exact=True).click()
    window.settle()
    exclude.get_by_role("button", name="Add Patterns").click()
    pattern = exclude.locator("ha-selector-text input").first
    pattern.fill("sensor seen")
    window.submit(dialog)
    dialog.get_by_text("“sensor seen” fits no entity ID").wait_for()

    assert pattern.input_value() == "sensor seen"
    pattern.fill("sensor.seen_*")
    window.submit(dialog)
    dialog.get_by_text("No longer recorded (2): sensor.seen_a, sensor.seen_b").wait_for()
    dialog.get_by_text("Save", exact=True).click()
    dialog.get_by_role("button", name="Finish").click()

    stored = "sensor.seen_*"
    assert until(lambda: spare.diagnostics()["entry"]["options"]["filter"]["globs"] == [stored])
    installation.set_state("sensor.seen_a", "2")
    installation.set_state("sensor.other", "2")
    spare.settle()
    assert [each["fields"]["value"] for each in spare.points("sensor.other")] == [1, 2]
    assert [each["fields"]["value"] for each in spare.points("sensor.seen_a")] == [1]

    dialog = _open_page(window, spare, "What to record")
    assert dialog.locator("ha-selector-text input").first.input_value() == stored


def test_history_is_counted_confirmed_and_written(
    installation: Installation, spare: Destination, window: Frontend
) -> None:
    """What was captured live already is no second point."""
    installation.set_state("sensor.of_today", "1")
    dialog = _open_page(window, spare, "Write history")
    window.submit(dialog)
    counts = dialog.get_by_text("Most changes: ")
    counts.wait_for()
    assert spare.diagnostics()["health"]["backfill"]["status"] == "none"
    dialog.get_by_text("Write it", exact=True).click()
    counts.wait_for(state="detached")

    assert until(lambda: spare.diagnostics()["health"]["backfill"]["status"] == "done")
    refresh = dialog.get_by_text("Refresh", exact=True)
    told = dialog.get_by_text("The history is written: ")
    refresh.or_(told).first.wait_for()
    if refresh.is_visible():
        refresh.click()
    told.wait_for()
    spare.settle()
    assert [each["fields"]["value"] for each in spare.points("sensor.of_today")] == [1]
