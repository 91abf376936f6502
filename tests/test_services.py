"""The actions, called as an automation calls them."""

from functools import partial

import pytest
import voluptuous as vol
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.services import ACTIONS
from tests.actions.refused_point import quarantine_one
from tests.emulator import Emulator
from tests.shell import deliver, new_entry, set_up

# What an action cannot be called without.
REQUIRED: dict[str, dict[str, str]] = {
    "write_points": {"line_protocol": "m v=1"},
    "backfill": {"start_time": "2026-01-01 00:00:00"},
}
# Actions that need a data-api, a recorder, or history that is being written.
WANTS_MORE = {
    *("resync_registries", "backfill"),
    *("pause_backfill", "resume_backfill", "cancel_backfill"),
}


async def test_an_action_without_a_destination_explains_itself(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})

    for action in ("flush", "purge_quarantine"):
        with pytest.raises(ServiceValidationError, match="There is no destination"):
            await hass.services.async_call(DOMAIN, action, {}, blocking=True)


async def test_an_action_says_that_the_only_destination_is_disabled(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)

    for action in ("flush", "purge_quarantine", "add_dashboard"):
        with pytest.raises(ServiceValidationError, match="Every destination is disabled"):
            await hass.services.async_call(DOMAIN, action, {}, blocking=True)


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_destination_that_is_unknown_or_another_s_or_not_loaded_is_refused(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry, action: str
) -> None:
    await set_up(hass, entry)
    await deliver(hass, entry)
    foreign = MockConfigEntry(domain="sun", title="Sun", data={})
    foreign.add_to_hass(hass)
    wants_response = ACTIONS[action].response is SupportsResponse.ONLY
    more = REQUIRED.get(action, {})
    expected = {
        "unknown": "service_config_entry_not_found",
        "x" * 10_000: "service_config_entry_not_found",
        foreign.entry_id: "service_config_entry_wrong_domain",
        entry.entry_id: "service_config_entry_not_loaded",
    }
    for entry_id, key in expected.items():
        data = {"config_entry_id": entry_id, **more}
        with pytest.raises(ServiceValidationError) as raised:
            await hass.services.async_call(
                DOMAIN, action, data, blocking=True, return_response=wants_response
            )
        assert raised.value.translation_key == key


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

    data = REQUIRED.get(action, {})

    with pytest.raises(Unauthorized):
        await call(data, context=Context(user_id=user.id))
    assert len(await entry.runtime_data.pipeline.quarantine.records()) == 1

    if action not in WANTS_MORE:
        await call(data, context=Context(user_id=hass_admin_user.id))


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
