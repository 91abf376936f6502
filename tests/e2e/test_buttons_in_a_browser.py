"""What a user sees of the buttons: the pause in words, and the self-test as a notification."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Error

from scripts.rig.browser import Frontend, frontend

from .installation import Destination, Installation

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("destination", ["influxdb2"], indirect=True),
]


@pytest.fixture
def window(installation: Installation) -> Iterator[Frontend]:
    """Open a browser that is logged in."""
    with ExitStack() as stack:
        try:
            window = stack.enter_context(frontend(installation.api, height=1500))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        yield window


def _picture(window: Frontend, name: str) -> None:
    """Take a picture, where somebody wants to look at it."""
    if folder := os.environ.get("HA_INGESTOR_PICTURES"):
        window.settle()
        window.page.screenshot(path=Path(folder) / f"{name}.png", scale="css")


def test_a_user_tests_a_destination_and_pauses_it(
    destination: Destination, window: Frontend
) -> None:
    """The buttons are on the device page; what came of the test is a notification."""
    destination.settle()
    window.open_device(destination.entry_id)
    rows = window.page.locator("hui-generic-entity-row")
    _picture(window, "buttons")

    rows.filter(has_text="Pause delivery").get_by_role("button", name="Press").click()
    rows.filter(has_text="Status").filter(has_text="Paused").wait_for()
    _picture(window, "paused")
    rows.filter(has_text="Resume delivery").get_by_role("button", name="Press").click()
    rows.filter(has_text="Status").filter(has_text="OK").wait_for()

    rows.filter(has_text="Self-test").get_by_role("button", name="Press").click()
    window.page.get_by_text("Notifications").first.click()
    window.page.get_by_text("Everything works").wait_for()
    _picture(window, "self_test")
