"""A real MQTT broker as a process on loopback, with a directory of its own."""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self

from paho.mqtt import publish

from .configuration import HOST
from .databases import BROKER, Unavailable, binary
from .home_assistant import free_port
from .recipes import LIBRARIES

START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05

_CONFIGURATION: Final = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {directory}/
sys_interval 1
user root
"""


class BrokerError(Exception):
    """The broker did not do what it was told."""


class Message(NamedTuple):
    """What is published."""

    topic: str
    payload: str | bytes
    qos: int = 1
    retain: bool = False


@dataclass(slots=True, kw_only=True)
class Broker:
    """Mosquitto; `start` and `stop` as often as wanted. Retained messages outlast an orderly stop.

    `executable` is from `binary`.
    """

    directory: Path
    executable: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start and wait until it listens."""
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            _CONFIGURATION.format(port=self.port, host=HOST, directory=self.directory)
        )
        libraries = str(self.executable.parent / LIBRARIES)
        with (self.directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.executable, "-c", configuration],
                env=os.environ | {"LD_LIBRARY_PATH": libraries},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((HOST, self.port), timeout=1.0).close()
            except OSError:
                time.sleep(_POLL_SECONDS)
            else:
                return
        raise BrokerError((self.directory / "broker.log").read_text(errors="replace"))

    def stop(self) -> None:
        """Stop in order; nothing happens when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(STOP_SECONDS)

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish one after the other, and wait until the broker has them all."""
        publish.multiple(list(messages), hostname=HOST, port=self.port)


def broker_in(directory: Path) -> Broker | Unavailable:
    """Prepare a broker, or say why there is none."""
    found = binary(BROKER.name)
    if isinstance(found, Unavailable):
        return found
    return Broker(directory=directory, executable=found)
