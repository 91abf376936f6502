"""Start, stop, reload and removal: whatever happens, captured points are delivered or kept."""

import pathlib
import time

import pytest
from homeassistant.components.backup.const import EXCLUDE_FROM_BACKUP
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from line_protocol_parser import parse_line
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components.ha_ingestor as integration
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.actions.refused_point import quarantine_one
from tests.emulator import Answer, Emulator, Fault
from tests.shell import NOWHERE, deliver, new_entry, points, set_up, spool_path, until

BUSY = Answer(status=503, body='{"error":"timeout"}')


def kept(path: pathlib.Path) -> list[str]:
    """Read the states that wait in a spool which nobody has open."""
    spool = Spool(OsFiles(path), Ledger(), time.monotonic, time.time, SpoolSettings())
    spool.open()
    batch = spool.read(1_000_000, 1 << 30)
    spool.close()
    lines = batch.payload.decode().splitlines() if batch else []
    return [parse_line(line)["fields"]["state"] for line in lines]


def is_left_out(name: str) -> bool:
    """Whether backups leave out this entry of the configuration folder, as they decide it."""
    return any(pathlib.PurePath(name).full_match(pattern) for pattern in EXCLUDE_FROM_BACKUP)


@pytest.fixture
def nowhere(socket_enabled: None) -> MockConfigEntry:
    """Name a destination that cannot be reached."""
    return new_entry(NOWHERE)


async def test_an_unreachable_database_does_not_fail_the_setup(
    hass: HomeAssistant, nowhere: MockConfigEntry
) -> None:
    await set_up(hass, nowhere)
    assert nowhere.state is ConfigEntryState.LOADED
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, nowhere)
    assert kept(spool_path(hass, nowhere)) == ["1"]


async def test_what_was_kept_is_delivered_in_order_after_the_database_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    await set_up(hass, entry)
    for state in "abc":
        hass.states.async_set("sensor.a", state)
    await deliver(hass, entry)
    assert points(database) == []
    assert kept(spool_path(hass, entry)) == ["a", "b", "c"]

    database.impostor = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.states.async_set("sensor.a", "d")
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database)] == ["a", "b", "c", "d"]
    assert kept(spool_path(hass, entry)) == []


async def test_a_running_destination_goes_on_by_itself_when_the_database_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: database.seen)
    assert points(database) == []
    database.impostor = None
    await until(lambda: points(database))


async def test_a_change_is_delivered_without_anybody_asking(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await until(lambda: points(database, "sensor.a"))


async def test_an_unloaded_entry_captures_nothing_and_leaves_nothing_running(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """The harness itself fails for a task, a timer or a thread that is left."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, entry)
    assert entry.state is ConfigEntryState.NOT_LOADED
    hass.states.async_set("sensor.a", "2")
    await hass.async_block_till_done()
    assert [point.fields["state"] for point in points(database)] == ["1"]


async def test_a_reload_goes_on_where_it_stopped(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for state in "abc":
        hass.states.async_set("sensor.a", state)
        assert await hass.config_entries.async_reload(entry.entry_id)
    await entry.runtime_data.pipeline.flush()
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    await deliver(hass, entry)
    assert [point.fields["state"] for point in points(database)] == ["a", "b", "c"]
    assert (ledger["captured"], ledger["written"]) == (3, 3)


async def test_changed_data_take_effect_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    async with Emulator(profile=database.profile) as other:
        hass.config_entries.async_update_entry(entry, data={**entry.data, "url": other.url})
        await hass.async_block_till_done()
        hass.states.async_set("sensor.a", "1")
        await deliver(hass, entry)
        assert points(other, "sensor.a")
    assert points(database, "sensor.a") == []


async def test_a_stop_of_home_assistant_delivers_everything(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """Entries are not unloaded at the stop, and others still set states while it happens."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "running")

    @callback
    def last_words(_event: Event) -> None:
        hass.states.async_set("sensor.a", "stopping")

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, last_words)
    path = spool_path(hass, entry)
    await hass.async_stop(force=True)
    assert [point.fields["state"] for point in points(database)] == ["running", "stopping"]
    assert kept(path) == []


@pytest.mark.parametrize("part", ["source", "coordinator"])
async def test_a_part_that_fails_to_stop_keeps_neither_the_files_nor_the_points(
    hass: HomeAssistant, nowhere: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    await set_up(hass, nowhere)
    hass.states.async_set("sensor.a", "1")
    name = {"source": "async_stop", "coordinator": "async_end"}[part]
    with monkeypatch.context() as patched:
        patched.setattr(type(getattr(nowhere.runtime_data, part)), name, fail)
        hass.states.async_set("sensor.a", "2")
        assert await hass.config_entries.async_reload(nowhere.entry_id)
    hass.states.async_set("sensor.a", "3")
    await deliver(hass, nowhere)
    assert kept(spool_path(hass, nowhere)) == ["1", "2", "3"]


async def test_a_stop_of_home_assistant_keeps_what_it_cannot_deliver(
    hass: HomeAssistant, nowhere: MockConfigEntry
) -> None:
    await set_up(hass, nowhere)
    hass.states.async_set("sensor.a", "1")
    path = spool_path(hass, nowhere)
    await hass.async_stop(force=True)
    assert kept(path) == ["1"]


async def test_a_database_that_hangs_holds_up_the_stop_for_a_moment_only(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.ha_ingestor.pipeline.pipeline.STOP_SECONDS", 0.1)
    database.faults.extend([Fault(kind="hang")] * 5)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    path = spool_path(hass, entry)
    started = time.monotonic()
    await hass.async_stop(force=True)
    assert time.monotonic() - started < 4
    assert kept(path) == ["1"]


async def test_a_removed_entry_takes_its_spool_along(
    hass: HomeAssistant, nowhere: MockConfigEntry
) -> None:
    other = new_entry(NOWHERE)
    await set_up(hass, nowhere)
    await set_up(hass, other)
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, other)
    path = spool_path(hass, nowhere)
    assert path.is_dir()
    await hass.config_entries.async_remove(nowhere.entry_id)
    assert not path.exists()
    assert kept(spool_path(hass, other)) == ["1"]
    await hass.config_entries.async_remove(other.entry_id)
    assert not path.parent.exists()


async def test_a_destination_that_is_removed_with_points_says_how_many(
    hass: HomeAssistant, nowhere: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up(hass, nowhere)
    for state in "123":
        hass.states.async_set("sensor.a", state)
    await hass.async_block_till_done()
    await hass.config_entries.async_remove(nowhere.entry_id)
    await hass.async_block_till_done()
    told = ir.async_get(hass).async_get_issue("ha_ingestor", f"{nowhere.entry_id}_points_deleted")
    assert told
    assert told.is_fixable
    assert told.translation_placeholders == {
        **dict.fromkeys(("title", "destination"), "Attic"),
        "count": "3",
        "quarantined": "0",
    }
    assert "Attic was deleted with 3 points" in caplog.text


async def test_a_destination_that_is_removed_says_how_many_points_were_in_quarantine(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)
    await deliver(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    told = ir.async_get(hass).async_get_issue("ha_ingestor", f"{entry.entry_id}_points_deleted")
    assert told
    assert told.translation_placeholders
    numbers = [told.translation_placeholders[name] for name in ("count", "quarantined")]
    assert numbers == ["0", "1"]


@pytest.mark.parametrize(
    "wrong", [{"ca_certificate": "none"}, {"url": "ftp://database"}], ids=["certificate", "address"]
)
async def test_a_connection_that_cannot_be_used_is_an_error_and_not_tried_again(
    hass: HomeAssistant, wrong: dict[str, str]
) -> None:
    entry = new_entry(wrong.pop("url", NOWHERE), **wrong)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_connection"
    assert entry.error_reason_translation_placeholders == {"title": "Attic"}


async def test_only_a_device_of_nothing_that_is_there_can_be_deleted(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    registry = dr.async_get(hass)
    (own,) = dr.async_entries_for_config_entry(registry, entry.entry_id)
    stale = registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("ha_ingestor", "gone")}
    )
    assert not await integration.async_remove_config_entry_device(hass, entry, own)
    assert await integration.async_remove_config_entry_device(hass, entry, stale)


async def test_a_destination_that_could_not_be_unloaded_captures_nothing_once_it_is_removed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Home Assistant asks for a restart then, which may come late."""

    async def fails(*_: object) -> bool:
        return False

    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    with monkeypatch.context() as patch:
        patch.setattr(hass.config_entries, "async_unload_platforms", fails)
        await hass.config_entries.async_remove(entry.entry_id)
    assert entry.state is ConfigEntryState.FAILED_UNLOAD
    hass.states.async_set("sensor.a", "2")
    await hass.async_stop(force=True)
    assert [point.fields["state"] for point in points(database, "sensor.a")] == ["1"]
    assert not spool_path(hass, entry).parent.exists()


async def test_an_entry_that_never_ran_can_be_removed(hass: HomeAssistant) -> None:
    entry = new_entry(NOWHERE)
    entry.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not spool_path(hass, entry).exists()


async def test_an_update_or_a_backup_does_not_touch_the_spool(
    hass: HomeAssistant, nowhere: MockConfigEntry
) -> None:
    """HACS replaces the whole folder of the integration, and a restored spool is a stale one."""
    await set_up(hass, nowhere)
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, nowhere)
    path = spool_path(hass, nowhere)
    assert kept(path) == ["1"]
    assert not path.is_relative_to(pathlib.PurePath(integration.__file__).parent)
    top, *below = path.relative_to(hass.config.config_dir).parts
    assert "custom_components" not in (top, *below)
    assert is_left_out(top)
