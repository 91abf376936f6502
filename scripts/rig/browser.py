"""Home Assistant's frontend in a real browser, for pictures and for tests of what a user sees."""

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, Request, sync_playwright
from playwright.sync_api import TimeoutError as NotThereError

from .api import Api

DOMAIN: Final = "ha_ingestor"
WAIT_MS: Final = 30_000
# Material's dialogs and ripples are animated; a picture in the middle of it is blurred.
_SETTLE_MS: Final = 1_500
_LOOK_MS: Final = 150
# Whether nothing moves, and there are as many elements as at the look before.
_IS_STILL: Final = """() => {
  const roots = [document];
  let moves = false;
  let count = 0;
  while (roots.length) {
    const root = roots.pop();
    moves ||= root
      .getAnimations()
      .some((each) => each.playState === "running" && each.effect.getTiming().iterations < 1e9);
    for (const each of root.querySelectorAll("*")) {
      count += 1;
      if (each.shadowRoot) roots.push(each.shadowRoot);
    }
  }
  const before = window.rigElements;
  window.rigElements = count;
  return !moves && before === count;
}"""
# A click can fall into an animation; then it is not taken, and has to be repeated.
_TRY_MS: Final = 5_000
_ATTEMPTS: Final = 4

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str | None:
    """Return the path of an installed Chromium."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _is_step(request: Request) -> bool:
    """Whether a form of a flow or of a repair is sent."""
    is_flow = "/flow/" in request.url or "/repairs/issues/fix/" in request.url
    return is_flow and request.method == "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """A logged-in browser window."""

    api: Api
    page: Page

    def open(self, path: str) -> None:
        """Go to a page of the frontend and wait until it is drawn."""
        self.page.goto(self.api.url + path)
        self.page.locator("home-assistant-main").wait_for(timeout=WAIT_MS)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loaded and nothing moves any more, but not for ever."""
        self.page.wait_for_load_state("networkidle")
        with suppress(NotThereError):
            self.page.wait_for_function(_IS_STILL, polling=_LOOK_MS, timeout=_SETTLE_MS)

    def open_device(self, entry_id: str) -> None:
        """Go to the device page of a config entry."""
        devices = self.api.ws("config/device_registry/list")
        ours = next(each for each in devices if entry_id in each["config_entries"])
        self.open(f"/config/devices/device/{ours['id']}")

    def choose(self, dialog: Locator, name: str) -> None:
        """Choose from a menu of a dialog."""
        rows = dialog.locator("ha-list-item-button, ha-list-item, ha-md-list-item")
        rows.filter(has_text=name).first.click()

    def type_into(self, select: Locator, text: str) -> None:
        """Choose a name from a list, or enter one of one's own where the list allows it."""
        field = select.locator("ha-picker-field")
        # The list lies inside the field's element, so its rows are no proof that one was taken.
        choices = select.locator("ha-picker-combo-box")
        for _ in range(_ATTEMPTS):
            with suppress(NotThereError):
                if not choices.is_visible():
                    field.click(timeout=_TRY_MS)
                choices.locator("input").fill(text, timeout=_TRY_MS)
                rows = choices.locator("ha-list-item-option").filter(has_text=text)
                rows.first.click(timeout=_TRY_MS)
                choices.wait_for(state="hidden", timeout=_TRY_MS)
                field.get_by_text(text, exact=True).wait_for(timeout=_TRY_MS)
                return
        raise NotThereError(f"{text} was not taken")

    def submit(self, dialog: Locator) -> None:
        """Press Submit, and wait until the step is sent and answered."""
        with self.page.expect_request(_is_step) as sent:
            dialog.get_by_role("button", name="Submit").click()
        sent.value.response()

    def open_flow(self) -> Locator:
        """Begin to add the integration; returns the dialog with the first form."""
        self.open(f"/config/integrations/dashboard/add?domain={DOMAIN}")
        self.page.get_by_role("button", name="OK").click()
        dialog = self.page.locator("dialog-data-entry-flow")
        dialog.locator("ha-input input").wait_for(timeout=WAIT_MS)
        self.settle()
        return dialog


def logged_in(api: Api, language: str = "en") -> dict[str, str]:
    """Return what a browser stores of a user who is logged in, with the API's token."""
    tokens = {
        "hassUrl": api.url,
        "clientId": f"{api.url}/",
        "access_token": api.token,
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 10**9,
        "expires": 10**14,
    }
    return {"hassTokens": json.dumps(tokens), "selectedLanguage": json.dumps(language)}


@contextmanager
def frontend(
    api: Api,
    *,
    width: int = 1280,
    height: int = 860,
    dark: bool = False,
    language: str = "en",
) -> Iterator[Frontend]:
    """Open a browser that is logged in with the API's token."""
    stored = json.dumps(logged_in(api, language))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=_FLAGS)
        try:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=2,
                color_scheme="dark" if dark else "light",
            )
            page.set_default_timeout(WAIT_MS)
            page.add_init_script(f"Object.assign(localStorage, {stored})")
            yield Frontend(api=api, page=page)
        finally:
            browser.close()


def main() -> None:
    """Take the picture of the README from a running Home Assistant."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--token", type=Path, required=True, help="file with an access token")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    api = Api(port=arguments.port, token=arguments.token.read_text())
    entry = api.entries(DOMAIN)[0]
    registered = api.ws("config/entity_registry/list")
    ours = [each["entity_id"] for each in registered if each["platform"] == DOMAIN]
    # The numbers of now, rather than of up to five minutes ago.
    api.call_service("homeassistant", "update_entity", entity_id=ours)
    with frontend(api, height=800) as window:
        window.page.add_init_script("localStorage.setItem('dockedSidebar', '\"always_hidden\"')")
        window.open_device(entry["entry_id"])
        window.page.screenshot(path=arguments.folder / "device.png", scale="css")


if __name__ == "__main__":
    main()
