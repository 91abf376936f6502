"""Access to a real server: as its administrator, and as our client."""

from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from scripts.rig.dialects import KINDS
from scripts.rig.endpoint import Endpoint
from scripts.rig.servers import Server


def endpoint_of(server: Server) -> Endpoint:
    """Return the way to everything that a server can be asked, as its owner."""
    return Endpoint(port=server.port, headers=KINDS[server.dialect].headers(server.account))


def destination_of(server: Server, database: str) -> Destination:
    """Say where our client has to write."""
    return Destination(
        url=server.url,
        dialect=Dialect(server.dialect),
        org=server.org,
        bucket=database,
        database=database,
        username=server.user if server.dialect == "v1" else "",
        password=server.password if server.dialect == "v1" else "",
        token=server.token,
    )
