"""The homes that are compared: a whole Home Assistant, its changes, and who delivers them."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..api import Api, ApiError
from ..configuration import CHECKOUT
from ..home_assistant import HomeAssistant, HomeAssistantError
from ..integration import DOMAIN, Address, connect
from ..queries import MEASUREMENT
from ..servers import Server
from . import numbered_changes
from .credentials import ISSUERS, Credentials
from .tally import Record, counts_of

_POLL_SECONDS: Final = 0.2
_DIALOGUE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One that delivers states, and how a user deals with it."""

    name: str
    domain: str
    measurement: str
    connect: Callable[[Api, Address], Any]
    renew: Callable[[Api, str, Address], Any]


def _built_in_form(address: Address) -> dict[str, Any]:
    credentials = {
        "v1": {
            "database": address.database,
            "username": address.user,
            "password": address.password,
        },
        "v2": {
            "bucket": address.database,
            "organization": address.org,
            "token": address.token,
        },
    }
    return {"url": address.url, "verify_ssl": False, **credentials[address.dialect]}


def _connect_built_in(api: Api, address: Address) -> Any:
    step = f"configure_{address.dialect}"
    form = {step: _built_in_form(address)}
    return api.flow("influxdb", user={"next_step_id": step}, **form)


def _renew_built_in(api: Api, entry_id: str, address: Address) -> Any:
    form = {f"reconfigure_{address.dialect}": _built_in_form(address)}
    return api.reconfigure("influxdb", entry_id, **form)


def _renew_ours(api: Api, entry_id: str, address: Address) -> Any:
    forms = {
        "v1": {"username": address.user, "password": address.password},
        "v2": {"token": address.token},
    }
    deadline = time.monotonic() + _DIALOGUE_SECONDS
    while time.monotonic() < deadline:
        # Home Assistant opens it by itself, once the database has refused something.
        if done := api.reauthenticate(entry_id, reauth_confirm=forms[address.dialect]):
            return done
        time.sleep(_POLL_SECONDS)
    raise HomeAssistantError("HA Ingestor did not ask for new credentials")


BUILT_IN: Final = Integration(
    name="built-in",
    domain="influxdb",
    # It makes the unit of a state its measurement.
    measurement=numbered_changes.UNIT,
    connect=_connect_built_in,
    renew=_renew_built_in,
)
OURS: Final = Integration(
    name="HA Ingestor",
    domain=DOMAIN,
    measurement=MEASUREMENT,
    connect=connect,
    renew=_renew_ours,
)


@dataclass(slots=True, kw_only=True)
class Home:
    """A Home Assistant with one of them, and a database of its own."""

    assistant: HomeAssistant
    integration: Integration
    server: Server
    credentials: Credentials

    @classmethod
    def make(cls, directory: Path, integration: Integration, server: Server) -> Home:
        """Make the database and its credentials; Home Assistant is not started yet."""
        database = f"home_{integration.domain}"
        server.create_database(database)
        credentials = ISSUERS[server.dialect].issue(server, database)
        components = directory / "components"
        components.mkdir(parents=True)
        ours = CHECKOUT / "custom_components" / DOMAIN
        for component in (ours, Path(numbered_changes.__file__).parent):
            (components / component.name).symlink_to(component)
        (directory / "custom_components").symlink_to(components)
        return cls(
            assistant=HomeAssistant(directory=directory),
            integration=integration,
            server=server,
            credentials=credentials,
        )

    @property
    def api(self) -> Api:
        """Home Assistant's interfaces."""
        return self.assistant.api

    @property
    def _entry_id(self) -> str:
        (entry,) = self.api.entries(self.integration.domain)
        return str(entry["entry_id"])

    def connect(self) -> None:
        """Set up the changes and the integration, as a user would."""
        self.api.flow(numbered_changes.DOMAIN)
        result = self.integration.connect(self.api, self.credentials.address)
        if result["type"] != "create_entry":
            raise HomeAssistantError(f"{self.integration.name} could not be set up: {result}")

    def configure(self, yaml: str) -> None:
        """Give the integration options that it has only in YAML."""
        # Not before there is an entry: the built-in one would make an entry of what it finds.
        self.assistant.more = yaml
        self.assistant.write_configuration()
        self.api.reload(self._entry_id)

    @property
    def is_changing(self) -> bool:
        """Whether the integration is being set up or unloaded."""
        return str(self.api.entry(self._entry_id)["state"]).endswith("_in_progress")

    def make_sure_it_runs(self) -> None:
        """Set the integration up again when it gave up; Home Assistant would do so later."""
        if self.api.entry(self._entry_id)["state"] != "loaded":
            self.api.reload(self._entry_id)
        if (state := self.api.entry(self._entry_id)["state"]) != "loaded":
            raise HomeAssistantError(f"{self.integration.name} is not loaded: {state}")

    def begin(self, *, first: int, count: int, rate: float, at: float, kill: bool) -> None:
        """Begin to make changes at a moment; with the last one the process may be killed."""
        self.api.call_service(
            numbered_changes.DOMAIN, "start", first=first, count=count, rate=rate, at=at, kill=kill
        )

    def finish(self, last: int, *, deadline: float, kill: bool) -> None:
        """Wait for the last change, and for the kill."""
        while time.monotonic() < deadline:
            if self.assistant.is_alive is not kill and last in self.record().made:
                if kill:
                    self.assistant.kill()
                return
            if not self.assistant.is_alive and not kill:
                raise HomeAssistantError(
                    f"Home Assistant with {self.integration.name} ended by itself: "
                    f"{self.assistant.log_path} says why, with --keep"
                )
            time.sleep(_POLL_SECONDS)
        raise HomeAssistantError(
            f"Home Assistant with {self.integration.name} did not make its changes in time: "
            "try a lower --rate, or a machine that is less busy"
        )

    def record(self) -> Record:
        """Read which changes were made."""
        path = self.assistant.directory / numbered_changes.RECORD
        return Record.parse(path.read_text() if path.exists() else "")

    def stored(self) -> Counter[int]:
        """Count how often each number is in the database."""
        points = self.server.query_points(self.integration.measurement, self._database)
        values = (point["fields"].get("value") for point in points if _is_numbered(point["tags"]))
        return Counter(int(value) for value in values if value is not None)

    def points(self) -> int:
        """Count everything that the integration stored in its measurement."""
        return len(self.server.query_points(self.integration.measurement, self._database))

    @property
    def _database(self) -> str:
        return self.credentials.address.database

    def revoke(self) -> None:
        """Let the database refuse this home."""
        ISSUERS[self.server.dialect].revoke(self.server, self.credentials)

    def renew(self) -> None:
        """Make new credentials and enter them."""
        self.credentials = ISSUERS[self.server.dialect].renew(self.server, self.credentials)
        result = self.integration.renew(self.api, self._entry_id, self.credentials.address)
        if not str(result.get("reason", "")).endswith("_successful"):
            raise HomeAssistantError(f"{self.integration.name} took no new credentials: {result}")

    def counts(self) -> Mapping[str, int] | None:
        """Return the ledger; None while it cannot be told."""
        try:
            told = self.api.diagnostics(self._entry_id)["data"]
        except ApiError:
            return None
        return counts_of(told) if told["health"]["is_open"] else None


def _is_numbered(tags: Mapping[str, str]) -> bool:
    """Whether a point is one of ours to count; the built-in leaves the domain out of the name."""
    return tags.get("entity_id", "").removeprefix("sensor.").startswith("numbered_")
