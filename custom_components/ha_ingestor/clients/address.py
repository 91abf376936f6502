"""The address of a server, in one normalised spelling."""

import re
from ipaddress import ip_address
from typing import Final

from yarl import URL

# More than servers take.
_ADDRESS_MAX: Final = 2_000
_HOST: Final = re.compile(r"[\w.:%~-]+")


class AddressError(ValueError):
    """An address that cannot be used; its text is a slug, never the address itself."""


def normalize(text: str) -> str:
    """One spelling per server: scheme, lower-case host, port if unusual, path without end slash.

    A missing scheme means http. Raises AddressError `invalid_url`, `unsupported_scheme`, or
    `url_credentials` for `user:password@`, which would end up in every log line that shows the
    address.
    """
    text = text.strip()
    if len(text) > _ADDRESS_MAX:
        raise AddressError("invalid_url")
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        # Not chained: the message of the cause shows the text, which may hold a password.
        raise AddressError("invalid_url") from None
    if url.user is not None or url.password is not None:
        raise AddressError("url_credentials")
    if url.scheme not in {"http", "https"}:
        raise AddressError("unsupported_scheme")
    if not _HOST.fullmatch(url.host or "") or url.raw_query_string or url.raw_fragment:
        raise AddressError("invalid_url")
    return str(url).rstrip("/")


def origin(url: str) -> URL:
    """Return scheme, host and port of an address; raises AddressError."""
    return URL(normalize(url)).origin()


def is_same_machine(url: str) -> bool:
    """Whether a normalized address is probably on this machine.

    Names without a dot belong to containers and add-ons beside Home Assistant; where one is a
    machine of the home after all, nothing is lost but some bandwidth.
    """
    host = URL(url).host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host
