"""A question to each kind of database that shows points arriving, to be copied into a shell."""

from collections.abc import Callable, Mapping
from shlex import quote
from typing import Final

from .integration import Address

MEASUREMENT: Final = "home_assistant_events"
_SQL: Final = f"SELECT entity_id, state, value FROM {MEASUREMENT} ORDER BY time DESC LIMIT 10"  # noqa: S608


def _v1(it: Address) -> list[str]:
    account = ["-u", f"{it.user}:{it.password}"] if it.user else []
    return [f"{it.url}/query", *account, *_fields(db=it.database, q=_SQL, pretty="true")]


def _v2(it: Address) -> list[str]:
    flux = (
        f'from(bucket: "{it.database}") |> range(start: -1m)'
        f' |> filter(fn: (r) => r._measurement == "{MEASUREMENT}" and r._field == "state")'
        ' |> group() |> sort(columns: ["_time"], desc: true) |> limit(n: 10)'
        ' |> keep(columns: ["_time", "entity_id", "_value"])'
    )
    return [
        f"{it.url}/api/v2/query?org={it.org}",
        *("-H", f"Authorization: Token {it.token}"),
        *("-H", "Content-Type: application/vnd.flux"),
        *("-d", flux),
    ]


def _v3(it: Address) -> list[str]:
    token = ["-H", f"Authorization: Bearer {it.token}"] if it.token else []
    return [f"{it.url}/api/v3/query_sql", *token, *_fields(db=it.database, q=_SQL)]


def _victoriametrics(it: Address) -> list[str]:
    match = f'{{__name__="{MEASUREMENT}_value", db="{it.database}"}}'
    return [f"{it.url}/api/v1/export", *_fields(**{"match[]": match, "start": "-1m"})]


def _fields(**fields: str) -> list[str]:
    told = [f"{name}={text}" for name, text in fields.items()]
    return ["-G", *(word for text in told for word in ("--data-urlencode", text))]


_COMMANDS: Final[Mapping[str, Callable[[Address], list[str]]]] = {
    "v1": _v1,
    "v2": _v2,
    "v3": _v3,
    "victoriametrics": _victoriametrics,
}


def curl(address: Address) -> str:
    """Return a command that shows the newest points."""
    words = ["curl", "-s", *_COMMANDS[address.dialect](address)]
    return " ".join(quote(word) for word in words)
