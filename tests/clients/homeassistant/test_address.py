"""Addresses as people type or copy them."""

import pytest

from custom_components.ha_ingestor.clients.address import AddressError
from custom_components.ha_ingestor.clients.homeassistant.address import (
    candidates,
    websocket_url,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ha.local:8123", ["http://ha.local:8123"]),
        ("  HTTP://HA.local:8123/ ", ["http://ha.local:8123"]),
        ("ws://ha.local:8123/api/websocket", ["http://ha.local:8123"]),
        ("wss://ha.local:443/api/websocket/", ["https://ha.local", "https://ha.local:8123"]),
        ("http://10.0.0.2:8123/api/", ["http://10.0.0.2:8123"]),
        # A page that was copied from the browser, or a place behind a proxy.
        (
            "http://ha.local:8123/lovelace/0?edit=1#here",
            ["http://ha.local:8123/lovelace/0", "http://ha.local:8123"],
        ),
        # Without a port: that of Home Assistant OS today, and the one everywhere else.
        ("http://ha.local", ["http://ha.local", "http://ha.local:8123"]),
        ("https://ha.local", ["https://ha.local", "https://ha.local:8123"]),
        ("http://ha.local:80", ["http://ha.local", "http://ha.local:8123"]),
        # Without a scheme: a token is better sent encrypted.
        (
            "ha.local",
            [
                "https://ha.local",
                "http://ha.local",
                "http://ha.local:8123",
                "https://ha.local:8123",
            ],
        ),
        ("ha.local:8124", ["https://ha.local:8124", "http://ha.local:8124"]),
        ("[fd00::2]:8123", ["https://[fd00::2]:8123", "http://[fd00::2]:8123"]),
    ],
)
def test_an_incomplete_address_gives_the_candidates_to_try(text: str, expected: list[str]) -> None:
    assert list(candidates(text)) == expected


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("", "invalid_url"),
        ("ftp://ha.local", "invalid_url"),
        ("http://", "invalid_url"),
        ("http://ha local", "invalid_url"),
        ("http://user:secret@ha.local", "url_credentials"),
        ("http://ha.local:port", "invalid_url"),
        ("x" * 3000, "invalid_url"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str, slug: str) -> None:
    with pytest.raises(AddressError, match=f"^{slug}$"):
        candidates(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://ha.local:8123", "ws://ha.local:8123/api/websocket"),
        ("https://ha.local", "wss://ha.local/api/websocket"),
        ("https://proxy.example/cabin", "wss://proxy.example/cabin/api/websocket"),
    ],
)
def test_the_api_is_below_the_address(url: str, expected: str) -> None:
    assert str(websocket_url(url)) == expected
