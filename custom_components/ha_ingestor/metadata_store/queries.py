"""Queries of the store, answered as HomeIQ's data-api answers them.

Unknown parameters are refused: ignoring a misspelt filter would return the whole home. Removed rows
are left out unless they are asked for.
"""

import json
import re
import sqlite3
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import orjson

from .changes import stamp
from .listings import Filter, Listing, Now, QueryError

_LIMIT: Final = 100
_OFFSET_MAX: Final = 999_999_999
_INACTIVE_AFTER: Final = timedelta(days=30)
# Rows of all homes.
EVERY_INSTANCE: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to list: only rows that meet all `values`, which are named as their filters.

    `offset` rows are skipped first: that is how more than `limit` are read, page by page.
    The `instance` of this home is an empty text.
    """

    listing: Listing
    limit: int = _LIMIT
    offset: int = 0
    instance: str = ""
    values: Mapping[str, object] = MappingProxyType({})


def parse(listing: Listing, parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a request, of which empty ones do not count; raises QueryError."""
    given: dict[str, list[str]] = {}
    for name, text in parameters:
        if name not in {"limit", "offset", "instance", *listing.filters}:
            words = ", ".join(["limit", *listing.filters, "offset", "instance"])
            raise QueryError(f"{name}: not one of {words}")
        if text:
            given.setdefault(name, []).append(text)
    limit = _number("limit", given.pop("limit", [str(_LIMIT)]), 1, listing.limit_max)
    offset = _number("offset", given.pop("offset", ["0"]), 0, _OFFSET_MAX)
    instance = str(_value("instance", Filter(sql=""), given.pop("instance", [""])))
    values = {name: _value(name, listing.filters[name], texts) for name, texts in given.items()}
    return Query(listing=listing, limit=limit, offset=offset, instance=instance, values=values)


def _number(name: str, texts: list[str], least: int, most: int) -> int:
    if len(texts) == 1 and re.fullmatch("[0-9]{1,9}", texts[0]):
        number = int(texts[0])
        if least <= number <= most:
            return number
    raise QueryError(f"{name}: not one number from {least} to {most}")


def _value(name: str, condition: Filter, texts: list[str]) -> object:
    if condition.is_repeatable:
        return json.dumps(texts)
    if len(texts) > 1:
        raise QueryError(f"{name}: given more than once")
    try:
        return condition.read(texts[0])
    except QueryError as err:
        raise QueryError(f"{name}: {err}") from None


def answer(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    seen: Mapping[str, datetime],
    connected: Container[str],
) -> bytes:
    """List rows as JSON; `seen` is when each home was last read."""
    listing = query.listing
    wanted = {"include_removed", *query.values}
    where = " AND ".join(f"({listing.filters[name].sql})" for name in sorted(wanted))
    if query.instance != EVERY_INSTANCE:
        where += " AND x.instance = :instance"
    found = db.execute(
        "SELECT CAST(x.data AS BLOB), x.instance, x.first_seen, x.last_seen, x.removed_at, "
        f"{listing.columns} FROM {listing.table} AS x WHERE {where} "
        f"ORDER BY {listing.order} LIMIT :limit OFFSET :offset",
        {
            **dict.fromkeys(listing.filters),
            "include_removed": False,
            **query.values,
            "limit": query.limit,
            "offset": query.offset,
            "instance": query.instance,
        },
    )
    about = Now(
        active_since=stamp(now - _INACTIVE_AFTER),
        seen={instance: stamp(moment) for instance, moment in seen.items()},
        connected=connected,
    )
    rows = [orjson.Fragment(row) for row in listing.describe(db, found, about)]
    content = {
        listing.table: rows,
        "count": len(rows),
        "limit": query.limit,
        "offset": query.offset,
    }
    return _readable(orjson.dumps(content))


def _readable(text: bytes) -> bytes:
    """Return valid JSON for a damaged row, until a sync has replaced it."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text
