"""Looks for a Home Assistant at an address, and asks it what a dialogue wants to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..clients.homeassistant.address import candidates
from ..clients.homeassistant.connection import Connection
from ..clients.homeassistant.errors import HomeAssistantError, Problem
from ..clients.homeassistant.registries import Registries, list_registries
from ..connection import async_ssl

# Where one of these happens is the place, whatever else could be tried.
_FOUND: Final = frozenset({Problem.INVALID_AUTH, Problem.BANNED})

# Longer than any ID of Home Assistant's.
_IDENTITY_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A Home Assistant that takes the token."""

    url: str
    location: str
    registries: Registries

    @property
    def identity(self) -> str:
        """What tells it from others: its oldest config entry, or its place if it has none."""
        entries = self.registries.config_entries.values()
        oldest = min(entries, key=lambda entry: (entry.created_at, entry.entry_id), default=None)
        return oldest.entry_id[:_IDENTITY_MAX] if oldest else self.url


async def async_find(hass: HomeAssistant, data: Mapping[str, Any]) -> Found:
    """Find the API at one of the places that an address may mean.

    Raises AddressError, CertificateError and HomeAssistantError, that of the likeliest place.
    """
    ssl = await async_ssl(hass, data)
    first: HomeAssistantError | None = None
    for url in candidates(data[CONF_URL]):
        try:
            connection = await Connection.open(
                async_get_clientsession(hass), url, data[CONF_TOKEN], ssl=ssl
            )
        except HomeAssistantError as err:
            if err.problem in _FOUND:
                raise
            first = first or err
            continue
        try:
            config = await connection.mapping("get_config")
            registries = await list_registries(connection)
            location = str(config.get("location_name") or "")
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            raise HomeAssistantError(Problem.PROTOCOL, "an unexpected answer") from err
        finally:
            await connection.close()
        return Found(url=url, location=location, registries=registries)
    raise first or HomeAssistantError(Problem.UNREACHABLE)
