"""Adding another Home Assistant in the dialogue, against one that answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.flows.remote import RemoteFlow
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, set_up, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

ENCRYPTION = {"verify_ssl": True}
ALL: dict[str, Any] = {"include": {}, "exclude": {}}


@pytest.fixture(name="home")
async def _home(socket_enabled: None) -> AsyncIterator[Home]:
    async with Home() as home:
        home.entries = [
            {"entry_id": "newer", "domain": "sun", "title": "Sun", "created_at": 2.0},
            {"entry_id": "oldest", "domain": "met", "title": "Met", "created_at": 1.0},
        ]
        home.areas = [{"area_id": "attic", "name": "Attic"}]
        home.register("sensor.a", area_id="attic")
        yield home


@pytest.fixture(name="loaded")
async def _loaded(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MockConfigEntry]:
    await set_up(hass, entry)
    yield entry
    await deliver(hass, entry)


async def begin(hass: HomeAssistant, entry: MockConfigEntry, **more: Any) -> Any:
    context: Any = {"source": "user", **more}
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "remote"), context=context
    )


async def submit(hass: HomeAssistant, result: Any, **entered: Any) -> Any:
    assert result["type"] is FlowResultType.FORM, result
    return await hass.config_entries.subentries.async_configure(result["flow_id"], entered)


async def address(hass: HomeAssistant, result: Any, url: str, token: str = "good") -> Any:  # noqa: S107
    return await submit(hass, result, url=url, token=token, advanced=ENCRYPTION)


async def added(hass: HomeAssistant, entry: MockConfigEntry, home: Home) -> ConfigSubentry:
    result = await address(hass, await begin(hass, entry), home.url)
    result = await submit(hass, result, name="cabin", attempts=0, **ALL)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    found: list[ConfigSubentry] = list(entry.get_subentries_of_type("remote"))
    return found[0]


def link_of(entry: MockConfigEntry) -> Any:
    return entry.runtime_data.remotes.all[0].link


async def test_what_is_no_certificate_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    entered = {**ENCRYPTION, "ca_certificate": "no certificate"}
    result = await begin(hass, loaded)
    result = await submit(hass, result, url=home.url, token="good", advanced=entered)
    assert result["errors"] == {"base": "invalid_certificate"}
    assert not result["data_schema"].schema["advanced"].options["collapsed"]
    result = await address(hass, result, home.url)
    assert result["step_id"] == "capture"


async def test_a_home_is_added_and_followed_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    result = await begin(hass, loaded)
    result = await address(hass, result, f" {home.url}/lovelace/0?edit=1 ", " good ")
    assert result["step_id"] == "capture"
    assert result["description_placeholders"]["location"] == "Cabin"
    form = result["data_schema"]
    areas = form.schema["exclude"].schema.schema["areas"].config["options"]
    assert areas == [{"value": "attic", "label": "Attic"}]
    result = await submit(
        hass,
        result,
        name=" cabin ",
        attempts=5,
        include={},
        exclude={"areas": ["attic"], "domains": ["Update "]},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    subentry = next(iter(loaded.get_subentries_of_type("remote")))
    assert (subentry.title, subentry.unique_id) == ("cabin", "oldest")
    data = dict(subentry.data)
    chosen = data.pop("filter")
    assert data == {
        "url": home.url,
        "token": "good",
        "name": "cabin",
        "attempts": 5,
        "verify_ssl": True,
        "ca_certificate": "",
    }
    assert (chosen["areas"], chosen["domains"]) == (["attic"], ["update"])
    await until(lambda: link_of(loaded).health.state.connected)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://host", "invalid_url"),
        ("http://user:secret@host", "url_credentials"),
        ("http://127.0.0.1:9", "unreachable"),
    ],
)
async def test_an_address_that_cannot_be_used_is_shown_there(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home, url: str, error: str
) -> None:
    result = await address(hass, await begin(hass, loaded), url)
    assert result["errors"] == {"url": error}
    result = await address(hass, result, home.url)
    assert result["step_id"] == "capture"


async def test_a_wrong_token_is_shown_at_the_token_and_tried_once(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    url = f"{home.url}/lovelace"  # two places to look at
    result = await address(hass, await begin(hass, loaded), url, "wrong")
    assert result["errors"] == {"token": "invalid_auth"}
    assert home.logins == ["wrong"]


async def test_this_home_and_one_that_is_there_already_are_not_added(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    known, home.entries = home.entries, [{"entry_id": loaded.entry_id, "domain": DOMAIN}]
    result = await address(hass, await begin(hass, loaded), home.url)
    assert result["errors"] == {"url": "this_home"}
    home.entries = known
    result = await address(hass, result, home.url)
    result = await submit(hass, result, name="cabin", attempts=0, **ALL)
    await hass.async_block_till_done()
    result = await address(hass, await begin(hass, loaded), home.url)
    assert result["errors"] == {"url": "already_added"}


@pytest.mark.parametrize(
    ("entered", "errors"),
    [
        ({"name": "  "}, {"name": "name_not_possible"}),
        ({"name": "a/b"}, {"name": "name_not_possible"}),
        ({"name": "a\x0bb"}, {"name": "name_not_possible"}),
        ({"name": "x" * 65}, {"name": "name_not_possible"}),
        ({"name": "taken"}, {"name": "name_taken"}),
        ({"name": "b", "exclude": {"globs": ["*"]}}, {"exclude": "fits_everything"}),
        ({"name": "b", "include": {"entities": ["nothing"]}}, {"include": "not_an_entity_id"}),
        ({"name": "b", "attempts": 10**9}, {"attempts": "out_of_range"}),
    ],
)
async def test_what_cannot_be_captured_is_shown_where_it_was_entered(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    home: Home,
    entered: dict[str, Any],
    errors: dict[str, str],
) -> None:
    async with Home() as other:
        result = await address(hass, await begin(hass, loaded), other.url)
        result = await submit(hass, result, name="taken", attempts=0, **ALL)
        await hass.async_block_till_done()
        result = await address(hass, await begin(hass, loaded), home.url)
        result = await submit(hass, result, **{"attempts": 0, **ALL, **entered})
        assert result["errors"] == errors
        result = await submit(hass, result, name="fine", attempts=0, **ALL)
        assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_home_is_changed_without_entering_the_token_again(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    subentry = await added(hass, loaded, home)
    await until(lambda: link_of(loaded).health.state.connected)
    result = await begin(hass, loaded, source="reconfigure", subentry_id=subentry.subentry_id)
    assert "good" not in str(result["data_schema"].schema)
    result = await submit(hass, result, url=home.url, advanced=ENCRYPTION)
    result = await submit(hass, result, name="hut", attempts=0, **ALL)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await hass.async_block_till_done()
    [changed] = loaded.get_subentries_of_type("remote")
    assert (changed.title, changed.data["token"]) == ("hut", "good")
    await until(lambda: link_of(loaded).health.state.connected)
    # At another place the token is not presented without being entered.
    async with Home() as other:
        result = await begin(hass, loaded, source="reconfigure", subentry_id=subentry.subentry_id)
        await submit(hass, result, url=other.url, advanced=ENCRYPTION)
        assert "good" not in other.logins


async def test_a_refused_token_is_repaired_with_another_one(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    subentry = await added(hass, loaded, home)
    await until(lambda: link_of(loaded).health.state.connected)
    home.token = "new"
    await home.drop()
    issue_id = f"remote_unauthorized_{loaded.entry_id}_{subentry.subentry_id}"
    registry = ir.async_get(hass)
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id))
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue
    assert issue.is_fixable

    from custom_components.ha_ingestor.repairs import async_create_fix_flow  # noqa: PLC0415

    flow = await async_create_fix_flow(hass, issue_id, issue.data)
    flow.hass = hass
    result: Any = await flow.async_step_init()  # type: ignore[attr-defined]
    assert result["type"] is FlowResultType.FORM
    result = await flow.async_step_confirm({"token": "worse"})  # type: ignore[attr-defined]
    assert result["errors"] == {"base": "invalid_auth"}
    result = await flow.async_step_confirm({"token": "new"})  # type: ignore[attr-defined]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    await until(lambda: link_of(loaded).health.state.connected)
    assert registry.async_get_issue(DOMAIN, issue_id) is None


async def test_what_was_given_up_is_tried_again_on_request(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    home: Home,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from custom_components.ha_ingestor.repairs import async_create_fix_flow  # noqa: PLC0415
    from custom_components.ha_ingestor.sources.remote import link  # noqa: PLC0415

    monkeypatch.setattr(link, "backoff", lambda *_: 0.01)
    subentry = await added(hass, loaded, home)
    hass.config_entries.async_update_subentry(
        loaded, subentry, data={**subentry.data, "attempts": 2}
    )
    await hass.async_block_till_done()
    await until(lambda: link_of(loaded).health.state.connected)
    await home.stop()
    issue_id = f"remote_given_up_{loaded.entry_id}_{subentry.subentry_id}"
    registry = ir.async_get(hass)
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id))
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue
    flow = await async_create_fix_flow(hass, issue_id, issue.data)
    flow.hass = hass
    result: Any = await flow.async_step_confirm({})  # type: ignore[attr-defined]
    assert result["errors"] == {"base": "unreachable"}
    await home.start()
    result = await flow.async_step_confirm({})  # type: ignore[attr-defined]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: link_of(loaded).health.state.connected)
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id) is None)


async def test_what_is_captured_is_not_asked_before_the_home_was_found() -> None:
    result: Any = await RemoteFlow().async_step_capture()
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_found")


async def test_the_repair_of_a_home_that_is_gone_or_was_changed_does_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    from custom_components.ha_ingestor.repairs import async_create_fix_flow  # noqa: PLC0415

    subentry = await added(hass, loaded, home)
    issue_id = f"remote_unauthorized_{loaded.entry_id}_{subentry.subentry_id}"
    registry = ir.async_get(hass)
    home.token = "new"
    await home.drop()
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id))
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue
    flow: Any = await async_create_fix_flow(hass, issue_id, issue.data)
    flow.hass = hass
    assert (await flow.async_step_init())["type"] is FlowResultType.FORM

    odd = {**subentry.data, "ca_certificate": "no certificate"}
    hass.config_entries.async_update_subentry(loaded, subentry, data=odd)
    result = await flow.async_step_confirm({"token": "new"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")

    hass.config_entries.async_remove_subentry(loaded, subentry.subentry_id)
    result = await flow.async_step_confirm({"token": "new"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    assert "new" not in home.logins


@pytest.mark.parametrize(
    "case",
    [
        ("get_config", []),
        ("get_config", None),
        ("config/entity_registry/get_entries", ["sensor.a"]),
    ],
)
async def test_an_unexpected_answer_of_a_remote_home_is_an_error_at_its_address(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home, case: tuple[str, Any]
) -> None:
    command, answer = case
    home.answers[command] = lambda _: answer
    result = await address(hass, await begin(hass, loaded), home.url)
    assert result["errors"] == {"url": "protocol_error"}


async def test_the_unique_id_of_a_remote_home_is_cut(
    hass: HomeAssistant, loaded: MockConfigEntry, home: Home
) -> None:
    home.entries = [{"entry_id": "E" * 100_000, "domain": "met", "title": "", "created_at": 1.0}]
    subentry = await added(hass, loaded, home)
    assert subentry.unique_id == "E" * 64
