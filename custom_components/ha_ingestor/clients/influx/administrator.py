"""Chooses the administration of a destination by its dialect."""

from ssl import SSLContext

import aiohttp

from .admin import HttpAdministrator
from .admin_v2 import InfluxDB2Administrator
from .destination import Destination
from .dialect import Dialect
from .listing import Administrator


def administrator_of(
    session: aiohttp.ClientSession, destination: Destination, *, ssl: bool | SSLContext = True
) -> Administrator:
    """Build the administration of a destination; raises AddressError."""
    if destination.dialect is Dialect.V2:
        return InfluxDB2Administrator(destination, ssl=ssl)
    return HttpAdministrator(session, destination, ssl=ssl)
