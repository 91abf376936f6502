"""Our integration, set up in a running Home Assistant as a user would do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from .api import Api

DOMAIN: Final = "ha_ingestor"


class Addressed(Protocol):
    """A server that knows how it is reached."""

    @property
    def url(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def org(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is, and what it wants to be told."""

    url: str
    dialect: str
    database: str
    org: str = ""
    token: str = ""
    user: str = ""
    password: str = ""


type _Steps = Mapping[str, dict[str, Any]]

_STEPS: Final[Mapping[str, Callable[[Address], _Steps]]] = {
    "v1": lambda it: {
        "v1": {"username": it.user, "password": it.password},
        "v1_place": {"database": it.database},
    },
    "v2": lambda it: {
        "v2": {"token": it.token},
        "v2_place": {"org": it.org, "bucket": it.database},
    },
    "v3": lambda it: {
        "v3": {"token": it.token},
        "v3_place": {"database": it.database},
    },
    "victoriametrics": lambda it: {"victoriametrics": {"database": it.database}},
}


def connect(api: Api, address: Address) -> Any:
    """Go through the config flow; returns its result, an entry or an abort."""
    # The server is left to be recognized, and the flow fails if it is taken for another; only
    # InfluxDB 3 tells nothing to those who have not shown their token yet.
    dialect = "v3" if address.dialect == "v3" else "auto"
    where = {"url": address.url, "dialect": dialect, "advanced": {"verify_ssl": True}}
    steps = _STEPS[address.dialect](address)
    return api.flow(DOMAIN, user=where, **steps, profile={"next_step_id": "profile_homeiq"})


def connect_data_api(api: Api, entry_id: str, url: str, key: str = "") -> Any:
    """Add a data-api to a destination; returns the result, which is it or an abort."""
    return api.add_subentry(entry_id, "data_api", url=url, api_key=key, verify_ssl=True, refresh=30)


def connect_mqtt(api: Api, entry_id: str, topics: list[dict[str, Any]]) -> Any:
    """Add topics to a destination; returns the result, which is they or an abort."""
    return api.add_subentry(entry_id, "mqtt", {"topics": topics}, presets=[])


def connect_remote(api: Api, entry_id: str, url: str, token: str, name: str) -> Any:
    """Add another Home Assistant to a destination; returns the result, which is it or an abort."""
    address = {"url": url, "token": token, "advanced": {"verify_ssl": True}}
    capture = {"name": name, "attempts": 0, "include": {}, "exclude": {}}
    return api.add_subentry(entry_id, "remote", capture, **address)
