"""Names that are offered, and what is created because it does not exist yet."""

from typing import Any

import pytest
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.emulator import V1_13, V2_7, V3, Answer, Emulator, Profile

from .steps import V2_INPUT, choose, enter, locate, submit, suggested, told
from .test_words import explained

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")

NEW: list[tuple[Profile, dict[str, str], str]] = [
    (V1_13, {"database": "new home"}, "database"),
    (V1_13, {"database": "home_assistant", "retention_policy": "a_year"}, "retention_policy"),
    (V2_7, {**V2_INPUT, "bucket": "new home"}, "bucket"),
    (V3, {"database": "new_home"}, "database"),
]
CREATED = {"v1": "DURATION 30d", "v2": 30 * 86_400, "v3": "30d"}


def offered(result: ConfigFlowResult, key: str) -> list[str]:
    """Read the names among which one may choose."""
    schema = result["data_schema"]
    assert schema
    names: list[str] = schema.schema[key].config.get("options", [])
    return names


async def test_what_the_token_may_list_is_offered(hass: HomeAssistant, server: Emulator) -> None:
    server.names["bucket"] |= {"Attic", "zoo"}
    result = await submit(hass, await locate(hass, server.url), token="good")
    assert offered(result, "org") == ["home"]
    assert offered(result, "bucket") == ["Attic", "home_assistant", "zoo"]
    # The only organization is chosen already.
    assert suggested(result) == {"org": "home", "bucket": "home_assistant"}


@pytest.mark.parametrize("profile", [V1_13, V3], ids=lambda each: each.dialect)
async def test_what_a_server_lists_is_offered(hass: HomeAssistant, profile: Profile) -> None:
    async with Emulator(profile=profile) as server:
        server.names["db"] |= {"attic"}
        result = await submit(hass, await locate(hass, server.url))
        assert offered(result, "database") == ["attic", "home_assistant"]
        if profile is V1_13:
            assert offered(result, "retention_policy") == ["autogen", "other"]


async def test_the_first_database_of_a_server_is_created_once(hass: HomeAssistant) -> None:
    async with Emulator(profile=V3) as server:
        server.names["db"].clear()
        result = await enter(hass, await locate(hass, server.url), database="new_home")
        assert result["step_id"] == "missing_database"
        # As a browser does that opens the dialogue again.
        again = await hass.config_entries.flow.async_configure(result["flow_id"])
        assert again["menu_options"] == result["menu_options"]
        result = await choose(hass, result, "create_database")
        result = await submit(hass, result, retention_days=30)
        assert result["step_id"] == "profile"
        assert server.names["db"] == {"new_home"}


async def test_the_names_are_still_offered_to_a_browser_that_opens_the_dialogue_again(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await submit(hass, await locate(hass, server.url), token="good")
    again = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert offered(again, "bucket") == ["home_assistant"]


async def test_where_nothing_may_be_listed_the_names_are_typed(
    hass: HomeAssistant, server: Emulator
) -> None:
    server.administration.may_list = False
    result = await submit(hass, await locate(hass, server.url), token="good")
    assert (offered(result, "org"), offered(result, "bucket")) == ([], [])
    result = await enter(hass, result, org="home", bucket="home_assistant")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(("profile", "entered", "kind"), NEW)
async def test_a_name_that_is_new_is_created_with_a_retention(
    hass: HomeAssistant, profile: Profile, entered: dict[str, str], kind: str
) -> None:
    async with Emulator(profile=profile) as server:
        result = await enter(hass, await locate(hass, server.url), **entered)
        explained(result, f"missing_{kind}")
        result = await choose(hass, result, f"create_{kind}")
        explained(result, f"create_{kind}")
        assert told(result)["name"].replace("\\", "") in entered.values()
        assert not server.administration.created
        result = await enter(hass, result, retention_days=30)
        ((_, how),) = server.administration.created

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert {key: result["data"][key] for key in entered} == entered
    expected = CREATED[profile.dialect]
    assert how == expected or str(expected) in str(how)


async def test_the_retention_is_a_year_unless_said_otherwise_and_0_is_for_ever(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new home"})
    result = await choose(hass, result, "create_bucket")
    schema = result["data_schema"]
    assert schema
    assert schema({}) == {"retention_days": 365, "daily_summary": False}
    await enter(hass, result, retention_days=0)
    assert server.administration.created == [("new home", 0)]


@pytest.mark.parametrize("days", [-1, 36_501, 1e21, float("nan"), float("inf")])
async def test_a_retention_beyond_the_bounds_is_refused(
    hass: HomeAssistant, server: Emulator, days: float
) -> None:
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new"})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=days)
    assert result["errors"] == {"retention_days": "out_of_range"}
    assert (told(result)["min"], told(result)["max"]) == ("0", "36\u202f500")
    assert not server.administration.created


async def test_a_daily_summary_is_a_bucket_of_five_years_and_a_task(
    hass: HomeAssistant, server: Emulator
) -> None:
    hass.config.time_zone = "Europe/Berlin"
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new"})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1, daily_summary=True)
    assert result["step_id"] == "profile"
    assert server.administration.created == [("new", 86_400), ("new_daily", 1_826 * 86_400)]
    (task,) = server.administration.tasks
    assert 'from(bucket: "new")' in task
    assert 'to(bucket: "new_daily", org: "home")' in task
    assert 'timezone.location(name: "Europe/Berlin")' in task


async def test_without_its_daily_summary_a_bucket_can_be_used_once_the_summary_is_switched_off(
    hass: HomeAssistant, server: Emulator
) -> None:
    server.administration.may_add_tasks = False
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new"})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1, daily_summary=True)
    assert (result["step_id"], result["errors"]) == (
        "create_bucket",
        {"base": "summary_not_created"},
    )
    assert "write:orgs/x/tasks is unauthorized" in told(result)["detail"]
    result = await submit(hass, result, retention_days=1, daily_summary=False)
    assert result["step_id"] == "profile"
    assert server.administration.tasks == []


async def test_what_exists_already_is_taken_as_it_is(hass: HomeAssistant, server: Emulator) -> None:
    server.names["bucket"].add("new_daily")
    server.administration.tasks.append("HA Ingestor: daily summary of new")
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new"})
    result = await choose(hass, result, "create_bucket")
    server.names["bucket"].add("new")
    result = await submit(hass, result, retention_days=1, daily_summary=True)
    assert result["step_id"] == "profile"
    assert not server.administration.created
    assert len(server.administration.tasks) == 1


REFUSALS: list[tuple[Profile, dict[str, str], str]] = [
    (V1_13, {"database": "new"}, "database"),
    (V2_7, {**V2_INPUT, "bucket": "new"}, "bucket"),
    (V3, {"database": "new"}, "database"),
]


@pytest.mark.parametrize(("profile", "entered", "kind"), REFUSALS)
async def test_credentials_that_may_not_create_are_said_to_and_another_name_can_be_chosen(
    hass: HomeAssistant, profile: Profile, entered: dict[str, str], kind: str
) -> None:
    async with Emulator(profile=profile) as server:
        server.administration.may_create = False
        result = await enter(hass, await locate(hass, server.url), **entered)
        result = await choose(hass, result, f"create_{kind}")
        result = await submit(hass, result, retention_days=1)
        explained(result, "may_not_create")
        assert told(result)["name"] == "new"
        result = await choose(hass, result, "choose")
        known = {key: entered[key] for key in suggested(result) if key in entered}
        result = await enter(hass, result, **known | {kind: "home_assistant"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_reason_of_the_server_is_shown_as_text(
    hass: HomeAssistant, server: Emulator
) -> None:
    name = 'a "b" ![](http://x.invalid/)'
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": name})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1)
    explained(result, "not_created")
    assert "is invalid" in told(result)["detail"]
    assert not set("[]<>`") & set(told(result)["detail"])
    assert "![]" not in told(result)["name"]
    assert "](" not in told(result)["name"]


@pytest.mark.parametrize("days", [1.5, 0.5])
async def test_a_retention_that_is_no_whole_number_of_days_is_refused(
    hass: HomeAssistant, server: Emulator, days: float
) -> None:
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new home"})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=days)
    assert result["errors"] == {"retention_days": "not_whole"}
    assert not server.administration.created


async def test_after_a_name_that_was_not_created_another_one_can_be_entered(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": 'a"b'})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1)
    explained(result, "not_created")
    again = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert (again["step_id"], told(again)) == (result["step_id"], told(result))
    result = await choose(hass, result, "choose")
    assert suggested(result) == {"org": "home", "bucket": 'a"b'}
    result = await submit(hass, result, org="home", bucket="another")
    result = await choose(hass, result, "create_bucket")
    result = await enter(hass, result, retention_days=1)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["bucket"] == "another"


async def test_what_the_user_created_meanwhile_is_found_when_it_is_tried_again(
    hass: HomeAssistant, server: Emulator
) -> None:
    server.administration.may_create = False
    result = await enter(hass, await locate(hass, server.url), **{**V2_INPUT, "bucket": "new"})
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1)
    result = await choose(hass, result, "try_again")
    assert result["step_id"] == "missing_bucket"
    result = await choose(hass, result, "create_bucket")
    result = await submit(hass, result, retention_days=1)
    server.names["bucket"].add("new")
    result = await choose(hass, result, "try_again")
    assert result["step_id"] == "profile"


async def test_a_token_that_may_not_write_can_be_replaced_or_be_given_the_permission(
    hass: HomeAssistant, server: Emulator
) -> None:
    server.read_only = {"Token reader"}
    result = await locate(hass, server.url)
    result = await enter(hass, result, **{**V2_INPUT, "token": "reader"})
    explained(result, "may_not_write")
    assert told(result)["name"] == "home_assistant"
    assert "insufficient permissions" in told(result)["detail"]
    result = await choose(hass, result, "try_again")
    assert result["step_id"] == "may_not_write"

    # The token that was refused is not sent once more by leaving the field empty.
    result = await choose(hass, result, "credentials")
    assert suggested(result) == {"token": ""}
    result = await submit(hass, result, token="good")
    assert suggested(result) == {"org": "home", "bucket": "home_assistant"}
    result = await enter(hass, result, org="home", bucket="home_assistant")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"] == "good"


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("bucket", "b" * 256, "text_too_long"),
        ("org", "o" * 256, "text_too_long"),
        ("bucket", "a\nb", "control_characters"),
        ("bucket", "a\u2028b", "control_characters"),
        ("org", "\ud800", "control_characters"),
        ("token", "t" * 4_097, "secret_too_long"),
        ("token", "a\x00b", "control_characters"),
        ("token", "tök", "invalid_auth"),
        ("token", "t\U0001f600", "invalid_auth"),
    ],
)
async def test_a_text_that_no_server_takes_is_refused_at_once(
    hass: HomeAssistant, server: Emulator, field: str, text: str, error: str
) -> None:
    result = await locate(hass, server.url)
    before = len(server.seen)
    entered: dict[str, Any] = {**V2_INPUT, field: text}
    result = await enter(hass, result, **entered)
    assert result["errors"] == {field: error}
    assert not any(seen.path == "/api/v2/write" for seen in server.seen[before:])
    assert suggested(result)[field] == text


async def test_credentials_never_go_where_a_redirect_leads(hass: HomeAssistant) -> None:
    async with Emulator(profile=V2_7) as server, Emulator(profile=V2_7) as other:
        result = await locate(hass, server.url)
        server.impostor = Answer(status=307, headers={"Location": f"{other.url}/api/v2/buckets"})
        result = await submit(hass, result, token="s3cret-token")
        assert (result["step_id"], result["errors"]) == ("user", {"url": "redirect"})
        assert other.seen == []
        assert "s3cret" not in str(result)


async def test_a_wrong_choice_does_not_lose_the_earlier_ones(
    hass: HomeAssistant, server: Emulator
) -> None:
    result = await submit(hass, await locate(hass, server.url), token="good")
    result = await submit(hass, result, org="home", bucket="home_assistant")
    explained(result, "profile")
    result = await choose(hass, result, "choose")
    assert suggested(result) == {"org": "home", "bucket": "home_assistant"}
    result = await submit(hass, result, org="home", bucket="home_assistant")
    result = await choose(hass, result, "change_address")
    assert suggested(result)["url"] == server.url
    result = await locate(hass, server.url, result=result)
    assert suggested(result) == {"token": "good"}
    result = await enter(hass, result, token="good", org="home", bucket="home_assistant")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("profile", ["homeiq", "tidy", "core"])
async def test_the_profile_is_stored_with_the_entry(
    hass: HomeAssistant, server: Emulator, profile: str
) -> None:
    result = await submit(hass, await locate(hass, server.url), token="good")
    result = await submit(hass, result, org="home", bucket="home_assistant")
    result = await choose(hass, result, f"profile_{profile}")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].options == {"points": {"profile": profile}}
