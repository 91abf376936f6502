"""Connecting a database, against servers that really answer."""

from unittest.mock import AsyncMock

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from tests.emulator import V1_13, V2_7, V3, VM_NEW, Answer, Emulator, Profile

from .steps import BLANK, PAGE, V2_INPUT, enter, locate, submit, suggested, told

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")


CASES: list[tuple[Profile, dict[str, str], str]] = [
    (V1_13, {"username": "u", "password": "p", "database": "home_assistant"}, "home_assistant"),
    (V1_13, {"database": "home_assistant", "retention_policy": "autogen"}, "home_assistant"),
    (V2_7, V2_INPUT, "home_assistant"),
    (V3, {"token": "t", "database": "home_assistant"}, "home_assistant"),
    (V3, {"database": "home_assistant"}, "home_assistant"),
    (VM_NEW, {}, "VictoriaMetrics"),
    (VM_NEW, {"token": "t", "database": "ha"}, "ha"),
]


@pytest.mark.parametrize(("profile", "entered", "name"), CASES)
async def test_each_database_is_found_and_connected(
    hass: HomeAssistant,
    setup_entry: AsyncMock,
    profile: Profile,
    entered: dict[str, str],
    name: str,
) -> None:
    async with Emulator(profile=profile) as server:
        result = await locate(hass, f" {server.url}/ ")
        assert result["step_id"] == profile.dialect
        assert profile.version in told(result)["server"]
        result = await enter(hass, result, **entered)
        await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"{name} on {server.url.removeprefix('http://')}"
    where = {"url": server.url, "dialect": profile.dialect.value}
    assert result["data"] == {**BLANK, **where, **entered}
    assert (result["result"].unique_id or "").startswith(f"{profile.dialect}|{server.url}")
    assert not server.points
    setup_entry.assert_awaited_once()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://host", "unsupported_scheme"),
        ("htp://host:8086", "unsupported_scheme"),
        ("x" * 3000, "invalid_url"),
        ("http://host/?x=1", "invalid_url"),
        ("http://u:p@host", "url_credentials"),
        ("http://127.0.0.1:1", "unreachable"),
    ],
)
async def test_an_unusable_address_is_shown_at_the_address_and_can_be_corrected(
    hass: HomeAssistant, server: Emulator, url: str, error: str
) -> None:
    result = await locate(hass, url)
    assert (result["step_id"], result["errors"]) == ("user", {"url": error})
    assert suggested(result)["url"] == url

    result = await locate(hass, server.url, result=result)
    result = await enter(hass, result, **V2_INPUT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("impostor", "error"),
    [
        (PAGE, "proxy"),
        (Answer(status=302, headers={"Location": "https://x/"}), "redirect"),
        (Answer(status=404, body="404: Not Found"), "not_a_database"),
        (Answer(status=204, headers={"Server": "questDB/1.0"}), "not_a_database"),
        (Answer(status=401, headers={"WWW-Authenticate": "Basic"}), "locked"),
        (Answer(status=502, body="<html>"), "server_error"),
        (Answer(status=503), "busy"),
    ],
)
async def test_the_form_says_what_answers_instead_of_a_database(
    hass: HomeAssistant, server: Emulator, impostor: Answer, error: str
) -> None:
    server.impostor = impostor
    result = await locate(hass, server.url)
    assert (result["step_id"], result["errors"]) == ("user", {"url": error})

    server.impostor = None
    result = await locate(hass, server.url, result=result)
    assert result["step_id"] == "v2"


async def test_a_server_that_hides_itself_can_be_named_by_the_user(
    hass: HomeAssistant, server: Emulator
) -> None:
    server.profile = V3
    server.allowed = {"Bearer good"}
    server.impostor = Answer(status=403)
    result = await locate(hass, server.url)
    assert result["errors"] == {"url": "locked"}

    result = await locate(hass, server.url, result=result, dialect="v3")
    assert result["step_id"] == "v3"
    assert told(result)["server"] == "InfluxDB 3"
    server.impostor = None
    result = await enter(hass, result, token="good", database="home_assistant")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("dialect", ["v1", "v2", "v3"])
async def test_victoriametrics_is_not_set_up_as_another_database(
    hass: HomeAssistant, server: Emulator, dialect: str
) -> None:
    server.profile = VM_NEW
    result = await locate(hass, server.url, dialect=dialect)
    assert (result["step_id"], result["errors"]) == ("user", {"dialect": "is_victoriametrics"})
    assert suggested(result)["url"] == server.url
    result = await locate(hass, server.url, result=result, dialect="victoriametrics")
    assert result["step_id"] == "victoriametrics"


async def test_a_bearer_token_beside_a_username_is_refused_at_its_field(
    hass: HomeAssistant, server: Emulator
) -> None:
    form = await locate(hass, server.url, dialect="victoriametrics")
    result = await enter(hass, form, username="me", password="secret", token="other")
    assert result["errors"] == {"token": "token_beside_username"}
    assert suggested(result)["username"] == "me"


async def test_the_user_may_overrule_what_is_found(hass: HomeAssistant, server: Emulator) -> None:
    result = await locate(hass, server.url, dialect="victoriametrics")
    assert result["step_id"] == "victoriametrics"
    assert told(result)["server"] == "VictoriaMetrics"


async def test_a_chosen_kind_of_database_does_not_hide_that_it_is_unreachable(
    hass: HomeAssistant,
) -> None:
    result = await locate(hass, "http://127.0.0.1:1", dialect="v2")
    assert (result["step_id"], result["errors"]) == ("user", {"url": "unreachable"})


async def test_a_server_that_goes_away_in_between_leads_back_to_the_address(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await submit(hass, await locate(hass, server.url), token="good")
    server.impostor = PAGE
    result = await enter(hass, result, **V2_INPUT)
    assert (result["step_id"], result["errors"]) == ("user", {"url": "proxy"})

    server.impostor = None
    result = await locate(hass, server.url, result=result)
    assert suggested(result) == {"token": "good"}
    result = await enter(hass, result, **V2_INPUT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


WRONG: list[tuple[Profile, str, dict[str, str], tuple[str, dict[str, str]]]] = [
    (V2_7, "Token good", {**V2_INPUT, "token": "bad"}, ("v2", {"token": "invalid_auth"})),
    (V2_7, "Token good", {**V2_INPUT, "token": "reader"}, ("may_not_write", {})),
    (V2_7, "Token good", {**V2_INPUT, "org": "nope"}, ("v2_place", {"org": "org_not_found"})),
    (
        V1_13,
        "Basic dTpw",
        {"username": "u", "password": "bad", "database": "home_assistant"},
        ("v1", {"base": "invalid_auth"}),
    ),
    (V3, "Bearer good", {"token": "bad", "database": "ha"}, ("v3", {"token": "invalid_auth"})),
    (
        V3,
        "Bearer good",
        {"token": "reader", "database": "home_assistant"},
        ("may_not_write", {}),
    ),
    (V3, "Bearer good", {"token": "good", "database": "_"}, ("v3_place", {"base": "rejected"})),
    (VM_NEW, "Bearer good", {"token": "bad"}, ("victoriametrics", {"base": "invalid_auth"})),
]
RIGHT = {
    Dialect.V1: {"username": "u", "password": "p", "database": "home_assistant"},
    Dialect.V2: V2_INPUT,
    Dialect.V3: {"token": "good", "database": "home_assistant"},
    Dialect.VICTORIAMETRICS: {"token": "good"},
}


@pytest.mark.parametrize(("profile", "allowed", "entered", "expected"), WRONG)
async def test_what_is_wrong_is_named_where_it_is_and_can_be_corrected(
    hass: HomeAssistant,
    profile: Profile,
    allowed: str,
    entered: dict[str, str],
    expected: tuple[str, dict[str, str]],
) -> None:
    async with Emulator(profile=profile) as server:
        server.allowed = {allowed}
        server.read_only = {"Token reader", "Bearer reader"}
        result = await locate(hass, server.url)
        result = await enter(hass, result, **entered)
        assert (result["step_id"], result.get("errors") or {}) == expected

        result = await locate(hass, server.url)
        result = await enter(hass, result, **RIGHT[profile.dialect])
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=500, body='{"code":"internal error"}'), "server_error"),
        (Answer(status=429), "busy"),
        (Answer(status=413), "too_large"),
    ],
)
async def test_a_failing_server_is_not_blamed_on_the_user(
    hass: HomeAssistant, server: Emulator, answer: Answer, error: str
) -> None:
    result = await submit(hass, await locate(hass, server.url), token="good")
    server.impostor = answer
    result = await enter(hass, result, **V2_INPUT)
    assert (result["step_id"], result["errors"]) == ("v2_place", {"base": error})


async def test_a_pasted_token_loses_the_line_break_it_brought_along(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await locate(hass, server.url)
    result = await enter(hass, result, **{**V2_INPUT, "token": " good\n"})
    assert result["data"]["token"] == "good"


async def test_a_token_is_needed_where_there_is_no_other_way(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await locate(hass, server.url)
    with pytest.raises(InvalidData):
        await submit(hass, result)


@pytest.mark.parametrize("empty", ["", " "])
async def test_a_refused_token_is_not_kept_by_leaving_the_field_empty(
    hass: HomeAssistant, server: Emulator, empty: str
) -> None:
    """Nothing is stored yet, so there is nothing that an empty field could mean."""
    result = await locate(hass, server.url)
    result = await enter(hass, result, **{**V2_INPUT, "token": "bad"})
    assert result["errors"] == {"token": "invalid_auth"}
    asked = len(server.writes)

    result = await enter(hass, result, **{**V2_INPUT, "token": empty})
    assert (result["step_id"], result["errors"]) == ("v2", {"token": "required"})
    assert len(server.writes) == asked

    result = await enter(hass, result, **V2_INPUT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_refused_password_is_not_kept_by_leaving_the_field_empty(
    hass: HomeAssistant,
) -> None:
    """Where no secret is needed an empty one means none."""
    async with Emulator(profile=V3) as server:
        server.allowed = {"Bearer good"}
        result = await locate(hass, server.url, dialect="v3")
        result = await enter(hass, result, token="bad", database="ha")
        assert result["errors"] == {"token": "invalid_auth"}
        server.allowed = set()
        result = await enter(hass, result, database="home_assistant")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"] == ""


async def test_a_name_of_blanks_is_no_name(hass: HomeAssistant, server: Emulator) -> None:
    result = await locate(hass, server.url)
    result = await enter(hass, result, **{**V2_INPUT, "bucket": " "})
    assert (result["step_id"], result["errors"]) == ("v2_place", {"bucket": "required"})


async def test_the_same_destination_is_refused_however_it_is_spelled(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await enter(hass, await locate(hass, server.url), **V2_INPUT)
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await locate(hass, server.url.replace("http", "HTTP") + "/")
    result = await enter(hass, result, **V2_INPUT)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")

    server.names["bucket"].add("another")
    result = await locate(hass, server.url)
    result = await enter(hass, result, **{**V2_INPUT, "bucket": "another"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
