"""Who or what is behind a change."""

import pytest
from homeassistant.core import Context, HomeAssistant

from custom_components.ha_ingestor.enrich import attribution as module
from custom_components.ha_ingestor.enrich.attribution import Attribution


@pytest.fixture
async def attribution(hass: HomeAssistant) -> Attribution:
    """Follow what runs."""
    attribution = Attribution(hass)
    await attribution.async_start()
    return attribution


def ran(hass: HomeAssistant, event_type: str, entity_id: str, context: Context) -> None:
    """Let something run."""
    hass.bus.async_fire(event_type, {"name": "It", "entity_id": entity_id}, context=context)


async def test_a_context_belongs_to_what_ran_first_in_it(
    hass: HomeAssistant, attribution: Attribution
) -> None:
    """A script that an automation calls runs in the automation's context."""
    one, two = Context(), Context()
    ran(hass, "automation_triggered", "automation.dusk", one)
    ran(hass, "script_started", "script.lights", one)
    ran(hass, "script_started", "script.lights", two)
    assert attribution.causes == {one.id: "automation.dusk", two.id: "script.lights"}


async def test_the_oldest_causes_are_forgotten_beyond_the_limit(
    hass: HomeAssistant, attribution: Attribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAUSES_MAX", 3)
    for number in range(5):
        ran(hass, "automation_triggered", f"automation.a{number}", Context())
    assert list(attribution.causes.values()) == ["automation.a2", "automation.a3", "automation.a4"]


@pytest.mark.parametrize("data", [{}, {"entity_id": None}, {"entity_id": 5}])
async def test_an_automation_event_without_an_entity_id_is_no_cause(
    hass: HomeAssistant, attribution: Attribution, data: dict[str, object]
) -> None:
    hass.bus.async_fire("automation_triggered", data)
    assert attribution.causes == {}


async def test_users_are_known_by_their_present_names(hass: HomeAssistant) -> None:
    owner = await hass.auth.async_create_user("Owner")
    ann = await hass.auth.async_create_user("Ann")
    attribution = Attribution(hass)
    stop = await attribution.async_start()
    held = attribution.users
    supervisor = await hass.auth.async_create_system_user("Supervisor")
    await hass.async_block_till_done()
    assert held == {owner.id: "Owner", ann.id: "Ann", supervisor.id: "Supervisor"}
    await hass.auth.async_update_user(ann, name="Anna")
    await hass.async_block_till_done()
    assert held[ann.id] == "Anna"
    await hass.auth.async_remove_user(ann)
    await hass.async_block_till_done()
    assert held == {owner.id: "Owner", supervisor.id: "Supervisor"}
    stop()
    await hass.auth.async_create_user("Bob")
    await hass.async_block_till_done()
    assert held == {owner.id: "Owner", supervisor.id: "Supervisor"}
