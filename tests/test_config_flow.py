"""The dialogue that connects a database, against servers that really answer."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import ha_ingestor
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.outcome import Dialect
from custom_components.ha_ingestor.pipeline.verdict import Problem
from tests.emulator import V1_13, V2_7, V3, VM_NEW, Answer, Emulator, Profile

from .tls import Authority

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")

PAGE = Answer(status=200, body="<!DOCTYPE html><html>", headers={"Content-Type": "text/html"})
V2_INPUT = {"token": "good", "org": "home", "bucket": "home_assistant"}
BLANK = {
    "org": "",
    "bucket": "",
    "database": "",
    "retention_policy": "",
    "username": "",
    "password": "",
    "token": "",
    "verify_ssl": True,
    "ca_certificate": "",
}


@pytest.fixture(name="setup_entry")
def _setup_entry() -> Iterator[AsyncMock]:
    """Keep the entry from doing anything."""
    with (
        patch.object(ha_ingestor, "async_setup_entry", return_value=True) as setup_entry,
        patch.object(ha_ingestor, "async_unload_entry", return_value=True),
    ):
        yield setup_entry


@pytest.fixture(name="server")
async def _server() -> AsyncIterator[Emulator]:
    """Serve an InfluxDB 2 that knows one token."""
    async with Emulator(profile=V2_7) as server:
        server.allowed = {"Token good"}
        yield server


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialogue."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})


async def submit(hass: HomeAssistant, result: ConfigFlowResult, **entered: Any) -> ConfigFlowResult:
    """Fill in the form that is shown."""
    assert result["type"] is FlowResultType.FORM, result
    return await hass.config_entries.flow.async_configure(result["flow_id"], entered)


async def locate(
    hass: HomeAssistant,
    url: str,
    *,
    result: ConfigFlowResult | None = None,
    dialect: str = "auto",
    **advanced: Any,
) -> ConfigFlowResult:
    """Enter an address in the first form."""
    result = result or await begin(hass)
    return await submit(hass, result, url=url, dialect=dialect, advanced=advanced)


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Read what is filled in already."""
    schema = result["data_schema"]
    assert schema
    return {key.schema: (key.description or {}).get("suggested_value") for key in schema.schema}


CASES: list[tuple[Profile, dict[str, str], dict[str, str], str]] = [
    (
        V1_13,
        {"username": "u", "password": "p", "database": "home_assistant"},
        {"dialect": "v1"},
        "home_assistant on 127.0.0.1",
    ),
    (
        V1_13,
        {"database": "home_assistant", "retention_policy": "autogen"},
        {"dialect": "v1"},
        "home_assistant on 127.0.0.1",
    ),
    (V2_7, V2_INPUT, {"dialect": "v2"}, "home_assistant on 127.0.0.1"),
    (V3, {"token": "t", "database": "ha"}, {"dialect": "v3"}, "ha on 127.0.0.1"),
    (V3, {"database": "ha"}, {"dialect": "v3"}, "ha on 127.0.0.1"),
    (VM_NEW, {}, {"dialect": "victoriametrics"}, "VictoriaMetrics on 127.0.0.1"),
    (
        VM_NEW,
        {"token": "t", "database": "ha"},
        {"dialect": "victoriametrics"},
        "ha on 127.0.0.1",
    ),
]


@pytest.mark.parametrize(("profile", "entered", "more", "title"), CASES)
async def test_each_database_is_found_and_connected(
    hass: HomeAssistant,
    setup_entry: AsyncMock,
    profile: Profile,
    entered: dict[str, str],
    more: dict[str, str],
    title: str,
) -> None:
    async with Emulator(profile=profile) as server:
        result = await locate(hass, f" {server.url}/ ")
        assert result["step_id"] == profile.dialect
        assert profile.version in result["description_placeholders"]["server"]
        result = await submit(hass, result, **entered)
        await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == title
    assert result["data"] == {**BLANK, "url": server.url, **entered, **more}
    assert result["result"].unique_id.startswith(f"{profile.dialect}|{server.url}")
    assert not server.points
    setup_entry.assert_awaited_once()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://host", "invalid_url"),
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
    result = await submit(hass, result, **V2_INPUT)
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
async def test_something_else_at_the_address_is_told_apart(
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
    assert result["description_placeholders"]["server"] == "InfluxDB 3"
    server.impostor = None
    result = await submit(hass, result, token="good", database="ha")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_user_may_overrule_what_is_found(hass: HomeAssistant, server: Emulator) -> None:
    result = await locate(hass, server.url, dialect="victoriametrics")
    assert result["step_id"] == "victoriametrics"
    assert result["description_placeholders"]["server"] == "VictoriaMetrics"


async def test_a_server_that_goes_away_in_between_leads_back_to_the_address(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await locate(hass, server.url)
    server.impostor = PAGE
    result = await submit(hass, result, **V2_INPUT)
    assert (result["step_id"], result["errors"]) == ("user", {"url": "proxy"})

    server.impostor = None
    result = await locate(hass, server.url, result=result)
    assert suggested(result) == {"token": "", "org": "home", "bucket": "home_assistant"}
    # The token was entered already and need not be again.
    result = await submit(hass, result, org="home", bucket="home_assistant")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"] == "good"


WRONG: list[tuple[Profile, str, dict[str, str], dict[str, str]]] = [
    (V2_7, "Token good", {**V2_INPUT, "token": "bad"}, {"token": "invalid_auth"}),
    (V2_7, "Token good", {**V2_INPUT, "token": "reader"}, {"token": "forbidden"}),
    (V2_7, "Token good", {**V2_INPUT, "org": "nope"}, {"org": "org_not_found"}),
    (V2_7, "Token good", {**V2_INPUT, "bucket": "nope"}, {"bucket": "bucket_not_found"}),
    (
        V1_13,
        "Basic dTpw",
        {"username": "u", "password": "bad", "database": "home_assistant"},
        {"base": "invalid_auth"},
    ),
    (
        V1_13,
        "Basic dTpw",
        {"username": "u", "password": "p", "database": "nope"},
        {"database": "database_not_found"},
    ),
    (
        V1_13,
        "Basic dTpw",
        {
            "username": "u",
            "password": "p",
            "database": "home_assistant",
            "retention_policy": "nope",
        },
        {"retention_policy": "retention_policy_not_found"},
    ),
    (V3, "Bearer good", {"token": "bad", "database": "ha"}, {"token": "invalid_auth"}),
    (V3, "Bearer good", {"token": "reader", "database": "ha"}, {"token": "forbidden"}),
    (V3, "Bearer good", {"token": "good", "database": "_"}, {"base": "rejected"}),
    (VM_NEW, "Bearer good", {"token": "bad"}, {"base": "invalid_auth"}),
]
RIGHT = {
    Dialect.V1: {"username": "u", "password": "p", "database": "home_assistant"},
    Dialect.V2: V2_INPUT,
    Dialect.V3: {"token": "good", "database": "ha"},
    Dialect.VICTORIAMETRICS: {"token": "good"},
}


@pytest.mark.parametrize(("profile", "allowed", "entered", "errors"), WRONG)
async def test_what_is_wrong_is_named_where_it_is_and_can_be_corrected(
    hass: HomeAssistant,
    profile: Profile,
    allowed: str,
    entered: dict[str, str],
    errors: dict[str, str],
) -> None:
    async with Emulator(profile=profile) as server:
        server.allowed = {allowed}
        server.read_only = {"Token reader", "Bearer reader"}
        result = await locate(hass, server.url)
        result = await submit(hass, result, **entered)
        assert (result["step_id"], result["errors"]) == (profile.dialect, errors)

        result = await submit(hass, result, **RIGHT[profile.dialect])
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
    result = await locate(hass, server.url)
    server.impostor = answer
    result = await submit(hass, result, **V2_INPUT)
    assert (result["step_id"], result["errors"]) == ("v2", {"base": error})


async def test_a_pasted_token_loses_the_line_break_it_brought_along(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await locate(hass, server.url)
    result = await submit(hass, result, **{**V2_INPUT, "token": " good\n"})
    assert result["data"]["token"] == "good"


async def test_a_token_is_needed_where_there_is_no_other_way(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await locate(hass, server.url)
    with pytest.raises(InvalidData):
        await submit(hass, result, org="home", bucket="home_assistant")


async def test_the_same_destination_is_refused_however_it_is_spelled(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await submit(hass, await locate(hass, server.url), **V2_INPUT)
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await locate(hass, server.url.replace("http", "HTTP") + "/")
    result = await submit(hass, result, **V2_INPUT)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")

    server.names["bucket"].add("another")
    result = await locate(hass, server.url)
    result = await submit(hass, result, **{**V2_INPUT, "bucket": "another"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def connected(hass: HomeAssistant, server: Emulator, **more: Any) -> MockConfigEntry:
    """Set up a destination as the dialogue would have."""
    data = {**BLANK, "url": server.url, "dialect": "v2", **V2_INPUT, **more}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="home_assistant on 127.0.0.1",
        data=data,
        unique_id=f"v2|{server.url}|home|home_assistant",
    )
    entry.add_to_hass(hass)
    return entry


async def test_reauth_asks_for_the_credentials_only_and_keeps_the_rest(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server, token="revoked")
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    assert suggested(result) == {"token": ""}

    result = await submit(hass, result, token="bad")
    assert result["errors"] == {"token": "invalid_auth"}
    result = await submit(hass, result, token="good")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data == {**BLANK, "url": server.url, "dialect": "v2", **V2_INPUT}


async def test_reauth_with_a_username_shows_it_and_hides_the_password(hass: HomeAssistant) -> None:
    async with Emulator(profile=V1_13) as server:
        server.allowed = {"Basic dTpw"}
        data = {"dialect": "v1", "username": "u", "password": "old", "database": "home_assistant"}
        entry = await connected(hass, server, **{**data, "token": "", "org": "", "bucket": ""})
        result = await entry.start_reauth_flow(hass)
        assert suggested(result) == {"username": "u", "password": ""}
        result = await submit(hass, result, username="u", password="p")

    assert result["reason"] == "reauth_successful"
    assert entry.data["password"] == "p"


async def test_reauth_survives_a_server_that_is_down(hass: HomeAssistant, server: Emulator) -> None:
    entry = await connected(hass, server)
    result = await entry.start_reauth_flow(hass)
    server.impostor = PAGE
    result = await submit(hass, result, token="good")
    assert result["errors"] == {"base": "proxy"}


async def test_reconfigure_points_the_entry_elsewhere(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    async with Emulator(profile=V3) as other:
        other.allowed = {"Bearer fresh"}
        result = await entry.start_reconfigure_flow(hass)
        assert result["step_id"] == "reconfigure"
        assert suggested(result)["url"] == server.url

        result = await locate(hass, "http://127.0.0.1:1", result=result)
        assert (result["step_id"], result["errors"]) == ("reconfigure", {"url": "unreachable"})
        result = await locate(hass, other.url, result=result)
        assert result["step_id"] == "v3"
        result = await submit(hass, result, token="fresh", database="ha")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    where = {"url": other.url, "dialect": "v3", "token": "fresh", "database": "ha"}
    assert entry.data == {**BLANK, **where}
    assert entry.unique_id == f"v3|{other.url}|ha"
    assert entry.title == "ha on 127.0.0.1"


async def test_reconfigure_keeps_what_is_left_as_it_is(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    hass.config_entries.async_update_entry(entry, title="My archive")
    before = dict(entry.data)
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert suggested(result) == {"token": "", "org": "home", "bucket": "home_assistant"}
    result = await submit(hass, result, org="home", bucket="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data, entry.title) == (before, "My archive")


async def test_reconfigure_does_not_take_over_another_destination(
    hass: HomeAssistant, server: Emulator
) -> None:
    await connected(hass, server)
    entry = await connected(hass, server, bucket="another")
    hass.config_entries.async_update_entry(entry, unique_id=f"v2|{server.url}|home|another")
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    result = await submit(hass, result, **V2_INPUT)

    assert result["reason"] == "already_configured"
    assert entry.data["bucket"] == "another"


async def test_a_username_replaces_the_token_that_was_used_before(hass: HomeAssistant) -> None:
    async with Emulator(profile=VM_NEW) as server:
        server.allowed = {"Basic dTpw"}
        old = {"dialect": "victoriametrics", "token": "old", "org": "", "bucket": ""}
        entry = await connected(hass, server, **old)
        result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
        result = await submit(hass, result, username="u", password="p")

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data["token"], entry.data["password"]) == ("", "p")


async def test_an_unknown_certificate_is_told_and_its_authority_can_be_pasted(
    hass: HomeAssistant, authority: Authority
) -> None:
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        result = await locate(hass, server.url)
        assert result["errors"] == {"url": "tls"}
        result = await locate(
            hass, server.url, result=result, ca_certificate=authority.private_key + authority.pem
        )
        assert result["step_id"] == "v2"
        result = await submit(hass, result, **V2_INPUT)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["ca_certificate"] == authority.pem.strip()
    assert "PRIVATE" not in result["data"]["ca_certificate"]


async def test_verification_can_be_switched_off(hass: HomeAssistant, authority: Authority) -> None:
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        result = await locate(hass, server.url, verify_ssl=False)
        result = await submit(hass, result, **V2_INPUT)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["verify_ssl"] is False


@pytest.mark.parametrize(
    "pem",
    [
        "garbage",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nä\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)
async def test_what_is_no_certificate_is_refused(
    hass: HomeAssistant, server: Emulator, pem: str
) -> None:
    result = await locate(hass, server.url, ca_certificate=pem)
    assert (result["step_id"], result["errors"]) == ("user", {"base": "invalid_certificate"})

    result = await locate(hass, server.url, result=result)
    assert result["step_id"] == "v2"


WORDS = json.loads((Path(ha_ingestor.__file__).parent / "translations" / "en.json").read_text())


def test_every_problem_has_a_sentence() -> None:
    own = {"invalid_url", "url_credentials", "invalid_certificate", "locked"}
    problems = {problem.value for problem in Problem} - {Problem.NONE}

    assert set(WORDS["config"]["error"]) == own | problems


@pytest.mark.parametrize("step", sorted(WORDS["config"]["step"]))
async def test_every_field_shown_has_a_label_and_an_explanation(
    hass: HomeAssistant, server: Emulator, step: str
) -> None:
    entry = await connected(hass, server)
    if step == "user":
        result = await begin(hass)
    elif step == "reconfigure":
        result = await entry.start_reconfigure_flow(hass)
    elif step == "reauth_confirm":
        result = await entry.start_reauth_flow(hass)
    else:
        result = await locate(hass, server.url, dialect=step)

    schema = result["data_schema"]
    assert schema
    words = WORDS["config"]["step"][step]
    shown = {str(key) for key in schema.schema} - {"advanced"}
    assert result["step_id"] == step
    assert shown <= set(words["data"])
    assert set(words["data"]) == set(words["data_description"])
    if "advanced" in words.get("sections", {}):
        inner = words["sections"]["advanced"]
        fields = {str(key) for key in schema.schema["advanced"].schema.schema}
        assert fields == set(inner["data"]) == set(inner["data_description"])
    texts = json.dumps([words, WORDS["config"]["error"]])
    placeholders = set(re.findall(r"{(\w+)}", json.dumps(words)))
    assert placeholders <= {*result["description_placeholders"], "name"}
    assert "://" not in texts


def test_every_database_to_choose_has_a_name() -> None:
    assert set(WORDS["selector"]["dialect"]["options"]) == {"auto", *Dialect}
