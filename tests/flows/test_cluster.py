"""A cluster is set up and written to with the path of its tenant, also through vmauth."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.emulator import VM_AUTH, VM_CLUSTER, Emulator, Profile
from tests.shell import until

from .steps import enter, locate

pytestmark = pytest.mark.usefixtures("socket_enabled")

PREFIX = "/insert/0/influx"


@pytest.mark.parametrize("profile", [VM_CLUSTER, VM_AUTH], ids=["vminsert", "vmauth"])
async def test_a_cluster_is_set_up_and_gets_points_below_its_path(
    hass: HomeAssistant, profile: Profile
) -> None:
    async with Emulator(profile=profile, prefix=PREFIX) as server:
        server.allowed = {"Bearer right"}
        result = await locate(hass, server.url)
        assert result["step_id"] == "victoriametrics"
        refused = await enter(hass, result, token="wrong")
        assert refused["errors"] == {"base": "invalid_auth"}

        result = await enter(hass, refused, token="right")
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["data"]["url"] == server.url
        hass.states.async_set("sensor.power", "1.5")
        await until(lambda: server.stored)

        # While it still answers: what waits is delivered.
        assert await hass.config_entries.async_unload(result["result"].entry_id)
    assert {seen.path for seen in server.writes} == {"/write"}


async def test_without_its_path_there_is_no_database(hass: HomeAssistant) -> None:
    async with Emulator(profile=VM_CLUSTER, prefix=PREFIX) as server:
        result = await locate(hass, server.url.removesuffix(PREFIX) + "/insert/x/influx")
        result = await enter(hass, result)
    assert result["errors"] == {"url": "not_a_database"}
