"""A Home Assistant to play with: demo entities that change, and a database that gets it all."""

import argparse
import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from .api import Api, ApiError
from .configuration import CHECKOUT
from .data_api import DataApi, in_background
from .destination import NoDatabaseError, destination
from .home_assistant import HomeAssistant, HomeAssistantError, free_port, is_free
from .integration import DOMAIN, connect, connect_data_api
from .interruption import end_in_order
from .onboarding import PASSWORD, USERNAME
from .progress import step
from .queries import curl
from .servers import ServerError

DATA: Final = CHECKOUT / ".dev" / "develop"
_DATA_API_PORT: Final = 8006
_SHOWN_AFTER: Final = 8.0
_PORTS: Final = 2**16


class DevelopError(Exception):
    """It cannot be started; says why."""


def main() -> None:
    """Run Home Assistant with this checkout's integration until Ctrl-C."""
    arguments = _arguments()
    end_in_order()
    try:
        with _alone():
            _run(arguments)
    except KeyboardInterrupt:
        print("\nStopped.")
    except (DevelopError, NoDatabaseError, HomeAssistantError, ServerError, ApiError) as error:
        raise SystemExit(f"error: {error}") from None


def _run(arguments: argparse.Namespace) -> None:
    if not is_free(arguments.port):
        raise DevelopError(
            f"port {arguments.port} is taken. Stop what listens there, "
            f"or take another one: scripts/develop --port {arguments.port + 1}"
        )
    if arguments.fresh:
        shutil.rmtree(DATA, ignore_errors=True)
    home = HomeAssistant(
        directory=DATA / "home_assistant", port=arguments.port, demo=True, lively=True
    )
    with ExitStack() as stack:
        address = stack.enter_context(destination(arguments.wish, DATA))
        # Its address is kept in the entry, so it has to be the same the next time, where it can be.
        port = _DATA_API_PORT if is_free(_DATA_API_PORT) else free_port()
        data_api = stack.enter_context(in_background(DataApi(port=port)))
        stack.callback(home.stop)
        with step("Home Assistant"):
            home.start()
        with step("HA Ingestor"):
            connect(home.api, address)
            for entry in home.api.entries(DOMAIN):
                connect_data_api(home.api, entry["entry_id"], data_api.url)
        print(
            f"\nHome Assistant: {home.api.url}  user {USERNAME}, password {PASSWORD}\n"
            f"The integration: {home.api.url}/config/integrations/integration/{DOMAIN}\n"
            f"Its log: {home.log_path.relative_to(CHECKOUT)}\n"
            f"The newest points:\n\n  {curl(address)}\n\n"
            "The rows of devices and entities, in a data-api that keeps to HomeIQ's contract:\n\n"
            f"  curl '{data_api.url}/api/devices'\n  curl '{data_api.url}/api/entities'\n"
        )
        time.sleep(_SHOWN_AFTER)
        print(_delivery(home.api, address.dialect))
        tables = data_api.tables
        print(f"{len(tables.devices)} devices and {len(tables.entities)} entities in the data-api.")
        print("Ctrl-C stops everything; the data is there again the next time.", flush=True)
        while home.is_alive:
            time.sleep(1.0)
        raise DevelopError("Home Assistant ended by itself")


def _delivery(api: Api, dialect: str) -> str:
    """Say how delivery is going; entries of earlier runs may be for other databases."""
    lines = []
    for entry in api.entries(DOMAIN):
        if entry["state"] != "loaded":
            continue
        told = api.diagnostics(entry["entry_id"])["data"]
        if told["entry"]["data"]["dialect"] == dialect:
            detail = told["health"]["export"]["detail"]
            lines.append(f"{told['ledger']['written']} points written so far. {detail}".rstrip())
    return "\n".join(lines)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second one away from the same data."""
    DATA.parent.mkdir(exist_ok=True)
    with (DATA.parent / "develop.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevelopError("scripts/develop is running already") from None
        yield


def _port(text: str) -> int:
    if not 0 < (port := int(text)) < _PORTS:
        raise argparse.ArgumentTypeError(f"{text} is not a port: 1 to {_PORTS - 1}")
    return port


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/develop", description=main.__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--influxdb", dest="wish", choices=("1", "2"), help="write to this InfluxDB")
    which.add_argument(
        "--victoriametrics",
        dest="wish",
        action="store_const",
        const="victoriametrics",
        help="write to VictoriaMetrics",
    )
    parser.add_argument("--port", type=_port, default=8123, help="of Home Assistant")
    parser.add_argument("--fresh", action="store_true", help="forget the data of earlier runs")
    parser.set_defaults(wish="")
    return parser.parse_args()


if __name__ == "__main__":
    main()
