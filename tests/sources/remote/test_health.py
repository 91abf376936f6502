"""The device of a remote home, through an outage and a refused token."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home, Refusal
from tests.shell import deliver, set_up, until

from .conftest import entry_with, remote
from .following import captured, connected, link_of
from .test_remote import NOON

DISABLED = {"connection_successes", "reconnect_time"}


def readings(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the states of the device of the remote home, by key."""
    [subentry_id] = entry.subentries
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    ours = [each for each in entries if each.config_subentry_id == subentry_id]
    return {
        each.unique_id.removeprefix(f"{subentry_id}_"): hass.states.get(each.entity_id)
        for each in ours
    }


async def test_an_outage_shows_on_the_device(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    await home.stop()
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await until(lambda: link_of(entry).health.state.failures >= 2)
    await hass.async_block_till_done(wait_background_tasks=False)
    shown = readings(hass, entry)
    assert {key for key, state in shown.items() if state is None} == DISABLED
    assert shown["remote_connected"].state == "off"
    assert shown["remote_connected"].attributes["problem"] == "unreachable"
    assert shown["remote_connected"].attributes["next_retry"] is not None
    assert int(shown["connection_attempts"].state) >= 2
    assert shown["last_connected"].state == "unknown"

    await home.start()
    await connected(entry)
    await until(lambda: readings(hass, entry)["remote_connected"].state == "on")
    shown = readings(hass, entry)
    assert shown["remote_connected"].attributes["problem"] == "none"
    assert shown["remote_connected"].attributes["version"] == "2026.11.0"
    when = dt_util.parse_datetime(shown["last_connected"].state, raise_on_error=True)
    assert dt_util.utcnow() - when < timedelta(seconds=30)
    await deliver(hass, entry)


async def test_a_repair_goes_with_its_remote_home(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    entry = entry_with(database, remote(home, token="revoked"))
    await set_up(hass, entry)
    [subentry_id] = entry.subentries
    issue_id = f"remote_unauthorized_{entry.entry_id}_{subentry_id}"
    registry = ir.async_get(hass)
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id))
    await until(lambda: readings(hass, entry)["remote_connected"].attributes["given_up"])
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert registry.async_get_issue(DOMAIN, issue_id) is None
    await deliver(hass, entry)


WORDS = "no\n2026-11-26 ERROR [root] password: hunter2 ![x](http://x.y/?a=b) <img src=x>"


@pytest.mark.parametrize("command", ["subscribe_entities", "subscribe_events"])
async def test_the_words_of_another_home_are_one_line_without_secrets_in_the_log(
    hass: HomeAssistant,
    home: Home,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
    command: str,
) -> None:
    def refuse(asked: Any) -> Any:
        # The registries are followed by their events, without which there is no connection.
        if "registry" not in asked.get("event_type", ""):
            raise Refusal(code=WORDS, message=WORDS)

    home.answers[command] = refuse
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    of_home = "cannot be connected" if command == "subscribe_entities" else "are not sent"
    await until(lambda: of_home in caplog.text)
    await deliver(hass, entry)
    said = [each.getMessage() for each in caplog.records if of_home in each.getMessage()]
    assert said
    for text in said:
        assert "2026-11-26 ERROR" in text
        for unsafe in ("\n", "hunter2", "[", "<", "a=b"):
            assert unsafe not in text


async def test_what_a_remote_home_calls_its_things_is_in_no_report_and_on_no_device(
    hass: HomeAssistant, home: Home, database: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    home.location = WORDS
    home.greeting = {"type": "auth_required", "ha_version": WORDS}
    home.areas = [{"area_id": WORDS, "name": WORDS}]
    home.devices = [{"id": "d1", "area_id": WORDS, "name": WORDS, "manufacturer": WORDS}]
    for entity_id in ("sensor.a", f"sensor.{WORDS}"):
        home.register(entity_id, device_id="d1", name=WORDS, unique_id=WORDS, platform=WORDS)
        home.changing(entity_id, WORDS, NOON)
        home.states[entity_id]["a"] = {"friendly_name": WORDS, "unit_of_measurement": WORDS}
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 2)
    shown = {
        "diagnostics": await async_get_config_entry_diagnostics(hass, entry),
        "states": [state.as_dict() for state in hass.states.async_all()],
        "devices": dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id),
        "log": [each.getMessage() for each in caplog.records if DOMAIN in each.name],
    }
    await deliver(hass, entry)
    for name, found in shown.items():
        assert "hunter2" not in str(found), name
        assert "a=b" not in str(found), name


async def test_the_token_is_nowhere_to_be_seen(
    hass: HomeAssistant, home: Home, database: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    token = "a-long-lived-access-token"
    home.token = token
    home.changing("sensor.a", "1", NOON)
    entry = entry_with(database, remote(home, token=token))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    states = [state.as_dict() for state in hass.states.async_all()]
    await home.stop()
    home.token = "another"
    await home.start()
    await until(lambda: link_of(entry).health.state.is_given_up)
    issues = [
        vars(each) if hasattr(each, "__dict__") else str(each)
        for each in ir.async_get(hass).issues.values()
    ]
    await deliver(hass, entry)
    ours = [record for record in caplog.records if DOMAIN in record.name]
    assert token not in str((diagnostics, states, issues, [r.getMessage() for r in ours]))
