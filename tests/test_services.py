"""The actions, called as an automation calls them."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.services import ACTIONS
from tests.emulator import Answer, Emulator, Fault
from tests.shell import new_entry, points, set_up, until

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


async def test_the_quarantine_can_be_read(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)

    found = await hass.services.async_call(
        DOMAIN,
        "export_quarantine",
        {"config_entry": entry.entry_id},
        blocking=True,
        return_response=True,
    )

    records: Any = (found or {})["points"]
    (record,) = records
    assert "entity_id=sensor.odd" in record["line"]
    assert "field type conflict" in record["reason"]


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
    assert after["received"] == before["received"] + 1
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


async def test_those_who_talk_most_are_named(
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

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await hass.services.async_call(DOMAIN, "flush", {"config_entry": other.entry_id}, blocking=True)


async def test_a_disk_that_fails_is_an_error_with_a_text(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await quarantine_one(hass, database, entry)

    def broken() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(entry.runtime_data.pipeline._quarantine, "records", broken)

    with pytest.raises(HomeAssistantError, match="No space left on device"):
        await hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)


async def test_every_action_has_texts_and_an_icon(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "services", {DOMAIN})
    icons = (await async_get_icons(hass, "services", {DOMAIN}))[DOMAIN]

    for action in ACTIONS:
        assert f"component.{DOMAIN}.services.{action}.name" in texts
        assert action in icons
