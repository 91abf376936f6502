"""The tables of the metadata store, and how an older file becomes today's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final


class NewerSchemaError(Exception):
    """The file was written by a version of the integration that comes after this one."""


class DamagedError(Exception):
    """The file is damaged."""


def _table(name: str, *columns: str) -> str:
    """One row for everything that a registry had, for as long as it is remembered.

    `data` is the row as it is answered, in JSON, so that a new field of a registry changes rows and
    not tables. What is searched for comes out of it, and lies before it: a search then need not
    read it. Of a row that is still there, `last_seen` is the time of the last sync and is not
    stored: thousands of rows would be written every time for nothing.
    """
    return (
        f"CREATE TABLE {name} (id TEXT NOT NULL PRIMARY KEY, {_columns(columns)}"
        "data TEXT NOT NULL CHECK (json_valid(data))) STRICT"
    )


def _columns(searched: tuple[str, ...]) -> str:
    found = "".join(f"{column} TEXT AS (data ->> '{column}') STORED, " for column in searched)
    return (
        "first_seen TEXT NOT NULL, changed_at TEXT NOT NULL, last_seen TEXT, removed_at TEXT, "
        f"{found}"
    )


def _with_instance(name: str, *columns: str) -> tuple[str, ...]:
    """Make a table one of several homes: ids of two homes may be equal.

    The instance of this home is an empty text. A row that is damaged is left out: the next sync
    writes it again.
    """
    kept = "id, first_seen, changed_at, last_seen, removed_at, data"
    return (
        f"ALTER TABLE {name} RENAME TO {name}_of_one_home",
        (
            f"CREATE TABLE {name} (instance TEXT NOT NULL, id TEXT NOT NULL, {_columns(columns)}"
            "data TEXT NOT NULL CHECK (json_valid(data)), PRIMARY KEY (id, instance)) STRICT"
        ),
        (
            f"INSERT OR IGNORE INTO {name} (instance, {kept}) "
            f"SELECT '', {kept} FROM {name}_of_one_home ORDER BY rowid"
        ),
        # Its indexes go with it.
        f"DROP TABLE {name}_of_one_home",
    )


# A released step is never changed: each one takes the file from its position to the next.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        _table("devices", "manufacturer", "model", "area_id"),
        _table(
            "entities",
            "entity_id",
            "domain",
            "platform",
            "device_id",
            "effective_area_id",
            "labels",
            "aliases",
        ),
        _table("areas"),
        _table("floors"),
        _table("labels"),
        _table("services"),
        (
            "CREATE TABLE renames (registry_id TEXT NOT NULL, old_entity_id TEXT NOT NULL, "
            "new_entity_id TEXT NOT NULL, renamed_at TEXT NOT NULL) STRICT"
        ),
        "CREATE TABLE syncs (synced_at TEXT NOT NULL) STRICT",
        "CREATE INDEX entities_by_name ON entities (entity_id)",
        "CREATE INDEX entities_by_domain ON entities (domain, entity_id)",
        "CREATE INDEX entities_by_device ON entities (device_id, platform, removed_at)",
        "CREATE INDEX entities_with_labels ON entities (entity_id, labels) WHERE labels <> '[]'",
        "CREATE INDEX entities_with_aliases ON entities (entity_id, aliases) WHERE aliases <> '[]'",
        "CREATE INDEX renames_by_entity ON renames (registry_id)",
    ),
    (
        *_with_instance("devices", "manufacturer", "model", "area_id"),
        *_with_instance(
            "entities",
            "entity_id",
            "domain",
            "platform",
            "device_id",
            "effective_area_id",
            "labels",
            "aliases",
        ),
        *_with_instance("areas"),
        *_with_instance("floors"),
        *_with_instance("labels"),
        *_with_instance("services"),
        "ALTER TABLE renames ADD COLUMN instance TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE syncs RENAME TO syncs_of_one_home",
        ("CREATE TABLE syncs (instance TEXT NOT NULL PRIMARY KEY, synced_at TEXT NOT NULL) STRICT"),
        "INSERT OR IGNORE INTO syncs SELECT '', synced_at FROM syncs_of_one_home",
        "DROP TABLE syncs_of_one_home",
        "CREATE INDEX entities_by_name ON entities (entity_id, instance)",
        "CREATE INDEX entities_by_domain ON entities (domain, entity_id, instance)",
        "CREATE INDEX entities_by_device ON entities (device_id, instance, platform, removed_at)",
        (
            "CREATE INDEX entities_with_labels ON entities (entity_id, instance, labels) "
            "WHERE labels <> '[]'"
        ),
        (
            "CREATE INDEX entities_with_aliases ON entities (entity_id, instance, aliases) "
            "WHERE aliases <> '[]'"
        ),
        "DROP INDEX renames_by_entity",
        "CREATE INDEX renames_by_entity ON renames (registry_id, instance)",
    ),
)

# Where rows are kept, of which each has an instance.
TABLES: Final = (
    *("devices", "entities", "areas", "floors", "labels", "services", "renames", "syncs"),
)


def prepare(db: sqlite3.Connection) -> None:
    """Check a file and bring it to the newest schema, or refuse it.

    An interrupted step of a migration never happened.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerSchemaError
    if version:
        (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedError(verdict)
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with transaction(db):
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Roll the transaction back on any error, also on a full disk."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
