"""A whole Home Assistant as a process, with this checkout's integration in it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .api import Api, ApiError
from .configuration import CHECKOUT, HOST, write_configuration
from .onboarding import onboard

HASS: Final = CHECKOUT / ".dev" / "runtime" / "bin" / "hass"
_BYTECODE: Final = CHECKOUT / ".dev" / "pycache"

START_SECONDS: Final = 120.0
# Home Assistant gives its integrations up to 20 + 100 + 60 + 30 s; a rig with healthy ones needs 3,
# and the recorder a minute for ten thousand entities where two cores do much else.
STOP_SECONDS: Final = 150.0
_POLL_SECONDS: Final = 0.1
_TAIL_LINES: Final = 40


class HomeAssistantError(Exception):
    """Home Assistant did not do what it was told; says what its log said last."""


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        # As Home Assistant does, or a port would seem taken for a minute after its end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@dataclass(slots=True, kw_only=True)
class HomeAssistant:
    """Home Assistant on one configuration directory; `start` and `stop` as often as wanted."""

    directory: Path
    port: int = field(default_factory=free_port)
    demo: bool = False
    lively: bool = False
    more: str = ""
    api: Api = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Take up the token of an earlier run on the same directory."""
        token = self._token_path.read_text() if self._token_path.exists() else ""
        self.api = Api(port=self.port, token=token)

    @property
    def _token_path(self) -> Path:
        return self.directory / "rig.token"

    @property
    def log_path(self) -> Path:
        """Where everything is logged."""
        return self.directory / "rig.log"

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until everything is set up; creates the user the first time."""
        self.launch()
        self.wait_until_running()

    def launch(self) -> None:
        """Start without waiting for anything."""
        if self.is_alive:
            raise HomeAssistantError("It is running already")
        if not HASS.exists():
            raise HomeAssistantError("There is no Home Assistant: run scripts/setup runtime")
        self.write_configuration()
        environment = os.environ | {"PYTHONPYCACHEPREFIX": str(_BYTECODE)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self.log_path.open("ab") as log:
            # Its own session: Ctrl-C is for us to hear, and to pass on as an orderly stop.
            self._process = subprocess.Popen(
                [HASS, "-c", self.directory, "--skip-pip", "--log-no-color"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def write_configuration(self) -> None:
        """Write the YAML; Home Assistant reads it at its start, and some of it when asked to."""
        write_configuration(
            self.directory, port=self.port, demo=self.demo, lively=self.lively, more=self.more
        )

    def wait_until_running(self) -> None:
        """Wait for the end of Home Assistant's start."""
        if not self.api.token:
            self._wait_for("an answer", self._answers)
            self.api.token = onboard(self.api)
            self._token_path.touch(mode=0o600)
            self._token_path.write_text(self.api.token)
        self._wait_for("the end of the start", self._is_running)
        if self.api.request("GET", "/api/config")["recovery_mode"]:
            raise self._failure("Home Assistant is in recovery mode")

    def stop(self) -> None:
        """Stop in order, as a user's restart would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def log(self) -> str:
        """Everything that was logged since the directory was made."""
        with suppress(FileNotFoundError):
            return self.log_path.read_text(errors="replace")
        return ""

    def _answers(self) -> bool:
        return bool(self.api.request("GET", "/api/onboarding"))

    def _is_running(self) -> bool:
        return bool(self.api.request("GET", "/api/core/state")["state"] == "RUNNING")

    def _wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_alive:
                raise self._failure("Home Assistant ended")
            # Before the frontend is set up nobody listens; before `api` is, nothing is found.
            with suppress(ApiError):
                if condition():
                    return
            time.sleep(_POLL_SECONDS)
        raise self._failure(f"Home Assistant took too long: no {what}")

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise self._failure("Home Assistant did not stop") from None

    def _failure(self, what: str) -> HomeAssistantError:
        tail = "\n".join(self.log().splitlines()[-_TAIL_LINES:])
        return HomeAssistantError(f"{what}. The end of its log:\n{tail}")
