"""What a user does when something broke, and how the pages look elsewhere than on a desk.

With HA_INGESTOR_PICTURES the pictures are kept in that folder.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Error, Locator

from scripts.rig.browser import DOMAIN, Frontend, frontend
from scripts.rig.compare.credentials import ISSUERS
from scripts.rig.dialects import KINDS
from scripts.rig.endpoint import Endpoint
from scripts.rig.integration import connect
from scripts.rig.servers import Server

from .installation import Destination, Installation

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("destination", ["influxdb2"], indirect=True),
]

BUCKET: Final = "walked"
LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dark": {"dark": True},
    "phone": {"width": 390, "height": 844},
    "german": {"language": "de"},
}
ASKED: Final = {"en": "Where is the database?", "de": "Wo ist die Datenbank?"}
# A text that is missing, or that was not completed.
RAW: Final = re.compile(r"component\.ha_ingestor|\{[a-z_]+\}")


@contextmanager
def browser(installation: Installation, **look: Any) -> Iterator[Frontend]:
    """Open a browser that is logged in."""
    with ExitStack() as stack:
        try:
            window = stack.enter_context(frontend(installation.api, **look))
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("no browser: scripts/setup browser")
        yield window


def picture(window: Frontend, name: str) -> None:
    """Take a picture, where somebody wants to look at it."""
    if folder := os.environ.get("HA_INGESTOR_PICTURES"):
        window.settle()
        window.page.screenshot(path=Path(folder) / f"{name}.png", scale="css")


def status(window: Frontend, entry_id: str, word: str) -> None:
    """Wait until the device page says so."""
    window.open_device(entry_id)
    rows = window.page.locator("hui-generic-entity-row")
    rows.filter(has_text="Status").filter(has_text=word).wait_for()


def delete_bucket(server: Server) -> None:
    endpoint = Endpoint(port=server.port, headers=KINDS["v2"].headers(server.account))
    found = endpoint.request("/api/v2/buckets", {"org": server.org, "name": BUCKET})
    (bucket,) = json.loads(found)["buckets"]
    endpoint.request(f"/api/v2/buckets/{bucket['id']}", method="DELETE")


def test_deleted_tokens_and_buckets_are_repaired_in_the_browser(
    installation: Installation, destination: Destination, tmp_path: Path
) -> None:
    """A token that was deleted, a bucket that was deleted, and a report without secrets."""
    server = destination.server
    assert isinstance(server, Server)
    server.create_database(BUCKET)
    tokens = ISSUERS["v2"]
    first = tokens.issue(server, BUCKET)
    entry_id = connect(installation.api, first.address)["result"]["entry_id"]
    ours = Destination(server=server, database=BUCKET, api=installation.api, entry_id=entry_id)
    try:
        ours.settle()
        with browser(installation, height=1000) as window:
            tokens.revoke(server, first)
            installation.set_state("sensor.walked", "1")
            status(window, entry_id, "Blocked")
            renew_credentials(window, server, entry_id)
            ours.settle()
            assert [each["fields"]["value"] for each in ours.points("sensor.walked")] == [1]

            delete_bucket(server)
            installation.set_state("sensor.walked", "2")
            status(window, entry_id, "Blocked")
            create_bucket(window, entry_id)
            ours.settle()
            assert 2 in [each["fields"]["value"] for each in ours.points("sensor.walked")]

            told = download_diagnostics(window, entry_id, tmp_path)
            assert json.loads(told)["data"]["ledger"]["written"] > 0
            assert server.token not in told
            assert first.address.token not in told
    finally:
        installation.api.delete(entry_id)


def renew_credentials(window: Frontend, server: Server, entry_id: str) -> None:
    """Answer what Home Assistant asks; a wrong token is said to be wrong."""
    window.open(f"/config/integrations/integration/{DOMAIN}")
    picture(window, "needs_attention")
    window.page.get_by_role("button", name="Reconfigure").filter(visible=True).first.click()
    dialog = window.page.locator("dialog-data-entry-flow")
    token = dialog.locator('input[name="token"]')
    token.fill("wrong")
    window.submit(dialog)
    dialog.get_by_text("These credentials are refused").wait_for()
    picture(window, "reauth_refused")
    token.fill(server.token)
    window.submit(dialog)
    dialog.get_by_text("Re-authentication was successful").wait_for()
    status(window, entry_id, "OK")


def create_bucket(window: Frontend, entry_id: str) -> None:
    """Let the repair do it."""
    window.open("/config/repairs")
    window.page.get_by_text("The bucket is missing").first.click()
    dialog = window.page.locator("dialog-data-entry-flow")
    dialog.get_by_text(BUCKET).last.wait_for()
    picture(window, "bucket_missing")
    window.submit(dialog)
    dialog.get_by_text("The issue is repaired").wait_for()
    status(window, entry_id, "OK")


def download_diagnostics(window: Frontend, entry_id: str, folder: Path) -> str:
    window.open(f"/config/integrations/integration/{DOMAIN}#config_entry={entry_id}")
    title = window.api.entry(entry_id)["title"]
    row = window.page.locator("ha-config-entry-row").filter(has_text=title)
    row.get_by_role("button", name="Menu").first.click()
    items = window.page.locator("ha-dropdown-item").filter(visible=True)
    with window.page.expect_download() as downloaded:
        items.filter(has_text="Download diagnostics").first.click()
    path = folder / "diagnostics.json"
    downloaded.value.save_as(path)
    return path.read_text()


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_complete_and_fit(
    installation: Installation, destination: Destination, look: str
) -> None:
    """No text is missing or cut, on no screen and in no language that is looked at."""
    settings = LOOKS[look]
    language = settings.get("language", "en")
    with browser(installation, **settings) as window:
        dialog = window.open_flow()
        dialog.get_by_text(ASKED[language]).wait_for()
        check(window, dialog, f"{look}_set_up")
        window.page.goto("about:blank")
        window.open_device(destination.entry_id)
        window.page.locator("hui-generic-entity-row").first.wait_for()
        check(window, window.page.locator("ha-config-device-page"), f"{look}_device")


def check(window: Frontend, shown: Locator, name: str) -> None:
    picture(window, name)
    assert not RAW.search(shown.first.inner_text())
    assert window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
