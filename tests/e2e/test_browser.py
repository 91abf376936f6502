"""What a user sees: the way from the first dialog to the counts of a new destination."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest
from playwright.sync_api import Error

from scripts.rig.browser import Frontend, frontend
from scripts.rig.integration import DOMAIN

from .installation import Destination, Installation, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("destination", ["influxdb2"], indirect=True),
]

DATABASE: Final = "seen_in_a_browser"
SOME_POINTS: Final = re.compile(r"[1-9]\d*\s+points")


@pytest.fixture
def window(installation: Installation) -> Iterator[Frontend]:
    """Open a browser that is logged in."""
    with ExitStack() as stack:
        try:
            window = stack.enter_context(frontend(installation.api))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        yield window


def test_a_user_connects_a_database_in_the_browser(
    installation: Installation, destination: Destination, window: Frontend
) -> None:
    """A wrong token is said to be wrong; the right one ends on a device that counts points."""
    server = destination.server
    server.create_database(DATABASE)
    before = {each["entry_id"] for each in installation.api.entries(DOMAIN)}

    dialog = window.open_flow()
    dialog.locator('input[name="url"]').fill(server.url)
    window.submit(dialog)
    token = dialog.locator('input[name="token"]')
    token.fill("wrong")
    window.submit(dialog)
    dialog.get_by_text("These credentials are refused").wait_for()
    assert before == {each["entry_id"] for each in installation.api.entries(DOMAIN)}

    token.fill(server.token)
    window.submit(dialog)
    dialog.get_by_text("Which bucket?").wait_for()
    window.type_into(dialog.locator("ha-selector-select").nth(1), DATABASE)
    window.submit(dialog)
    dialog.get_by_text("What a point looks like").wait_for()
    window.choose(dialog, "HomeIQ")
    dialog.get_by_role("button", name="Skip and finish").click()
    (entry_id,) = {each["entry_id"] for each in installation.api.entries(DOMAIN)} - before
    try:
        assert until(lambda: server.query_points("home_assistant_events", DATABASE))

        window.open_device(entry_id)
        rows = window.page.locator("hui-generic-entity-row")
        rows.filter(has_text="Status").filter(has_text="OK").wait_for()
        rows.filter(has_text="Points written").filter(has_text=SOME_POINTS).wait_for()
    finally:
        installation.api.delete(entry_id)
