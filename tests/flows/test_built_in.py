"""Taking over from the built-in `influxdb` integration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components.influxdb import INFLUX_SCHEMA
from homeassistant.config_entries import ConfigEntryDisabler, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.entityfilter import convert_include_exclude_filter
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.enrich.selection import Traits
from custom_components.ha_ingestor.flows.built_in_connection import connection_of
from custom_components.ha_ingestor.options.filter import entity_filter
from tests.emulator import V1_13, V2_7, VM_NEW, Emulator
from tests.tls import Authority

from .steps import begin, choose, connected, locate, submit, suggested, told
from .test_words import explained

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")

YAML: dict[str, Any] = {
    "measurement_attr": "entity_id",
    "default_measurement": "state",
    "tags": {"house": "north"},
    "tags_attributes": ["friendly_name"],
    "exclude": {"domains": ["update"], "entities": ["light.a"]},
}


@pytest.fixture(name="yaml")
def _yaml() -> Iterator[dict[str, Any]]:
    """Let the configuration be this."""
    config: dict[str, Any] = {"influxdb": dict(YAML)}
    module = "custom_components.ha_ingestor"
    with patch(f"{module}.options.core.async_hass_config_yaml", return_value=config):
        yield config


def as_entry(url: str, **more: Any) -> MockConfigEntry:
    """Make an entry of the built-in integration, as its dialogue for InfluxDB 2 does."""
    data = {
        "api_version": "2",
        "url": url,
        "token": "good",
        "organization": "home",
        "bucket": "home_assistant",
        "verify_ssl": True,
    }
    return MockConfigEntry(domain="influxdb", data={**data, **more}, title="built-in")


async def take_over(hass: HomeAssistant) -> ConfigFlowResult:
    result = await begin(hass)
    explained(result, "begin")
    return await choose(hass, result, "built_in")


async def test_connection_and_settings_are_taken_over(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    built_in = as_entry(server.url)
    built_in.add_to_hass(hass)
    result = await take_over(hass)
    explained(result, "built_in_summary")
    taken = set(told(result)["taken"].replace("\\", "").split(", "))
    assert taken == {
        *("measurement_attr", "default_measurement", "tags", "tags_attributes", "exclude"),
    }
    result = await submit(hass, result, disable_built_in=True)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"] == "good"
    options = result["result"].options
    assert options["points"] == {"profile": "core"}
    assert options["core"]["tags"] == {"house": "north"}
    assert options["core"]["measurement_attr"] == "entity_id"
    assert "light.a" in str(options["filter"])
    assert built_in.disabled_by is ConfigEntryDisabler.USER


async def test_the_imported_filter_decides_as_that_of_the_built_in_integration(
    hass: HomeAssistant, server: Emulator, yaml: dict[str, Any]
) -> None:
    """Its own filter decides the same for every entity."""
    section = {
        "include": {"domains": ["sensor"], "entities": ["light.a"], "entity_globs": ["cover.*"]},
        "exclude": {"entities": ["sensor.b"], "entity_globs": ["sensor.*_x"]},
    }
    yaml["influxdb"] = dict(section)
    as_entry(server.url).add_to_hass(hass)
    result = await take_over(hass)
    assert set(told(result)["taken"].split(", ")) == {"include", "exclude"}
    result = await submit(hass, result, disable_built_in=False)
    ours = entity_filter(result["result"].options)
    theirs = convert_include_exclude_filter(INFLUX_SCHEMA(section))
    for entity_id in (
        *("sensor.a", "sensor.b", "sensor.b_x", "light.a", "light.b", "cover.a", "switch.a"),
    ):
        entity = Traits(entity_id=entity_id, domain=entity_id.partition(".")[0])
        assert ours.captures(entity) is theirs(entity_id), entity_id


async def test_what_is_not_taken_over_is_named_and_nothing_is_disabled_unasked(
    hass: HomeAssistant, server: Emulator, yaml: dict[str, Any]
) -> None:
    yaml["influxdb"] |= {"precision": "s", "include": "sensor"}
    built_in = as_entry(server.url)
    built_in.add_to_hass(hass)
    result = await take_over(hass)
    explained(result, "built_in_partly")
    assert {"precision", "include", "exclude"} == set(
        told(result)["left_out"].replace("\\", "").split(", ")
    )
    result = await submit(hass, result, disable_built_in=False)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert built_in.disabled_by is None


async def test_more_tags_than_a_point_has_room_for_stay_fields_and_are_named(
    hass: HomeAssistant, server: Emulator, yaml: dict[str, Any]
) -> None:
    names = [f"a{number:02}" for number in range(17)]
    yaml["influxdb"] |= {"tags": {"house": "north"}, "tags_attributes": names}
    as_entry(server.url).add_to_hass(hass)
    result = await take_over(hass)
    explained(result, "built_in_partly")
    assert told(result)["left_out"].replace("\\", "") == "tags_attributes"
    assert "tags_attributes" not in told(result)["taken"].replace("\\", "")
    result = await submit(hass, result, disable_built_in=False)
    options = result["result"].options["core"]
    assert (options["tags"], options["tags_attributes"]) == ({"house": "north"}, [])


async def test_without_settings_the_connection_alone_is_taken_over(
    hass: HomeAssistant, server: Emulator, yaml: dict[str, Any]
) -> None:
    del yaml["influxdb"]
    as_entry(server.url).add_to_hass(hass)
    result = await take_over(hass)
    assert result["step_id"] == "built_in_connection"
    explained(result, "built_in_connection")
    result = await submit(hass, result, disable_built_in=False)
    assert result["result"].options["points"] == {"profile": "core"}


async def test_settings_none_of_which_can_be_taken_over_are_named(
    hass: HomeAssistant, server: Emulator, yaml: dict[str, Any]
) -> None:
    yaml["influxdb"] = {"precision": "s"}
    as_entry(server.url).add_to_hass(hass)
    result = await take_over(hass)
    explained(result, "built_in_nothing")
    assert told(result)["left_out"] == "precision"
    result = await submit(hass, result, disable_built_in=False)
    assert result["result"].options["points"] == {"profile": "core"}


async def test_the_certificate_authority_of_the_built_in_integration_is_taken_over(
    hass: HomeAssistant, yaml: Mapping[str, Any], authority: Authority, tmp_path: Path
) -> None:
    assert yaml
    file = tmp_path / "authority.pem"
    file.write_text(authority.pem)
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        as_entry(server.url, ssl_ca_cert=str(file)).add_to_hass(hass)
        result = await submit(hass, await take_over(hass), disable_built_in=False)
    assert result["data"]["ca_certificate"].split() == authority.pem.split()


async def test_a_file_that_is_no_certificate_is_asked_for(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any], tmp_path: Path
) -> None:
    assert yaml
    file = tmp_path / "authority.pem"
    file.write_text("no certificate")
    as_entry(server.url, ssl_ca_cert=str(file)).add_to_hass(hass)
    result = await take_over(hass)
    assert (result["step_id"], result["errors"]) == ("user", {"base": "invalid_certificate"})


async def test_a_file_that_is_not_there_is_no_reason_to_stop(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any], tmp_path: Path
) -> None:
    assert yaml
    as_entry(server.url, ssl_ca_cert=str(tmp_path / "gone.pem")).add_to_hass(hass)
    assert (await take_over(hass))["step_id"] == "built_in_summary"


async def test_an_unusable_address_of_the_built_in_integration_is_asked_for(
    hass: HomeAssistant, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    as_entry("ftp://127.0.0.1").add_to_hass(hass)
    result = await take_over(hass)
    assert (result["step_id"], result["errors"]) == ("user", {"url": "unsupported_scheme"})


async def test_a_built_in_integration_in_yaml_only_is_taken_over(
    hass: HomeAssistant, yaml: dict[str, Any]
) -> None:
    async with Emulator(profile=V1_13) as server:
        server.allowed = {"Basic dTpw"}
        port = int(server.url.rpartition(":")[2])
        yaml["influxdb"] |= {"host": "127.0.0.1", "port": port, "username": "u", "password": "p"}
        hass.config.components.add("influxdb")
        result = await take_over(hass)
        assert result["step_id"] == "built_in_summary"
        # There is no entry that could be disabled.
        assert suggested(result) == {}
        result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert (result["data"]["dialect"], result["data"]["password"]) == ("v1", "p")


async def test_victoriametrics_behind_the_first_version_is_recognized(
    hass: HomeAssistant, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    async with Emulator(profile=VM_NEW) as server:
        port = int(server.url.rpartition(":")[2])
        data = {"api_version": "1", "host": "127.0.0.1", "port": port, "database": "ha"}
        MockConfigEntry(domain="influxdb", data=data).add_to_hass(hass)
        result = await submit(hass, await take_over(hass), disable_built_in=False)
    assert (result["data"]["dialect"], result["data"]["database"]) == ("victoriametrics", "ha")


async def test_credentials_that_are_refused_are_asked_for_and_the_rest_is_kept(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    as_entry(server.url, token="revoked").add_to_hass(hass)
    result = await take_over(hass)
    assert (result["step_id"], result["errors"]) == ("v2", {"token": "invalid_auth"})
    result = await submit(hass, result, token="good")
    assert suggested(result) == {"org": "home", "bucket": "home_assistant"}
    result = await submit(hass, result, org="home", bucket="home_assistant")
    assert result["step_id"] == "built_in_summary"


async def test_a_server_that_is_away_leads_to_the_address(
    hass: HomeAssistant, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    as_entry("http://127.0.0.1:1").add_to_hass(hass)
    result = await take_over(hass)
    assert (result["step_id"], result["errors"]) == ("user", {"url": "unreachable"})
    assert suggested(result)["url"] == "http://127.0.0.1:1"


async def test_a_configuration_that_cannot_be_read_is_said_so(hass: HomeAssistant) -> None:
    hass.config.components.add("influxdb")
    result = await take_over(hass)
    assert (result["step_id"], result["errors"]) == ("user", {"base": "built_in_unreadable"})


async def test_a_database_that_is_set_up_is_not_taken_over_again(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    await connected(hass, server)
    as_entry(server.url).add_to_hass(hass)
    result = await take_over(hass)
    assert result["reason"] == "already_configured"


async def test_beside_the_built_in_integration_its_profile_is_suggested(
    hass: HomeAssistant, server: Emulator, yaml: Mapping[str, Any]
) -> None:
    assert yaml
    built_in = as_entry("http://127.0.0.1:1")
    built_in.add_to_hass(hass)
    result = await choose(hass, await begin(hass), "change_address")
    result = await locate(hass, server.url, result=result)
    result = await submit(hass, result, token="good")
    result = await submit(hass, result, org="home", bucket="home_assistant")
    explained(result, "profile_beside_built_in")
    options = result["menu_options"]
    assert isinstance(options, list)
    assert options[0] == "profile_core"
    # As a browser does that opens the dialogue again.
    again = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert again["menu_options"] == options
    result = await choose(hass, result, "profile_core")
    schema = result["data_schema"]
    assert schema
    # It writes to another database, which may well be wanted.
    assert schema({}) == {"disable_built_in": False}
    result = await submit(hass, result)
    assert result["result"].options["core"]["default_measurement"] == "state"
    assert built_in.disabled_by is None


CONNECTIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "http://localhost:8086"),
    ({"host": "db", "ssl": True, "port": 8443, "path": "/influx"}, "https://db:8443/influx"),
    ({"host": "db", "port": None, "path": "/"}, "http://db:8086"),
    ({"api_version": "2"}, "https://us-west-2-1.aws.cloud2.influxdata.com"),
    ({"api_version": 2, "host": "db", "ssl": False, "port": 8086}, "http://db:8086"),
    ({"api_version": "2", "url": "https://db:1/x"}, "https://db:1/x"),
    # No address at all, which the dialogue asks for.
    ({"host": "db", "port": 99_999, "path": "x"}, "http://db:99999"),
]


@pytest.mark.parametrize(("config", "url"), CONNECTIONS)
def test_an_address_is_read_as_the_built_in_integration_reads_it(
    config: dict[str, Any], url: str
) -> None:
    assert connection_of(config, "")["url"] == url
