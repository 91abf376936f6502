"""Mending a connection: new credentials, or another place."""

import base64

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.emulator import V1_13, V2_7, V3, VM_NEW, Emulator, Profile

from .steps import BLANK, PAGE, V2_INPUT, begin, choose, connected, enter, locate, submit, suggested


def unveiled(header: str) -> str:
    """Read an Authorization header, whichever scheme it is of."""
    scheme, _, credentials = header.partition(" ")
    return base64.b64decode(credentials).decode() if scheme == "Basic" else credentials


pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")


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


async def test_reauth_shows_the_name_of_the_destination_as_text(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server, token="revoked")
    hass.config_entries.async_update_entry(entry, title="<i>Haus</i> *b* [x](y)")
    result = await entry.start_reauth_flow(hass)
    shown = r"&lt;i&gt;Haus&lt;/i&gt; \*b\* \[x\]\(y\)"
    assert result["description_placeholders"]["name"] == shown


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


async def test_reauth_refuses_what_can_be_no_token_without_asking_the_server(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    result = await entry.start_reauth_flow(hass)
    before = len(server.seen)
    result = await submit(hass, result, token="t" * 4_097)
    assert result["errors"] == {"token": "secret_too_long"}
    assert len(server.seen) == before
    result = await submit(hass, result, token="good")
    assert result["reason"] == "reauth_successful"


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
        result = await enter(hass, result, token="fresh", database="home_assistant")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    where = {"url": other.url, "dialect": "v3", "token": "fresh", "database": "home_assistant"}
    assert entry.data == {**BLANK, **where}
    assert entry.unique_id == f"v3|{other.url}|home_assistant"
    assert entry.title == f"home_assistant on {other.url.removeprefix('http://')}"


async def test_reconfigure_keeps_what_is_left_as_it_is(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    hass.config_entries.async_update_entry(entry, title="My archive")
    before = dict(entry.data)
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert suggested(result) == {"token": ""}
    result = await submit(hass, result)
    assert suggested(result) == {"org": "home", "bucket": "home_assistant"}
    result = await enter(hass, result, org="home", bucket="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data, entry.title) == (before, "My archive")


async def test_an_empty_token_means_the_stored_one_and_not_the_one_just_refused(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server)
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    result = await enter(hass, result, **{**V2_INPUT, "token": "bad"})
    assert result["errors"] == {"token": "invalid_auth"}
    result = await enter(hass, result, org="home", bucket="home_assistant")

    assert result["reason"] == "reconfigure_successful"
    assert entry.data["token"] == "good"


async def test_reconfigure_does_not_take_over_another_destination(
    hass: HomeAssistant, server: Emulator
) -> None:
    await connected(hass, server)
    entry = await connected(hass, server, bucket="another")
    hass.config_entries.async_update_entry(entry, unique_id=f"v2|{server.url}|home|another")
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    result = await enter(hass, result, **V2_INPUT)

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


async def test_an_error_elsewhere_does_not_empty_the_password(hass: HomeAssistant) -> None:
    async with Emulator(profile=V1_13) as server:
        server.allowed = {"Basic dTpw"}
        result = await locate(hass, server.url)
        entered = {"username": "u" * 256, "password": "p"}
        result = await submit(hass, result, **entered)
        assert result["errors"] == {"username": "text_too_long"}
        assert suggested(result) == entered
        result = await submit(hass, result, username="u", password="p")
        result = await enter(hass, result, database="missing")
        assert result["step_id"] == "missing_database"
        result = await choose(hass, result, "change_address")
        result = await locate(hass, server.url, result=result)
        assert suggested(result) == {"username": "u", "password": "p"}
        result = await enter(hass, result, username="u", database="home_assistant")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["password"] == "p"


async def test_a_password_that_was_refused_is_not_used_for_another_try(
    hass: HomeAssistant,
) -> None:
    async with Emulator(profile=V1_13) as server:
        server.allowed = {"Basic dTpw"}
        result = await enter(
            hass,
            await locate(hass, server.url),
            username="u",
            password="old",
            database="home_assistant",
        )
        assert result["errors"] == {"base": "invalid_auth"}
        before = len(server.seen)
        await enter(hass, result, username="u", database="home_assistant")
        assert [seen.headers["Authorization"] for seen in server.seen[before:]] == ["Basic dTo="]


@pytest.mark.parametrize("profile", [V1_13, V2_7, V3, VM_NEW], ids=lambda each: each.dialect)
async def test_stored_credentials_are_never_sent_to_another_server(
    hass: HomeAssistant, server: Emulator, profile: Profile
) -> None:
    entry = await connected(hass, server, token="s3cret-token", password="s3cret-pass")
    async with Emulator(profile=profile) as other:
        result = await locate(
            hass,
            other.url,
            result=await entry.start_reconfigure_flow(hass),
            dialect=profile.dialect,
        )
        assert result["step_id"] == profile.dialect
        names = ("username", "org", "bucket", "database")
        secrets = {"token": ""} if profile is V2_7 else {}
        result = await enter(hass, result, **dict.fromkeys(names, "home_assistant"), **secrets)

        assert other.seen
        assert [
            seen.headers["Authorization"]
            for seen in other.seen
            if any(
                secret in unveiled(seen.headers.get("Authorization", ""))
                for secret in ("s3cret-token", "s3cret-pass")
            )
        ] == []
        if profile is V2_7:
            assert result["errors"] == {"token": "required"}
        assert "s3cret" not in str(result)


async def test_another_scheme_is_another_server(hass: HomeAssistant, server: Emulator) -> None:
    """What was given for an encrypted connection is not sent where anybody can read it."""
    entry = await connected(hass, server, token="s3cret-token")
    secure = server.url.replace("http://", "https://")
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": secure})
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert result["step_id"] == "v2"
    result = await enter(hass, result, **{**V2_INPUT, "token": ""})
    assert result["errors"] == {"token": "required"}


async def test_what_was_entered_for_one_server_is_not_sent_to_the_next(
    hass: HomeAssistant,
) -> None:
    async with Emulator(profile=V3) as first, Emulator(profile=V3) as second:
        first.allowed = {"Bearer for-the-first"}
        result = await locate(hass, first.url, result=await begin(hass))
        result = await submit(hass, result, token="for-the-first")
        first.impostor = PAGE
        result = await submit(hass, result, database="ha")
        assert (result["step_id"], result["errors"]) == ("user", {"url": "proxy"})
        result = await locate(hass, second.url, result=result)
        assert suggested(result)["token"] == ""
        await enter(hass, result, database="home_assistant")
        assert second.writes
        assert ["for-the-first" in str(seen.headers) for seen in second.seen] == [
            False for _ in second.seen
        ]


async def test_what_was_entered_still_counts_after_the_address_was_looked_at(
    hass: HomeAssistant,
) -> None:
    async with Emulator(profile=V3) as server:
        server.allowed = {"Bearer fresh"}
        result = await submit(hass, await locate(hass, server.url), token="fresh")
        server.impostor = PAGE
        result = await submit(hass, result, database="ha")
        assert (result["step_id"], result["errors"]) == ("user", {"url": "proxy"})
        server.impostor = None
        result = await locate(hass, server.url, result=result)
        result = await enter(hass, result, database="home_assistant")
        assert result["data"]["token"] == "fresh"


async def test_reconfigure_corrects_an_unusable_address(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server, url="ftp://nowhere", token="s3cret-token")
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert result["step_id"] == "v2"
    result = await enter(hass, result, **V2_INPUT)
    assert result["reason"] == "reconfigure_successful"


async def test_a_form_with_nothing_stored_does_not_offer_to_keep_it(
    hass: HomeAssistant, server: Emulator
) -> None:
    entry = await connected(hass, server, token="")
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert result["step_id"] == "v2"
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": "good"})
    result = await locate(hass, server.url, result=await entry.start_reconfigure_flow(hass))
    assert result["step_id"] == "v2_again"
