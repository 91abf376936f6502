"""A newcomer's way from "Add integration" to the first point, with a bucket that is created."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
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

BUCKET: Final = "created_in_a_browser"
MEASUREMENT: Final = "home_assistant_events"


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


def test_a_new_user_creates_a_bucket_and_has_points_in_it(
    installation: Installation,
    destination: Destination,
    window: Frontend,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The seconds are printed; the goal is 90 with a person who reads."""
    server = destination.server
    before = {each["entry_id"] for each in installation.api.entries(DOMAIN)}
    began = time.monotonic()

    def picture(name: str) -> None:
        window.page.wait_for_timeout(700)
        window.page.screenshot(path=tmp_path / f"{name}.png", scale="css")

    dialog = window.open_flow()
    picture("1_address")
    dialog.locator('input[name="url"]').fill(server.url)
    window.submit(dialog)
    token = dialog.locator('input[name="token"]')
    token.fill("wrong")
    window.submit(dialog)
    dialog.get_by_text("These credentials are refused").wait_for()
    picture("2_wrong_token")
    assert token.input_value() == "wrong"
    token.fill(server.token)
    window.submit(dialog)
    dialog.get_by_text("Which bucket?").wait_for()
    picture("3_bucket")
    bucket = dialog.locator("ha-selector-select").nth(1)
    window.type_into(bucket, BUCKET)
    picture("4_typed")
    window.submit(dialog)
    dialog.get_by_text("Bucket missing").wait_for()
    picture("5_missing")
    window.choose(dialog, "Create it")
    dialog.get_by_text("Create the bucket").wait_for()
    dialog.locator("ha-switch, ha-checkbox").first.click()
    picture("6_create")
    window.submit(dialog)
    dialog.get_by_text("What a point looks like").wait_for()
    picture("7_profile")
    window.choose(dialog, "HomeIQ")
    dialog.get_by_role("button", name="Skip and finish").click()
    (entry_id,) = {each["entry_id"] for each in installation.api.entries(DOMAIN)} - before
    try:
        assert until(lambda: server.query_points(MEASUREMENT, BUCKET))
        seconds = time.monotonic() - began
        with capsys.disabled():
            print(f"\n{seconds:.0f} s to the first point; pictures in {tmp_path}")  # noqa: T201
        made = json.dumps(installation.api.diagnostics(entry_id)["data"])
        assert server.token not in made
    finally:
        installation.api.delete(entry_id)
