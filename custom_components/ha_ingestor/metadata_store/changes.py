"""Makes the tables equal to a home; writes only the differences."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from ..registry.model import Home
from .rows import StoredRow, rows
from .schema import TABLES, transaction

# Removed rows are kept up to this number in each table and of each home, the newest ones.
REMEMBERED: Final = 5000
# A sync that finds nothing new is written down this often. After a crash, `last_seen` of a row may
# be this much before its removal.
NOTED_EVERY: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How many rows of all tables a sync wrote."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    returned: int = 0
    renamed: int = 0


def apply(
    db: sqlite3.Connection, home: Home, now: datetime, seen: datetime | None, instance: str = ""
) -> Changes:
    """Sync in one transaction; `seen` is when this process last did, if it did.

    Only rows of that home are touched; the instance of this home is an empty text.
    """
    found: Counter[str] = Counter()
    wanted = {
        table: {key: _encode(row) for key, row in of_home.items()}
        for table, of_home in rows(home).items()
    }
    with transaction(db):
        noted = last_syncs(db).get(instance)
        last_seen = stamp(seen or noted or now)
        for table, of_home in wanted.items():
            found += _sync(
                db, table, of_home, now=stamp(now), last_seen=last_seen, instance=instance
            )
        if found["removed"]:
            _forget(db, wanted, instance)
        if found or noted is None or not timedelta() <= now - noted < NOTED_EVERY:
            db.execute("REPLACE INTO syncs VALUES (?, ?)", (instance, stamp(now)))
    return Changes(**found)


def delete_others(db: sqlite3.Connection, instances: Collection[str]) -> int:
    """Delete the rows of homes that are neither this one nor named; returns how many."""
    kept = json.dumps(["", *instances])
    with transaction(db):
        return sum(
            db.execute(
                f"DELETE FROM {table} WHERE instance NOT IN (SELECT value FROM json_each(?))",
                (kept,),
            ).rowcount
            for table in TABLES
        )


def last_syncs(db: sqlite3.Connection) -> dict[str, datetime]:
    """Read when a sync of each home was last written down."""
    found = {}
    for instance, noted in db.execute("SELECT instance, synced_at FROM syncs"):
        with suppress(ValueError):  # it is damaged; the next sync writes it again
            found[instance] = datetime.fromisoformat(noted).astimezone(UTC)
    return found


def stamp(time: datetime) -> str:
    """Write a time so that texts sort as times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def _sync(
    db: sqlite3.Connection,
    table: str,
    wanted: Mapping[str, str],
    *,
    now: str,
    last_seen: str,
    instance: str,
) -> Counter[str]:
    found: Counter[str] = Counter()
    # The data of what is removed is not needed to bring it back.
    stored = dict(
        db.execute(
            f"SELECT id, iif(removed_at IS NULL, data, NULL) FROM {table} WHERE instance = ?",
            (instance,),
        )
    )
    writes: list[tuple[str, ...]] = []
    for key, data in wanted.items():
        is_new = key not in stored
        before = stored.pop(key, None)
        if before == data:
            continue
        found["added" if is_new else "returned" if before is None else "changed"] += 1
        writes.append((instance, key, data, now, now))
    if table == "entities":
        found["renamed"] = _note_renames(db, writes, instance)
    db.executemany(
        f"INSERT INTO {table} (instance, id, data, first_seen, changed_at) "
        "VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET data = excluded.data, changed_at = excluded.changed_at, "
        "last_seen = NULL, removed_at = NULL",
        writes,
    )
    gone = [(last_seen, now, instance, key) for key, before in stored.items() if before is not None]
    found["removed"] = len(gone)
    db.executemany(
        f"UPDATE {table} SET last_seen = ?, removed_at = ? WHERE instance = ? AND id = ?", gone
    )
    return found


def _note_renames(db: sqlite3.Connection, writes: Iterable[tuple[str, ...]], instance: str) -> int:
    """Look for new names under known registry ids, which stay when an entity is renamed."""
    noted = db.executemany(
        "INSERT INTO renames (instance, registry_id, old_entity_id, new_entity_id, renamed_at) "
        "SELECT instance, id, entity_id, ?3 ->> 'entity_id', ?4 FROM entities "
        "WHERE instance = ?1 AND id = ?2 AND entity_id <> ?3 ->> 'entity_id'",
        (write[:4] for write in writes),
    ).rowcount
    if noted > 0:
        db.execute(
            "DELETE FROM renames WHERE rowid IN (SELECT rowid FROM renames WHERE instance = ? "
            "ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
            (instance, REMEMBERED),
        )
    return max(noted, 0)


def _forget(db: sqlite3.Connection, tables: Iterable[str], instance: str) -> None:
    for table in tables:
        db.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} "
            "WHERE instance = ? AND removed_at IS NOT NULL "
            "ORDER BY removed_at DESC LIMIT -1 OFFSET ?)",
            (instance, REMEMBERED),
        )


def _encode(row: StoredRow) -> str:
    try:
        return orjson.dumps(row).decode()
    except TypeError:  # it refuses, say, a number of more than 64 bits
        return json.dumps(row, default=str)
