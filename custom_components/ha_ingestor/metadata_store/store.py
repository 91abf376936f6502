"""One SQLite file, made equal to the home, and to remote ones, at every sync.

    sync ──► the file ──damaged, or of a newer version──► set aside, new file
               └──the disk does not take it──► a copy in memory, until the file works again

The registries are the truth and the file repeats them, so nothing here is worth an exception: what
went wrong is in `state`. Only the past is nowhere else (first_seen, what was removed or renamed);
that is why a file is put aside and not deleted.

Everything here blocks, and belongs into one thread; only `state` may be read from others.
"""

import sqlite3
from collections.abc import Callable, Collection, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from ..registry.model import Home
from .changes import Changes, apply, delete_others, last_syncs
from .queries import Query, answer
from .schema import DamagedError, NewerSchemaError, prepare

FILE: Final = "metadata.db"

# The tables whose rows people know; actions are one row for each domain.
_COUNTED: Final = ("devices", "entities", "areas", "floors", "labels")

_BUSY_SECONDS: Final = 5.0
# A home of 5 000 entities; smaller ones take what they need.
_CACHE_KIB: Final = 8000
# A missing table is a generic error. All others pass or are the disk's, and the file is sound.
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_PRIMARY: Final = 0xFF


class SetAside(StrEnum):
    """Why a file was set aside, and the prefix of its new name; the newest of each is kept."""

    DAMAGED = "damaged"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeState:
    """The last sync of a home. `rows` is how many of each table it found."""

    synced_at: datetime | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState(HomeState):
    """How the store is. With an `error` it is in memory only; `aside` stays until it is closed.

    `others` are the remote homes by their instance. A home that is not there, or whose `synced_at`
    is None, has to be synced.
    """

    error: str = ""
    aside: SetAside | None = None
    others: Mapping[str, HomeState] = field(default_factory=dict)

    def of(self, instance: str) -> HomeState:
        """Return the last sync of a home; that of this home has no name."""
        return self.others.get(instance, HomeState()) if instance else self


class MetadataStore:
    """Devices, entities, areas, floors and labels, with their past."""

    def __init__(self, directory: Path) -> None:
        """Keep the file in `directory`, which need not exist yet."""
        self.state = StoreState()
        self._directory = directory
        self._file: sqlite3.Connection | None = None
        self._memory: sqlite3.Connection | None = None

    def sync(self, home: Home, now: datetime, instance: str = "") -> StoreState:
        """Make what is stored of a home equal to it; the instance of this home is an empty text."""

        def work(db: sqlite3.Connection) -> Changes:
            return apply(db, home, now, self.state.of(instance).synced_at, instance)

        synced = HomeState(
            changes=self._write(work),
            synced_at=now,
            rows={table: len(getattr(home, table)) for table in _COUNTED},
        )
        if instance:
            others = {**self.state.others, instance: synced}
            self.state = replace(self.state, others=others)
        else:
            names = (each.name for each in fields(HomeState))
            self.state = replace(self.state, **{name: getattr(synced, name) for name in names})
        return self.state

    def keep_only(self, instances: Collection[str]) -> None:
        """Delete what is stored of remote homes that are not named."""
        self._write(partial(delete_others, instances=instances))
        others = {name: state for name, state in self.state.others.items() if name in instances}
        self.state = replace(self.state, others=others)

    def answer(self, query: Query, now: datetime, connected: Container[str] = ()) -> bytes:
        """Answer in JSON, from the last syncs, be they of an earlier process.

        Rows of remote homes that are not `connected` are marked as stale.
        """

        def work(db: sqlite3.Connection) -> bytes:
            state, seen = self.state, last_syncs(db)
            for instance, home in {"": state, **state.others}.items():
                if home.synced_at:
                    seen[instance] = home.synced_at
            return answer(db, query, now, seen, connected)

        found = None if self._memory else self._on_file(work)
        return work(self._copy()) if found is None else found

    def close(self) -> None:
        """Close the file."""
        self._close_memory()
        self._close_file()
        self.state = StoreState()

    def _write[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write to the file, or into memory while the disk does not take it."""
        done = self._on_file(work)
        if done is None:
            return work(self._copy())
        if self._memory:
            # What only the memory had is not in the file.
            self._close_memory()
            self._unsync()
        self.state = replace(self.state, error="")
        return done

    def _unsync(self) -> None:
        """Have every home synced again."""
        self.state = replace(self.state, synced_at=None, others={})

    def _on_file[T](self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return None when the file cannot be worked on; what could be read of it is copied."""
        try:
            try:
                return work(self._opened())
            except (DamagedError, NewerSchemaError, sqlite3.Error) as err:
                if (why := _reason_to_set_aside(err)) is None:
                    raise
                self._put_aside(why)
            return work(self._opened())
        except (DamagedError, NewerSchemaError, sqlite3.Error, OSError) as err:
            self.state = replace(self.state, error=_words(err))
            self._copy()
            self._close_file()
            return None

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            path = self._directory / FILE
            path.touch(mode=0o600)
            db = _connect(path)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                # What a power cut takes from the end, the next sync writes again.
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                prepare(db)
            except BaseException:
                db.close()
                raise
            self._file = db
        return self._file

    def _copy(self) -> sqlite3.Connection:
        if self._memory is None:
            copy = _connect(":memory:")
            if self._file is not None:
                with suppress(sqlite3.Error):
                    self._file.backup(copy)
            prepare(copy)
            self._memory = copy
            self._unsync()
        return self._memory

    def _put_aside(self, why: SetAside) -> None:
        self._close_file()
        # Without its -wal a file is not whole, and with one of another file it is no file at all.
        for suffix in ("", "-wal"):
            path = self._directory / f"{FILE}{suffix}"
            aside = self._directory / f"{why}-{FILE}{suffix}"
            aside.unlink(missing_ok=True)
            if path.exists():
                path.rename(aside)
        (self._directory / f"{FILE}-shm").unlink(missing_ok=True)
        self.state = replace(self.state, aside=why)
        self._unsync()

    def _close_file(self) -> None:
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _close_memory(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


def delete_store(directory: Path) -> None:
    """Delete a store that is closed, and what it put aside."""
    for name in (FILE, *(f"{why}-{FILE}" for why in SetAside)):
        for path in directory.glob(f"{name}*"):
            with suppress(OSError):
                path.unlink()


def _connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    # A damaged text is better than none: it differs from the home, so the next sync replaces it.
    db.text_factory = partial(str, encoding="utf-8", errors="replace")
    db.create_function("casefold", 1, str.casefold, deterministic=True)
    return db


def _reason_to_set_aside(err: Exception) -> SetAside | None:
    if isinstance(err, NewerSchemaError):
        return SetAside.NEWER
    code = getattr(err, "sqlite_errorcode", None)
    is_damaged = isinstance(err, DamagedError) or (code or 0) & _PRIMARY in _DAMAGED
    return SetAside.DAMAGED if is_damaged else None


def _words(err: Exception) -> str:
    """Say what went wrong, without the path."""
    told = err.strerror if isinstance(err, OSError) else str(err)
    return told or type(err).__name__
