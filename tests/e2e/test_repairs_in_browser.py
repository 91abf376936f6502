"""What a user sees of repairs, in each look, and what their dialogues do.

With HA_INGESTOR_PICTURES the pictures are kept in that folder. Deleted tokens and buckets are in
`test_walk_in_browser.py`.
"""

import asyncio
import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from scripts.rig.browser import DOMAIN, Frontend
from scripts.rig.integration import Address, connect
from tests.emulator import Emulator
from tests.pages import LANGUAGES

from .installation import Destination, Installation, until
from .test_walk_in_browser import LOOKS, RAW, browser, picture

# Four browsers, on a machine that is busy.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

KEYS: Final = ("quarantined", "spool_error", "spool_full", "clock_differs")


def _titles(language: str) -> dict[str, str]:
    """Read what each repair is called, without the destination."""
    issues = LANGUAGES[language]["issues"]
    return {key: issues[key]["title"].partition("{")[0].rstrip(" :\u00a0") for key in KEYS}


# The smallest spool there is, and texts that fill most of it and cannot be compressed.
SPOOL: Final = {
    "durability": "balanced",
    "gather": 0,
    "max_size": 8,
    "min_free": 0,
    "compress": True,
}
_TEXT_BYTES: Final = 24_000
_LINES: Final = 15
_CALLS: Final = 20
_WEEK: Final = 604_800


@contextmanager
def _emulated() -> Iterator[Emulator]:
    """Serve a database whose clock is ahead of ours, by weeks."""
    server = Emulator(dialect=Dialect.V2, retention=_WEEK)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def _wrong_clock(installation: Installation) -> Iterator[str]:
    with _emulated() as server:
        there = Address(
            url=server.url, dialect="v2", database="home_assistant", org="home", token="t"
        )
        entry_id = connect(installation.api, there)["result"]["entry_id"]
        try:
            yield entry_id
        finally:
            installation.api.delete(entry_id)


def _write(destination: Destination, *lines: str) -> Any:
    text = "\n".join(lines)
    return destination.api.call_service(
        DOMAIN, "write_points", config_entry_id=destination.entry_id, line_protocol=text
    )


def _fill(destination: Destination) -> None:
    """Let points wait until most of the spool is used, and nothing is given up yet."""
    for number in range(_CALLS):
        texts = [base64.b64encode(os.urandom(_TEXT_BYTES)).decode() for _ in range(_LINES)]
        _write(destination, *(f'fill,n={number},of={of} t="{t}"' for of, t in enumerate(texts)))
    assert until(lambda: _issue(destination, "spool_full")), destination.diagnostics()


def _issues(destination: Destination) -> dict[str, Any]:
    found = destination.api.ws("repairs/list_issues")["issues"]
    return {each["issue_id"]: each for each in found if each["domain"] == DOMAIN}


def _issue(destination: Destination, key: str) -> Any:
    return _issues(destination).get(f"{destination.entry_id}_{key}")


def _is_delivered(destination: Destination) -> bool:
    return bool(destination.diagnostics()["ledger"]["pending"] == 0)


def _open(window: Frontend, title: str) -> Any:
    """Open the dialogue of a repair."""
    window.open("/config/repairs")
    return _begin(window, title)


def _begin(window: Frontend, title: str) -> Any:
    """Click a repair in the list."""
    window.page.get_by_text(title).first.click()
    # The element of the dialogue itself has no size.
    dialog = window.page.locator("dialog-data-entry-flow, dialog-repairs-issue")
    dialog.get_by_text(title).first.wait_for()
    window.settle()
    return dialog.first


def _check(window: Frontend, look: str, titles: dict[str, str]) -> None:
    """Look at the list, and at a dialogue."""
    window.open("/config/repairs")
    for title in titles.values():
        window.page.get_by_text(title).first.wait_for()
    picture(window, f"repairs_{look}")
    assert not window.page.get_by_text(RAW).count()
    assert window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    _check_dialog(_begin(window, titles[KEYS[0]]), window, f"{KEYS[0]}_{look}")


def _check_dialog(dialog: Any, window: Frontend, name: str) -> None:
    picture(window, f"repair_{name}")
    assert not dialog.get_by_text(RAW).count()


def _mend(destination: Destination, window: Frontend) -> None:
    """Let the points go on, and delete those that were refused."""
    destination.api.call_service(DOMAIN, "resume", config_entry=destination.entry_id)
    assert until(lambda: _is_delivered(destination))
    assert until(lambda: not _issue(destination, "spool_full"))
    # It is looked at again once a minute.
    assert until(lambda: not _issue(destination, "spool_error"), seconds=90)

    dialog = _open(window, _titles("en")["quarantined"])
    dialog.get_by_text("rain, station=roof").first.wait_for()
    dialog.get_by_text("field type conflict").first.wait_for()
    window.choose(dialog, "Delete these points")
    dialog.get_by_text("The issue is repaired").wait_for()
    assert until(lambda: not _issue(destination, "quarantined"))


def test_repairs_are_shown_in_every_look_and_their_dialogues_mend_what_is_wrong(
    installation: Installation, spare: Destination
) -> None:
    """A refused point, a file that cannot be used, a spool that is nearly full, a wrong clock."""
    installation.api.set_options(spare.entry_id, "spool", **SPOOL)
    bad = installation.home.directory / "ha_ingestor.log.d" / spare.entry_id
    bad /= "quarantine-000099.ndjson"
    with _wrong_clock(installation) as other:
        bad.mkdir()
        _write(spare, "rain,station=roof mm=1")
        _write(spare, 'rain,station=roof mm="a text"')
        assert until(lambda: _issue(spare, "quarantined"))
        assert until(lambda: f"{other}_clock_differs" in _issues(spare)), _issues(spare)
        spare.api.call_service(DOMAIN, "pause", config_entry=spare.entry_id)
        _fill(spare)
        assert until(lambda: _issue(spare, "spool_error")), _issues(spare)
        with browser(installation) as window:
            _check(window, "light", _titles("en"))
            for key in KEYS[1:]:
                dialog = _open(window, _titles("en")[key])
                _check_dialog(dialog, window, f"{key}_light")
                if key == "spool_error":
                    dialog.get_by_text(bad.name).first.wait_for()
        bad.rmdir()
        for look in ("phone", "german", "dark"):
            titles = _titles(LOOKS[look].get("language", "en"))
            del titles["spool_error"]
            with browser(installation, **LOOKS[look]) as window:
                _check(window, look, titles)
                if look == "dark":
                    _mend(spare, window)
    # The destination with the wrong clock was deleted with its points.
    left = {each for each in _issues(spare) if other in each}
    assert left == {f"{other}_points_deleted"}
    fix = "/api/repairs/issues/fix"
    asked = {"handler": DOMAIN, "issue_id": f"{other}_points_deleted"}
    flow = installation.api.request("POST", fix, asked)
    installation.api.request("POST", f"{fix}/{flow['flow_id']}", {})
    assert not [each for each in _issues(spare) if other in each]
