"""An address without a port, and titles with one."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from yarl import URL

from custom_components.ha_ingestor.flows import address as address_steps
from custom_components.ha_ingestor.flows.destination import is_own_title, title, usual_ports
from tests.emulator import V2_7, Answer, Emulator

from .steps import V2_INPUT, enter, locate, suggested, told

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")


@pytest.fixture(name="ports")
def _ports(server: Emulator) -> Iterator[list[int]]:
    """Let the usual ports be that of the server, and one at which nobody listens."""
    ports = [1, URL(server.url).port or 0]

    def usual(url: str) -> list[URL]:
        address = URL(url)
        return [address.with_port(port) for port in ports] if address.explicit_port is None else []

    with patch.object(address_steps, "usual_ports", usual):
        yield ports


async def test_the_port_that_answers_is_filled_in_and_named(
    hass: HomeAssistant, server: Emulator, ports: list[int]
) -> None:
    result = await locate(hass, "127.0.0.1")
    assert (result["step_id"], result["errors"]) == ("user", {"url": "found_at_port"})
    assert told(result)["port"] == str(ports[1])
    assert suggested(result)["url"] == server.url
    result = await enter(hass, await locate(hass, server.url, result=result), **V2_INPUT)
    assert result["data"]["url"] == server.url


async def test_where_no_port_answers_the_usual_ones_are_named(
    hass: HomeAssistant, server: Emulator, ports: list[int]
) -> None:
    assert server.url
    ports[:] = [1, 2]
    result = await locate(hass, "127.0.0.1")
    assert (result["step_id"], result["errors"]) == ("user", {"url": "no_port"})
    words = told(result)
    assert (words["influxdb"], words["influxdb3"], words["victoriametrics"]) == (
        *("8086", "8181", "8428"),
    )
    assert "Connection refused" in words["detail"]


@pytest.mark.parametrize("page", ["/orgs/0e1/load-data", "/a/b/"])
@pytest.mark.parametrize("dialect", ["auto", "v2"])
async def test_the_path_of_a_web_page_of_the_database_is_removed(
    hass: HomeAssistant, server: Emulator, page: str, dialect: str
) -> None:
    result = await locate(hass, f"{server.url}{page}", dialect=dialect)
    assert (result["step_id"], result["errors"]) == ("user", {"url": "found_without_path"})
    assert suggested(result)["url"] == server.url
    result = await enter(hass, await locate(hass, server.url, result=result), **V2_INPUT)
    assert result["data"]["url"] == server.url


async def test_a_path_is_kept_where_the_user_says_what_is_there_and_enters_it_again(
    hass: HomeAssistant, server: Emulator
) -> None:
    url = f"{server.url}/influx"
    result = await locate(hass, url, dialect="v2")
    assert (result["step_id"], result["errors"]) == ("user", {"url": "found_without_path"})
    result = await locate(hass, url, result=result, dialect="v2")
    assert (result["step_id"], result["errors"]) == ("v2", None)


@pytest.mark.parametrize("dialect", ["v1", "victoriametrics"])
async def test_a_path_is_kept_where_another_kind_is_chosen_than_answers_without_it(
    hass: HomeAssistant, server: Emulator, dialect: str
) -> None:
    result = await locate(hass, f"{server.url}/influx", dialect=dialect)
    assert (result["step_id"], result["errors"]) == (dialect, None)


async def test_a_path_without_a_database_at_all_is_shown_as_it_is(hass: HomeAssistant) -> None:
    async with Emulator(profile=V2_7) as server:
        server.impostor = Answer(status=404)
        result = await locate(hass, f"{server.url}/influx")
    assert result["errors"] == {"url": "not_a_database"}
    assert suggested(result)["url"] == f"{server.url}/influx"


def test_the_usual_ports_are_tried_where_the_address_has_none() -> None:
    assert [str(each) for each in usual_ports("http://db/x")] == [
        *("http://db:8086/x", "http://db:8181/x", "http://db:8428/x"),
    ]
    assert usual_ports("http://db:80") == []


TITLES = [
    ("v2", "http://db:8086", "home on db"),
    ("v2", "http://db:9999", "home on db:9999"),
    ("v2", "https://eu.cloud", "home on eu.cloud"),
    ("v3", "http://db:8181", "home on db"),
    ("v3", "http://db:8086", "home on db:8086"),
]


@pytest.mark.parametrize(("dialect", "url", "expected"), TITLES)
def test_a_title_has_the_port_unless_it_is_the_usual_one(
    dialect: str, url: str, expected: str
) -> None:
    data = {"dialect": dialect, "url": url, "bucket": "home", "database": ""}
    assert title(data) == expected
    assert is_own_title(expected, data)
    assert is_own_title(f"home on {URL(url).host}", data)
    assert not is_own_title("My archive", data)


def test_a_title_has_the_port_where_another_entry_has_the_same() -> None:
    data = {"dialect": "v2", "url": "http://db:8086", "bucket": "home", "database": ""}
    assert title(data, {"home on db"}) == "home on db:8086"


ALIKE = (
    {"dialect": "v2", "url": "http://db:9999", "org": "north"},
    {"dialect": "v2", "url": "http://db:9999", "org": "south"},
    {"dialect": "v2", "url": "http://db:9999/second", "org": "north"},
)


def test_titles_tell_destinations_apart_that_differ_in_the_organization_or_the_path() -> None:
    given: list[str] = []
    for each in ALIKE:
        data = {**each, "bucket": "home", "database": ""}
        given.append(title(data, given))
        assert is_own_title(given[-1], data)
    assert given == ["home on db:9999", "south/home on db:9999", "north/home on db:9999/second"]


def test_titles_tell_retention_policies_apart() -> None:
    data = {"dialect": "v1", "url": "http://db:8086", "bucket": "", "database": "home"}
    given: list[str] = []
    for policy in ("", "month", "year"):
        given.append(title({**data, "retention_policy": policy}, given))
    assert given == ["home on db", "home on db:8086", "home/year on db:8086"]
