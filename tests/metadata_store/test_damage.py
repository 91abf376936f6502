"""Whatever happens to the file, the store goes on, and says what it did."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from custom_components.ha_ingestor.metadata_store import schema
from custom_components.ha_ingestor.metadata_store.store import FILE, MetadataStore, SetAside
from custom_components.ha_ingestor.registry.model import Home
from scripts.rig.configuration import CHECKOUT
from tests.faults.mounts import CannotMountError, fill, mounted

from .homes import NOON, burst, devices, entities, entity, ids, look, minute

HOME = burst(300)
NAMES = sorted(row.entity_id for row in HOME.entities)


@pytest.fixture(scope="module", name="content")
def _content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a home with a past."""
    directory = tmp_path_factory.mktemp("home")
    store = MetadataStore(directory)
    store.sync(burst(310), NOON)
    store.sync(HOME, minute(1))
    store.close()
    return (directory / FILE).read_bytes()


@pytest.fixture
def file(tmp_path: Path, content: bytes) -> Path:
    """A copy of that file, closed."""
    file = tmp_path / FILE
    file.write_bytes(content)
    return file


def damage(file: Path, chance: Random) -> None:
    """What a bad card does: other bytes in a few places, or the end is missing."""
    data = bytearray(file.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(data))
        length = chance.choice([1, 1, 16, 512, 4096])
        data[start : start + length] = chance.randbytes(min(length, len(data) - start))
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)) :]
    file.write_bytes(data)


@pytest.mark.parametrize("seed", range(60))
def test_after_any_damage_the_next_sync_puts_everything_right(file: Path, seed: int) -> None:
    damage(file, Random(seed))
    store = MetadataStore(file.parent)
    entities(store)
    state = store.sync(HOME, minute(2))
    assert not state.error
    found = entities(store)
    assert ids(found) == NAMES
    assert [row["labels"] for row in found] == [[]] * 300
    assert len(devices(store)) == 300
    entities(store, ("include_removed", "true"))
    store.close()
    assert (file.parent / f"damaged-{FILE}").exists() == (state.aside is SetAside.DAMAGED)


def test_a_damaged_file_is_kept_and_said_so(file: Path) -> None:
    file.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    store = MetadataStore(file.parent)
    assert entities(store) == []
    assert store.state.aside is SetAside.DAMAGED
    assert store.sync(HOME, NOON).changes.added == 602
    assert ids(entities(store)) == NAMES
    assert (file.parent / f"damaged-{FILE}").read_bytes().startswith(b"not a database")
    store.close()


def test_only_the_newest_damaged_file_is_kept(file: Path) -> None:
    for word in (b"one", b"two"):
        file.write_bytes(word * 1000)
        store = MetadataStore(file.parent)
        store.sync(HOME, NOON)
        store.close()
    assert sorted(path.name for path in file.parent.iterdir()) == [f"damaged-{FILE}", FILE]
    assert (file.parent / f"damaged-{FILE}").read_bytes().startswith(b"two")


def test_a_database_file_that_another_process_reads_is_put_aside_whole(file: Path) -> None:
    """Its -wal stays while they do: part of that file, and the end of any other."""
    reader = sqlite3.connect(file)
    reader.execute("PRAGMA user_version = 99")
    assert (file.parent / f"{FILE}-wal").exists()
    store = MetadataStore(file.parent)
    assert not store.sync(HOME, minute(1)).error
    assert store.state.aside is SetAside.NEWER
    assert ids(entities(store)) == NAMES
    assert (file.parent / f"newer-{FILE}-wal").exists()
    reader.close()
    store.close()


def test_damage_that_shows_while_it_runs_is_put_right_by_the_next_sync(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    store.sync(HOME, NOON)
    with (tmp_path / FILE).open("r+b") as file, (tmp_path / f"{FILE}-wal").open("r+b") as wal:
        file.truncate(0)
        wal.truncate(0)
    assert not store.sync(HOME, minute(1)).error
    assert ids(entities(store)) == NAMES
    store.close()


def test_a_file_of_a_newer_version_is_kept_as_it_is(file: Path) -> None:
    look(file.parent, "PRAGMA user_version = 99")
    store = MetadataStore(file.parent)
    store.sync(HOME, NOON)
    assert store.state.aside is SetAside.NEWER
    assert ids(entities(store)) == NAMES
    store.close()
    newer = sqlite3.connect(file.parent / f"newer-{FILE}")
    assert newer.execute("PRAGMA user_version").fetchone() == (99,)
    assert newer.execute("SELECT count(*) FROM entities").fetchone() == (310,)
    newer.close()


def test_a_foreign_database_is_put_aside(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE entities (theirs TEXT)")
    other.close()
    store = MetadataStore(tmp_path)
    assert not store.sync(HOME, NOON).error
    assert store.state.aside is SetAside.DAMAGED
    store.close()


def test_an_older_file_is_migrated_and_keeps_its_past(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 0 is the empty file, and the test adds the one after the newest."""
    step = ("ALTER TABLE floors ADD COLUMN height TEXT", "DELETE FROM syncs")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    store = MetadataStore(file.parent)
    assert len(entities(store, ("include_removed", "true"))) == 310
    store.close()
    assert look(file.parent, "PRAGMA user_version") == [(3,)]
    assert look(file.parent, "SELECT height FROM floors") == []
    assert look(file.parent, "SELECT * FROM syncs") == []


def test_a_migration_that_fails_half_way_changed_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = ("DELETE FROM entities", "SELECT nonsense")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    db = sqlite3.connect(file, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        schema.prepare(db)
    db.close()
    assert look(file.parent, "PRAGMA user_version") == [(2,)]
    assert look(file.parent, "SELECT count(*) FROM entities") == [(310,)]


def test_the_schema_of_version_1_is_what_it_was() -> None:
    """A released migration never changes: there are files that it made."""
    db = sqlite3.connect(":memory:")
    for statement in schema.MIGRATIONS[0]:
        db.execute(statement)
    columns = {
        table: [name for _, name, *_ in db.execute(f"PRAGMA table_xinfo({table})")]
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    }
    db.close()
    common = ["id", "first_seen", "changed_at", "last_seen", "removed_at"]
    searched = [
        "entity_id",
        "domain",
        "platform",
        "device_id",
        "effective_area_id",
        "labels",
        "aliases",
    ]
    assert columns == {
        "devices": [*common, "manufacturer", "model", "area_id", "data"],
        "entities": [*common, *searched, "data"],
        "areas": [*common, "data"],
        "floors": [*common, "data"],
        "labels": [*common, "data"],
        "services": [*common, "data"],
        "renames": ["registry_id", "old_entity_id", "new_entity_id", "renamed_at"],
        "syncs": ["synced_at"],
    }


def test_a_directory_that_cannot_be_there_leaves_the_store_in_memory(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("by a file")
    store = MetadataStore(tmp_path / "occupied" / "below")
    assert entities(store) == []
    assert store.sync(HOME, NOON).error == "Not a directory"
    assert ids(entities(store)) == NAMES
    (tmp_path / "occupied").unlink()
    assert not store.sync(HOME, minute(1)).error
    assert (tmp_path / "occupied" / "below" / FILE).exists()
    assert ids(entities(store)) == NAMES
    store.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    try:
        with mounted("tmpfs", tmp_path, megabytes=2) as place:
            yield place
    except CannotMountError as err:
        pytest.skip(str(err))


def test_a_full_disk_leaves_what_is_new_in_memory_with_the_past(disk: Path) -> None:
    store = MetadataStore(disk)
    store.sync(Home(entities=(entity("light.gone"), entity("light.a"))), NOON)
    fill(disk)
    state = store.sync(burst(100, "x"), minute(1))
    assert state.error == "database or disk is full"
    assert len(entities(store)) == 100
    assert len(entities(store, ("include_removed", "true"))) == 102
    for path in disk.iterdir():
        if not path.name.startswith(FILE):
            path.unlink()
    assert not store.sync(burst(100, "x"), minute(2)).error
    assert len(entities(store, ("include_removed", "true"))) == 102
    store.close()


def test_a_killed_sync_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    """Two homes take turns, and are killed at any moment, most of which are in a sync."""
    chance = Random(6)
    command = [sys.executable, "-m", "tests.metadata_store.syncing", str(tmp_path)]
    seen = set()
    with subprocess.Popen(  # noqa: S603
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process_host:
        assert process_host.stdin
        assert process_host.stdout
        for _ in range(25):
            process_host.stdin.write("live\n")
            pid = int(process_host.stdout.readline())
            time.sleep(chance.uniform(0, 0.15))
            os.kill(pid, signal.SIGKILL)
            assert process_host.stdout.readline() == "ended\n"
            store = MetadataStore(tmp_path)
            marks = Counter(row["entity_id"][-1] for row in entities(store))
            marks += Counter(row["name"][-1] for row in devices(store))
            (room,) = look(tmp_path, "SELECT data ->> 'name' FROM areas")
            assert marks == {room[0][-1]: 800}
            assert (store.state.error, store.state.aside) == ("", None)
            seen |= set(marks)
            store.close()
    assert seen == {"a", "b"}
