"""Points are sent now, not at all, or again, when a user says so."""

from functools import partial
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.files import OsFiles
from tests.emulator import Emulator
from tests.shell import new_entry, points, set_up, set_up_to_send_later, spool_path, until


async def test_flush_delivers_without_waiting(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up_to_send_later(hass, entry, database)
    hass.states.async_set("sensor.now", "1")

    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    await until(lambda: points(database, "sensor.now"))


async def test_what_is_captured_while_delivery_is_paused_arrives_when_it_is_resumed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    call = partial(hass.services.async_call, DOMAIN, blocking=True)
    await call("pause", {})
    await until(lambda: _status(hass) == "paused")
    assert hass.states.get("binary_sensor.attic_database_accepts_points").state == "unknown"  # type: ignore[union-attr]

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
        await set_up_to_send_later(hass, entry, database)
        other = new_entry(second.url)
        await set_up(hass, other)
        call = partial(hass.services.async_call, DOMAIN, blocking=True)
        await call("pause", {"config_entry_id": other.entry_id})
        hass.states.async_set("sensor.now", "1")

        # The one that is paused is named, and the other one delivers.
        with pytest.raises(ServiceValidationError):
            await call("flush", {})
        await until(lambda: points(database, "sensor.now"))
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

    with monkeypatch.context() as faults:
        faults.setattr(OsFiles, "create", broken)
        with pytest.raises(HomeAssistantError, match="Read-only file system"):
            await hass.services.async_call(DOMAIN, "pause", {}, blocking=True)
        # A point that needs a file is not lost either: it is delivered from memory.
        hass.states.async_set("sensor.a", "1")
        await until(lambda: points(database, "sensor.a"))
        # What is wrong shows for as long as it is so, also when no point comes.
        await until(lambda: _status(hass) == "degraded")

    await until(lambda: _status(hass) == "ok")


def _status(hass: HomeAssistant) -> str:
    state = hass.states.get("sensor.attic_status")
    return state.state if state else ""


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


async def test_flush_without_a_destination_is_for_all_of_them(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    async with Emulator(profile=database.profile) as second:
        await set_up_to_send_later(hass, entry, database)
        await set_up_to_send_later(hass, new_entry(second.url), second)
        hass.states.async_set("sensor.now", "1")

        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

        await until(lambda: points(database, "sensor.now"))
        await until(lambda: points(second, "sensor.now"))


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
    await set_up_to_send_later(hass, entry, database)
    hass.states.async_set("sensor.now", "1")

    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: points(database, "sensor.now"))
