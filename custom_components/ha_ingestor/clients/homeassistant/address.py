"""Where the API of a Home Assistant may be, from an address as people type or copy it."""

from typing import Final

from yarl import URL

from ..address import AddressError, normalize

_SCHEMES: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
# Home Assistant OS serves plain HTTP at the usual port today; everywhere else it is this one.
_PORT: Final = 8123
_API: Final = ("/api/websocket", "/api")
# So that no token is sent in the clear where it need not be.
_BY_PREFERENCE: Final = ("https", "http")


def candidates(text: str) -> tuple[str, ...]:
    """Return where to look, the likeliest first; raises AddressError.

    What is named is believed. Without a port it is the usual one or Home Assistant's own, without
    a scheme HTTPS is tried first. A path may be that of a page, copied from a browser, or the place
    behind a proxy.
    """
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    named = _SCHEMES.get(scheme.lower()) if separator else ""
    if named is None:
        raise AddressError("invalid_url")
    # What a browser shows after the path is of no use here.
    place = (rest if separator else text).partition("#")[0].partition("?")[0]
    roots = [URL(normalize(f"{each}://{place}")) for each in ([named] if named else _BY_PREFERENCE)]
    if roots[0].explicit_port is None:
        roots = [*roots, *(root.with_port(_PORT) for root in reversed(roots))]
    paths = dict.fromkeys((_api_root(roots[0].path), "/"))
    return tuple(str(root.with_path(path)).rstrip("/") for root in roots for path in paths)


def _api_root(path: str) -> str:
    path = path.rstrip("/")
    for end in _API:
        path = path.removesuffix(end)
    return path or "/"


def websocket_url(url: str) -> URL:
    """Return the address of the WebSocket API below one of the candidates."""
    root = URL(url)
    return root.with_scheme("wss" if root.scheme == "https" else "ws") / "api" / "websocket"
