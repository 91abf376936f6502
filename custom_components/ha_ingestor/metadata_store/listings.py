"""The lists that the store can be asked for: devices and entities.

Each row also has its history.
"""

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson


class QueryError(ValueError):
    """A query that is not valid; the text says why."""


def _boolean(text: str) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if found is None:
        raise QueryError("neither true nor false")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on the row `x`, with the parameter that it is named after."""

    sql: str
    read: Callable[[str], object] = str
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is added to rows of the past as it is now.

    A device is active that was seen since `active_since`. `seen` is when each home was last read.
    """

    active_since: str
    seen: Mapping[str, str]
    connected: Container[str]

    def past(
        self, instance: str, first_seen: str, last_seen: str | None, removed_at: str | None
    ) -> dict[str, Any]:
        """Say of which home a row is, and its history."""
        return {
            "instance": instance or None,
            "stale": bool(instance) and instance not in self.connected,
            "first_seen": first_seen,
            "last_seen": last_seen or self.seen.get(instance),
            "removed_at": removed_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list that can be asked for.

    `columns` are wanted of a row `x` beside what every table has; `describe` makes JSON of them.
    """

    table: str
    order: str
    limit_max: int
    columns: str
    describe: Callable[[sqlite3.Connection, Iterable[Any], Now], Iterator[bytes]]
    filters: Mapping[str, Filter]


def _devices(_db: sqlite3.Connection, found: Iterable[Any], now: Now) -> Iterator[bytes]:
    for data, *about, entity_count in found:
        past = now.past(*about)
        last_seen = past["last_seen"]
        is_active = last_seen is not None and last_seen >= now.active_since
        added = {
            "entity_count": entity_count,
            "status": "active" if is_active else "inactive",
            "timestamp": last_seen,
        }
        yield _with(data, added | past)


def _entities(db: sqlite3.Connection, found: Iterable[Any], now: Now) -> Iterator[bytes]:
    services = db.execute("SELECT instance, id, data FROM services WHERE removed_at IS NULL")
    actions = {(instance, domain): _actions(data) for instance, domain, data in services}
    for data, instance, *about, changed_at, domain, renames in found:
        added = {
            "previous_entity_ids": orjson.Fragment(renames) if renames else [],
            "available_services": actions.get((instance, domain)),
            "timestamp": changed_at,
        }
        yield _with(data, added | now.past(instance, *about))


def _actions(data: str) -> orjson.Fragment | None:
    """Read the actions of a domain once for all its entities; None where the row is damaged."""
    try:
        return orjson.Fragment(orjson.dumps(orjson.loads(data)["available_services"]))
    except ValueError, LookupError, TypeError:
        return None


def _with(data: bytes, added: Mapping[str, Any]) -> bytes:
    """Add to a stored row, which is an object with something in it.

    It is not read and written again for that, which would take four times as long.
    """
    return data[:-1] + b"," + orjson.dumps(added)[1:]


_INCLUDE_REMOVED: Final = Filter(sql=":include_removed OR x.removed_at IS NULL", read=_boolean)

DEVICES: Final = Listing(
    table="devices",
    order="x.id, x.instance",
    limit_max=1000,
    columns="""(SELECT count(*) FROM entities AS e
        WHERE e.instance = x.instance AND e.device_id = x.id AND e.removed_at IS NULL
        AND (:platform IS NULL OR e.platform = :platform))""",
    describe=_devices,
    filters={
        "manufacturer": Filter(sql="x.manufacturer = :manufacturer"),
        "model": Filter(sql="x.model = :model"),
        "area_id": Filter(sql="x.area_id = :area_id"),
        "platform": Filter(
            sql="EXISTS (SELECT 1 FROM entities AS e "
            "WHERE e.instance = x.instance AND e.device_id = x.id AND e.platform = :platform "
            "AND e.removed_at IS NULL)"
        ),
        "device_type": Filter(sql="x.data ->> 'device_type' = :device_type"),
        "device_category": Filter(sql="x.data ->> 'device_category' = :device_category"),
        "include_removed": _INCLUDE_REMOVED,
    },
)

ENTITIES: Final = Listing(
    table="entities",
    order="x.entity_id, x.instance, x.id",
    limit_max=10_000,
    columns="""x.changed_at, x.domain,
        iif((x.id, x.instance) IN (SELECT registry_id, instance FROM renames),
        (SELECT json_group_array(r.old_entity_id) FROM renames AS r
        WHERE r.instance = x.instance AND r.registry_id = x.id), NULL)""",
    describe=_entities,
    filters={
        "domain": Filter(sql="x.domain = :domain"),
        "platform": Filter(sql="x.platform = :platform"),
        "device_id": Filter(sql="x.device_id = :device_id"),
        "area_id": Filter(sql="x.effective_area_id = :area_id"),
        "label": Filter(
            sql="x.labels <> '[]' AND NOT EXISTS (SELECT 1 FROM json_each(:label) AS wanted "
            "WHERE wanted.value NOT IN (SELECT value FROM json_each(x.labels)))",
            is_repeatable=True,
        ),
        "alias": Filter(
            sql="x.aliases <> '[]' AND EXISTS (SELECT 1 FROM json_each(x.aliases) "
            "WHERE instr(casefold(value), :alias))",
            read=str.casefold,
        ),
        "has_aliases": Filter(sql="(x.aliases <> '[]') = :has_aliases", read=_boolean),
        "include_removed": _INCLUDE_REMOVED,
    },
)
