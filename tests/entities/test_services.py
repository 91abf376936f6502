"""The device of a destination: what it is called, and where its page leads."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Emulator
from tests.shell import new_entry, set_up, until


async def test_a_destination_is_a_service(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    device_registry: dr.DeviceRegistry,
) -> None:
    await set_up(hass, entry)

    def device() -> dr.DeviceEntry:
        (found,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        return found

    assert device().entry_type is dr.DeviceEntryType.SERVICE
    assert device().identifiers == {(DOMAIN, entry.entry_id)}
    shown = (device().name, device().manufacturer, device().model)
    assert shown == ("Attic", "InfluxData", "InfluxDB 1")
    await until(lambda: device().sw_version == database.profile.version)


async def test_the_page_of_the_device_leads_to_the_panel(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    device_registry: dr.DeviceRegistry,
) -> None:
    await set_up(hass, entry)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    # Home Assistant's own pages have a scheme of their own.
    assert device.configuration_url == f"homeassistant://ha-ingestor/flow?entry={entry.entry_id}"


async def test_two_destinations_of_one_name_are_told_apart(
    hass: HomeAssistant, database: Emulator, device_registry: dr.DeviceRegistry
) -> None:
    first, second = new_entry(database.url), new_entry(database.url, database="other")
    second.add_to_hass(hass)
    await set_up(hass, first)
    names = {
        device.name
        for entry in (first, second)
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    port = database.url.rpartition(":")[2]
    assert names == {
        f"Attic (home_assistant, 127.0.0.1:{port})",
        f"Attic (other, 127.0.0.1:{port})",
    }


async def test_two_destinations_of_one_name_in_two_organizations_are_told_apart(
    hass: HomeAssistant, database: Emulator, device_registry: dr.DeviceRegistry
) -> None:
    first, second = (
        new_entry(database.url, dialect="v2", org=org, bucket="b", database="", token="t0ken")
        for org in ("north", "south")
    )
    second.add_to_hass(hass)
    await set_up(hass, first)
    names = {
        device.name
        for entry in (first, second)
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    port = database.url.rpartition(":")[2]
    assert names == {f"Attic ({org}/b, 127.0.0.1:{port})" for org in ("north", "south")}
