"""What the forms offer of the home."""

from homeassistant.core import HomeAssistant

from custom_components.ha_ingestor.flows.home_offers import async_offers


async def test_attributes_that_are_never_recorded_are_not_offered(hass: HomeAssistant) -> None:
    for number in (1, 2):
        attributes = {"brightness": 1, "access_token": "x", "password": "x"}
        hass.states.async_set(f"light.lamp_{number}", "on", attributes)
    offers = await async_offers(hass)
    assert offers["attributes"] == {"brightness": 2}
