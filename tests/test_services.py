"""The actions, called as an automation calls them."""

from functools import partial
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.spool.files import OsFiles
from custom_components.ha_ingestor.services import ACTIONS
from tests.emulator import Answer, Emulator, Fault
from tests.shell import new_entry, points, set_up, spool_path, until

CONFLICT = Answer(status=400, body='{"error":"partial write: field type conflict dropped=1"}')


async def quarantine_one(hass: HomeAssistant, database: Emulator, entry: MockConfigEntry) -> None:
    """Have the database refuse one point."""
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT))
    await set_up(hass, entry)
    await until(lambda: _count(entry, "quarantined", 1))


async def _count(entry: MockConfigEntry, name: str, count: int) -> bool:
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    return bool(ledger[name] == count)


async def test_flush_delivers_without_waiting(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.now", "1")

    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    await until(lambda: points(database, "sensor.now"), seconds=0.5)


async def test_what_is_captured_while_delivery_is_paused_arrives_when_it_is_resumed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    call = partial(hass.services.async_call, DOMAIN, blocking=True)
    await call("pause", {})
    assert _status(hass) == "paused"
    assert hass.states.get("binary_sensor.attic_database_connected").state == "unknown"  # type: ignore[union-attr]

    hass.states.async_set("sensor.now", "1")
    with pytest.raises(ServiceValidationError, match="Delivery to Attic is paused"):
        await call("flush", {})
    # It outlives a reload, and what was captured before it with it.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: _status(hass) == "paused")
    assert not points(database, "sensor.now")

    found: Any = await call("resume", {}, return_response=True)
    (destination,) = found["destinations"]
    assert destination["config_entry_id"] == entry.entry_id
    assert destination["backlog"] >= 1
    await until(lambda: points(database, "sensor.now"))
    await until(lambda: _status(hass) == "ok")


async def test_a_pause_of_one_destination_leaves_the_others_alone(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    async with Emulator(profile=database.profile) as second:
        await set_up(hass, entry)
        other = new_entry(second.url)
        await set_up(hass, other)
        call = partial(hass.services.async_call, DOMAIN, blocking=True)
        await call("pause", {"config_entry_id": other.entry_id})
        hass.states.async_set("sensor.now", "1")

        # The one that is paused is named, and the other one delivers.
        with pytest.raises(ServiceValidationError):
            await call("flush", {})
        await until(lambda: points(database, "sensor.now"), seconds=0.5)
        assert not points(second, "sensor.now")

        found: Any = await call("resume", {}, return_response=True)
        assert len(found["destinations"]) == 2
        await until(lambda: points(second, "sensor.now"))


async def test_a_pause_that_cannot_be_stored_is_an_error_and_does_not_begin(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)

    def broken(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(OsFiles, "create", broken)
    with pytest.raises(HomeAssistantError, match="Read-only file system"):
        await hass.services.async_call(DOMAIN, "pause", {}, blocking=True)
    await until(lambda: _status(hass) == "ok")


def _status(hass: HomeAssistant) -> str:
    state = hass.states.get("sensor.attic_status")
    return state.state if state else ""


async def test_the_quarantine_can_be_read(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)

    found = await hass.services.async_call(
        DOMAIN,
        "export_quarantine",
        {"config_entry_id": entry.entry_id},
        blocking=True,
        return_response=True,
    )

    records: Any = (found or {})["points"]
    (record,) = records
    assert "entity_id=sensor.odd" in record["line"]
    assert "field type conflict" in record["reason"]


async def test_an_export_returns_the_newest_points_and_says_how_many_there_are(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    refused = [(0, f"m v={number} {number}") for number in range(3_000)]
    await pipeline._run(pipeline._quarantine.add_all, refused, status=422, reason="no")

    async def export(**data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN, "export_quarantine", data, blocking=True, return_response=True
        )

    found = await export()
    assert (len(found["points"]), found["total"]) == (1_000, 3_000)
    assert found["points"][-1]["line"] == "m v=2999 2999"
    found = await export(limit=2)
    assert [record["line"] for record in found["points"]] == ["m v=2998 2998", "m v=2999 2999"]
    for wrong in (0, -1, 10_001, "x"):
        with pytest.raises(vol.Invalid):
            await export(limit=wrong)


async def test_a_file_of_the_quarantine_that_cannot_be_read_is_named_in_the_answers(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)
    bad = spool_path(hass, entry) / "quarantine-000002.ndjson"
    await hass.async_add_executor_job(bad.mkdir)

    for action, key, expected in (
        ("export_quarantine", "total", 1),
        ("replay_quarantine", "replayed", 1),
    ):
        found: Any = await hass.services.async_call(
            DOMAIN, action, {}, blocking=True, return_response=True
        )
        assert found[key] == expected
        assert "quarantine-000002.ndjson" in found["problem"]


async def test_quarantined_points_are_delivered_once_more_and_counted_as_replayed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)
    before = (await entry.runtime_data.pipeline.snapshot()).ledger

    found = await hass.services.async_call(
        DOMAIN, "replay_quarantine", {}, blocking=True, return_response=True
    )

    assert found == {"replayed": 1}
    await until(lambda: points(database, "sensor.odd"))
    await until(lambda: _count(entry, "written", before["written"] + 1))
    after = (await entry.runtime_data.pipeline.snapshot()).ledger
    # It was received a second time; no count falls.
    assert (after["quarantined"], after["replayed"]) == (before["quarantined"], 1)
    assert after["captured"] == before["captured"] + 1
    assert await entry.runtime_data.pipeline.quarantined() == []


async def test_a_purged_quarantine_is_empty_and_still_counted(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)

    found = await hass.services.async_call(
        DOMAIN, "purge_quarantine", {}, blocking=True, return_response=True
    )

    assert found == {"purged": 1}
    assert await entry.runtime_data.pipeline.quarantined() == []
    assert await _count(entry, "quarantined", 1)


async def test_diagnostics_name_the_top_entities(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    for number in range(5):
        hass.states.async_set("sensor.loud", str(number))
    hass.states.async_set("sensor.long", "x", {"text": "x" * 5000})
    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    found: Any = await hass.services.async_call(
        DOMAIN, "chatty_entities", {}, blocking=True, return_response=True
    )

    assert found["by_points"][0]["subject"] == "sensor.loud"
    assert found["by_points"][0]["points"] == 5
    assert found["by_bytes"][0]["subject"] == "sensor.long"
    assert found["by_bytes"][0]["bytes"] > 5000


async def test_an_action_without_a_destination_explains_itself(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)


async def test_with_two_destinations_one_has_to_be_named(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    other = new_entry(database.url, database="other")
    await set_up(hass, other)
    call = partial(hass.services.async_call, DOMAIN, "purge_quarantine", blocking=True)

    with pytest.raises(ServiceValidationError) as raised:
        await call({})
    assert raised.value.translation_key == "several_destinations"
    assert "config_entry_id" in str(raised.value)
    await call({"config_entry_id": other.entry_id})
    # As it was called before.
    await call({"config_entry": other.entry_id})
    with pytest.raises(vol.Invalid):
        await call({"config_entry": other.entry_id, "config_entry_id": entry.entry_id})


async def test_flush_without_a_destination_is_for_all_of_them(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    async with Emulator(profile=database.profile) as second:
        await set_up(hass, entry)
        await set_up(hass, new_entry(second.url))
        hass.states.async_set("sensor.now", "1")

        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

        await until(lambda: points(database, "sensor.now"), seconds=0.5)
        await until(lambda: points(second, "sensor.now"), seconds=0.5)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", ["read_only", "user"])
async def test_every_action_is_for_administrators(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
    action: str,
    kind: str,
) -> None:
    await quarantine_one(hass, database, entry)
    user = hass_read_only_user
    if kind == "user":
        group = await hass.auth.async_get_group("system-users")
        assert group
        user = MockUser(groups=[group]).add_to_hass(hass)
    wants_response = ACTIONS[action].response is not SupportsResponse.NONE
    call = partial(
        hass.services.async_call, DOMAIN, action, blocking=True, return_response=wants_response
    )

    with pytest.raises(Unauthorized):
        await call({}, context=Context(user_id=user.id))
    assert len(await entry.runtime_data.pipeline.quarantined()) == 1

    if action != "resync_registries":
        await call({}, context=Context(user_id=hass_admin_user.id))


async def test_flush_says_that_the_spool_cannot_be_opened(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    """A file where the folder of the spool should be: it stays like that."""
    path = spool_path(hass, entry)
    path.parent.mkdir(parents=True)
    path.write_text("")
    await set_up(hass, entry)

    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    assert raised.value.translation_key == "spool_error"
    assert (raised.value.translation_placeholders or {})["detail"]


async def test_flush_delivers_for_the_others_when_one_spool_cannot_be_opened(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    broken = new_entry(database.url, database="other")
    path = spool_path(hass, broken)
    path.parent.mkdir(parents=True)
    path.write_text("")
    await set_up(hass, broken)
    await set_up(hass, entry)
    hass.states.async_set("sensor.now", "1")

    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: points(database, "sensor.now"), seconds=0.5)


async def test_a_disk_that_fails_is_an_error_with_a_text(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await quarantine_one(hass, database, entry)

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OsFiles, "write", broken)

    with pytest.raises(HomeAssistantError, match="No space left on device"):
        await hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)


async def test_every_action_has_texts_and_an_icon(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "services", {DOMAIN})
    icons = (await async_get_icons(hass, "services", {DOMAIN}))[DOMAIN]

    for action in ACTIONS:
        assert f"component.{DOMAIN}.services.{action}.name" in texts
        assert action in icons
