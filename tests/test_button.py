"""The buttons, pressed as a user presses them."""

from functools import partial
from typing import Any

import pytest
from homeassistant.const import STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.ha_ingestor.entities.buttons import BUTTONS
from custom_components.ha_ingestor.pipeline.files import OsFiles
from tests.emulator import Answer, Emulator, Fault
from tests.shell import points, set_up, set_up_to_send_later, until

CONFLICT = Answer(status=400, body='{"error":"partial write: field type conflict dropped=1"}')
DISABLED = {"replay_quarantine", "purge_quarantine"}


async def press(hass: HomeAssistant, name: str, **how: Any) -> None:
    data = {"entity_id": f"button.attic_{name}"}
    await hass.services.async_call("button", "press", data, blocking=True, **how)


def state(hass: HomeAssistant, entity_id: str) -> str:
    found = hass.states.get(entity_id)
    return found.state if found else ""


@pytest.mark.parametrize("button", BUTTONS, ids=lambda button: button.key)
async def test_what_could_be_pressed_by_mistake_is_disabled_at_first(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry, button: Any
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        "button", "ha_ingestor", f"{entry.entry_id}_{button.key}"
    )
    assert entity_id
    registered = registry.async_get(entity_id)
    assert registered
    assert (registered.disabled_by is not None) is (button.key in DISABLED)
    assert registered.entity_category in {EntityCategory.CONFIG, EntityCategory.DIAGNOSTIC}


async def test_delivery_is_paused_and_resumed_by_buttons_which_are_there_when_they_help(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert state(hass, "button.attic_resume_delivery") == STATE_UNAVAILABLE

    await press(hass, "pause_delivery")
    await until(lambda: state(hass, "sensor.attic_status") == "paused")
    for name in ("pause_delivery", "deliver_now"):
        assert state(hass, f"button.attic_{name}") == STATE_UNAVAILABLE
    hass.states.async_set("sensor.now", "1")
    assert state(hass, "button.attic_resume_delivery") != STATE_UNAVAILABLE

    await press(hass, "resume_delivery")
    await until(lambda: points(database, "sensor.now"))
    await until(lambda: state(hass, "button.attic_resume_delivery") == STATE_UNAVAILABLE)


async def test_the_button_delivers_without_waiting(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up_to_send_later(hass, entry, database)
    hass.states.async_set("sensor.now", "1")
    await press(hass, "deliver_now")
    await until(lambda: points(database, "sensor.now"))


async def test_the_quarantine_is_replayed_and_purged_by_buttons(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    for name in ("replay_quarantine", "purge_quarantine"):
        hass.states.async_set("sensor.odd", name)
        database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
        if name == "replay_quarantine":
            await set_up(hass, entry)
        pipeline = entry.runtime_data.pipeline
        await pipeline.flush()
        await until(partial(_is_quarantined, pipeline))
        await press(hass, name)
        assert await pipeline.quarantine.records() == []
        # The next answer of the database is for the next point alone.
        await pipeline.flush()
        await until(lambda: _states(database) == {"replay_quarantine"})


def _states(database: Emulator) -> set[object]:
    return {point.fields["state"] for point in points(database, "sensor.odd")}


async def _is_quarantined(pipeline: Any) -> bool:
    return bool(await pipeline.quarantine.records())


@pytest.mark.parametrize("kind", ["read_only", "user", "unknown"])
async def test_nobody_but_an_administrator_presses_a_button(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_read_only_user: MockUser,
    kind: str,
) -> None:
    """Somebody who may control entities is no administrator."""
    await set_up(hass, entry)
    group = await hass.auth.async_get_group("system-users")
    assert group
    users = {
        "read_only": hass_read_only_user.id,
        "user": MockUser(groups=[group]).add_to_hass(hass).id,
        "unknown": "nobody",
    }
    context = Context(user_id=users[kind])
    refused = UnknownUser if kind == "unknown" else Unauthorized
    for name in ("deliver_now", "pause_delivery"):
        with pytest.raises(refused):
            await press(hass, name, context=context)
    assert not entry.runtime_data.pipeline.is_paused


async def test_an_administrator_and_an_automation_press_a_button(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_admin_user: MockUser,
) -> None:
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    await press(hass, "pause_delivery", context=Context(user_id=hass_admin_user.id))
    assert pipeline.is_paused
    await until(lambda: state(hass, "button.attic_resume_delivery") != STATE_UNAVAILABLE)
    await press(hass, "resume_delivery", context=Context())
    assert not pipeline.is_paused


async def test_a_press_that_fails_says_why(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)

    def broken(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(OsFiles, "create", broken)
    with pytest.raises(HomeAssistantError, match=r"spool of Attic .* Read-only file system"):
        await press(hass, "pause_delivery")


async def test_buttons_are_unavailable_while_the_destination_is_not_loaded(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert state(hass, "button.attic_deliver_now") == STATE_UNAVAILABLE
    await press(hass, "pause_delivery")  # which Home Assistant passes to nobody
    call = partial(hass.services.async_call, "ha_ingestor", "pause", blocking=True)
    with pytest.raises(HomeAssistantError):
        await call({"config_entry_id": entry.entry_id})
