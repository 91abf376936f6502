"""A Home Assistant of the benchmark: the load, and one exporter or none."""

import os
import subprocess
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from scripts.rig.api import CONFIRMED
from scripts.rig.configuration import CHECKOUT, write_configuration
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HASS, HomeAssistant, HomeAssistantError
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.servers import Server

LOAD: Final = "bench_load"

# No recorder: its thread costs more than any exporter, and differs more from run to run.
_CONFIGURATION: Final = """\
homeassistant:
  name: Bench
  latitude: 52.37
  longitude: 4.9
  elevation: 2
  unit_system: metric
  time_zone: UTC
  country: NL
  language: en
  currency: EUR
api:
config:
diagnostics:
onboarding:
websocket_api:
logger:
  default: warning
"""
# Answering costs milliseconds, which would keep the process from coming to rest.
_LOOK_SECONDS: Final = 3.0
_PATIENCE_SECONDS: Final = 600.0


# What the built-in integration has where nothing is configured.
CORE_SETTINGS: Final[dict[str, Any]] = {"measurement_attr": "unit_of_measurement"}


class Exporter(StrEnum):
    """Who delivers."""

    NONE = "none"
    BUILTIN = "built-in"
    OURS = "ours"
    # The same points as the built-in one.
    CORE = "ours, core profile"

    @property
    def bucket(self) -> str:
        """Where its points go."""
        return self.name.lower()


@dataclass(slots=True)
class BenchHome(HomeAssistant):
    """A Home Assistant with the load in it, and what `more` configures."""

    def launch(self) -> None:
        """Start without waiting for anything."""
        components = self.directory / "components"
        if not components.exists():
            components.mkdir(parents=True)
            (components / DOMAIN).symlink_to(CHECKOUT / "custom_components" / DOMAIN)
            (components / LOAD).symlink_to(Path(__file__).with_name(LOAD))
            (self.directory / "custom_components").symlink_to(components)
        write_configuration(self.directory, port=self.port)
        text = _CONFIGURATION + self.more
        (self.directory / "configuration.yaml").write_text(text, encoding="utf-8")
        environment = os.environ | {"PYTHONPYCACHEPREFIX": str(CHECKOUT / ".dev" / "pycache")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [HASS, "-c", self.directory, "--skip-pip", "--log-no-color"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def furnish(self, exporter: Exporter, server: Server) -> None:
        """Set up the load and the exporter, each with a bucket of its own."""
        self.api.flow(LOAD)
        server.create_database(exporter.bucket)
        if exporter in {Exporter.OURS, Exporter.CORE}:
            connect(self.api, address_of(server, exporter.bucket))
            if exporter is Exporter.CORE:
                (entry,) = self.api.entries(DOMAIN)
                self.api.set_options(
                    entry["entry_id"],
                    "points",
                    ("core", CORE_SETTINGS),
                    ("to_core", CONFIRMED),
                    profile="core",
                )
        elif exporter is Exporter.BUILTIN:
            wanted = {
                "url": server.url,
                "verify_ssl": False,
                "organization": server.org,
                "bucket": exporter.bucket,
                "token": server.token,
            }
            self.api.flow("influxdb", user={"next_step_id": "configure_v2"}, configure_v2=wanted)

    def begin(self, events: int, rate: float, *, watch: bool = True) -> None:
        """Begin to change states; watching the event loop costs more than a calm home does."""
        self.api.call_service(LOAD, "start", events=events, rate=rate, watch=watch)

    @property
    def pid(self) -> int:
        """Which process it is."""
        if self._process is None:
            raise HomeAssistantError("It does not run")
        return self._process.pid

    def observe(self, kind: str) -> None:
        """Begin to look at the process from within."""
        self.api.call_service(LOAD, "observe", kind=kind)

    def observed(self) -> dict[str, Any]:
        """End what `observe` began and return what was seen."""
        answer = self.api.call_service(LOAD, "observed?return_response")
        return dict(answer["service_response"])

    def report(self) -> dict[str, Any]:
        """Return what the load says."""
        answer = self.api.call_service(LOAD, "report?return_response")
        return dict(answer["service_response"])

    def run(self, events: int, rate: float) -> dict[str, Any]:
        """Change states and wait until the process rests again."""
        self.begin(events, rate)
        time.sleep(events / rate)
        return self.await_result()

    def await_result(self) -> dict[str, Any]:
        """Wait for the end of what began."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            if result := self.report()["result"]:
                return dict(result)
        raise HomeAssistantError("The load took too long")

    def setup_seconds(self, domain: str) -> float:
        """Return what Home Assistant says that setting up an integration took."""
        told = self.api.ws("integration/setup_info")
        return float(next(each["seconds"] for each in told if each["domain"] == domain))

    def ledger(self) -> dict[str, Any]:
        """Return the counts of our integration, and what is waiting beside them."""
        (entry,) = self.api.entries(DOMAIN)
        told = self.api.diagnostics(entry["entry_id"])["data"]
        return {**told["ledger"], **told["health"]}
