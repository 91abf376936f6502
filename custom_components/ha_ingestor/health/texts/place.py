"""Where the points of a destination go, in words for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from yarl import URL

from ...connection import PRODUCTS, destination
from ...const import DOMAIN

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry


def server_of(data: Mapping[str, Any]) -> str:
    """Return the address of the server, without credentials and query."""
    return str(_address(destination(data).url).with_query(None).with_fragment(None))


def database_of(data: Mapping[str, Any]) -> str:
    """Return the name of the bucket or database, else the product."""
    there = destination(data)
    name = there.bucket or there.database or PRODUCTS[there.dialect]
    return f"{name}/{there.retention_policy}" if there.retention_policy else name


def product_of(data: Mapping[str, Any], version: str) -> str:
    """Return what the database is, with its version where that is known."""
    product = PRODUCTS[destination(data).dialect]
    return f"{product.split()[0]} {version}" if version else product


def distinct_title(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> str:
    """Return the title of an entry, with its place where another one is called the same."""
    others = [
        other.data
        for other in hass.config_entries.async_entries(DOMAIN)
        if other.title == entry.title and other.entry_id != entry.entry_id
    ]
    if not others:
        return entry.title
    places = (_place(entry.data), _whole_place(entry.data))
    is_alike = any(_place(other) == places[0] for other in others)
    return f"{entry.title} ({places[is_alike]})"


def _place(data: Mapping[str, Any]) -> str:
    address = _address(destination(data).url)
    return f"{database_of(data)}, {address.host}:{address.port}"


def _whole_place(data: Mapping[str, Any]) -> str:
    """Return also the organization and the path: all that tells two destinations apart."""
    org = destination(data).org
    named = f"{org}/{_place(data)}" if org else _place(data)
    return f"{named}{_address(destination(data).url).path.rstrip('/')}"


def _address(url: str) -> URL:
    return URL(url).with_user(None)
