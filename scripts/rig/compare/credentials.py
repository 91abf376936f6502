"""Credentials that open one database and nothing else, and how they are taken away and renewed."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from ..destination import address_of
from ..dialects import KINDS
from ..endpoint import Endpoint, RequestError
from ..integration import Address
from ..servers import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a home is told, and by what the server knows it."""

    address: Address
    key: str


class Issuer(Protocol):
    """How a kind of server deals with credentials."""

    @property
    def title(self) -> str:
        """What is done to the credentials, as a line of the report says it."""

    def issue(self, server: Server, database: str) -> Credentials:
        """Make credentials for a database."""

    def revoke(self, server: Server, credentials: Credentials) -> None:
        """Let the server refuse them from now on."""

    def renew(self, server: Server, credentials: Credentials) -> Credentials:
        """Return others in their place, which the home does not know yet."""


class Passwords:
    """InfluxDB 1: a user whose password changes."""

    title: Final = "Password changed, the new one entered"

    def issue(self, server: Server, database: str) -> Credentials:
        """Create a user who may do everything in the database."""
        password = secrets.token_urlsafe()
        _tell(server, f"CREATE USER {database} WITH PASSWORD '{password}'")
        _tell(server, f"GRANT ALL ON {database} TO {database}")
        address = replace(address_of(server, database), user=database, password=password)
        return Credentials(address=address, key=database)

    def revoke(self, server: Server, credentials: Credentials) -> None:
        """Set a password that nobody knows."""
        self._set(server, credentials.key, secrets.token_urlsafe())

    def renew(self, server: Server, credentials: Credentials) -> Credentials:
        """Set one that is known."""
        password = secrets.token_urlsafe()
        self._set(server, credentials.key, password)
        return replace(credentials, address=replace(credentials.address, password=password))

    def _set(self, server: Server, user: str, password: str) -> None:
        _tell(server, f"SET PASSWORD FOR {user} = '{password}'")


class Tokens:
    """InfluxDB 2: a token that is deleted, and another one."""

    title: Final = "Token deleted, a new one entered"

    def issue(self, server: Server, database: str) -> Credentials:
        """Make a token that reads and writes the bucket."""
        (org,) = _ask(server, "/api/v2/orgs", {"org": server.org})["orgs"]
        found = _ask(server, "/api/v2/buckets", {"org": server.org, "name": database})
        resource = {"type": "buckets", "orgID": org["id"], "id": found["buckets"][0]["id"]}
        permissions = [{"action": action, "resource": resource} for action in ("read", "write")]
        wanted = {"orgID": org["id"], "permissions": permissions}
        made = _ask(server, "/api/v2/authorizations", body=json.dumps(wanted).encode())
        address = replace(address_of(server, database), token=made["token"], user="", password="")
        return Credentials(address=address, key=made["id"])

    def revoke(self, server: Server, credentials: Credentials) -> None:
        """Delete the token."""
        _endpoint(server).request(f"/api/v2/authorizations/{credentials.key}", method="DELETE")

    def renew(self, server: Server, credentials: Credentials) -> Credentials:
        """Make another one."""
        return self.issue(server, credentials.address.database)


ISSUERS: Final[Mapping[str, Issuer]] = {"v1": Passwords(), "v2": Tokens()}


def _endpoint(server: Server) -> Endpoint:
    return Endpoint(port=server.port, headers=KINDS[server.dialect].headers(server.account))


def _ask(
    server: Server, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
) -> Any:
    return json.loads(_endpoint(server).request(path, query, body=body))


def _tell(server: Server, command: str) -> None:
    answer = _ask(server, "/query", {"q": command}, b"")
    if error := answer["results"][0].get("error"):
        raise RequestError(error)
