"""Where the points of a destination go, in words for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from yarl import URL

from ..connection import PRODUCTS, destination
from ..const import DOMAIN

if TYPE_CHECKING:
    from ..coordinator import HaIngestorConfigEntry


def server_of(data: Mapping[str, Any]) -> str:
    """Return the address of the server, without credentials and query."""
    return str(_address(destination(data).url).with_query(None).with_fragment(None))


def database_of(data: Mapping[str, Any]) -> str:
    """Return the name of the bucket or database, else the product."""
    there = destination(data)
    name = there.bucket or there.database or PRODUCTS[there.dialect]
    return f"{name}/{there.retention_policy}" if there.retention_policy else name


def distinct_title(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> str:
    """Return the title of an entry, with its place where another one is called the same."""
    others = hass.config_entries.async_entries(DOMAIN)
    if all(entry.title != other.title or entry.entry_id == other.entry_id for other in others):
        return entry.title
    address = _address(destination(entry.data).url)
    return f"{entry.title} ({database_of(entry.data)}, {address.host}:{address.port})"


def _address(url: str) -> URL:
    return URL(url).with_user(None)
