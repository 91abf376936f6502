"""What a user is asked to repair, and what happens when they agree."""

import errno
import re
from dataclasses import replace
from functools import partial
from html import unescape
from http import HTTPStatus
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from markdown_it import MarkdownIt
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from custom_components.ha_ingestor.health.issues.issues import BLOCKING_PROBLEMS
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.quarantine_jobs import QuarantineJobs
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from custom_components.ha_ingestor.repair_flows.destination import RepairDestination
from custom_components.ha_ingestor.repairs import async_create_fix_flow
from tests.emulator import Answer, Emulator, Fault
from tests.shell import points, set_up, until

CONFLICT = Answer(
    status=400,
    body='{"error":"partial write: field type conflict: input field \\"value\\" dropped=1"}',
)


def issue(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{entry.entry_id}_{key}")


async def repair(
    hass: HomeAssistant, client: ClientSessionGenerator, entry: MockConfigEntry, key: str
) -> dict[str, Any]:
    """Open an issue's dialogue as the frontend does, and agree."""
    assert await async_setup_component(hass, "repairs", {})
    await hass.async_block_till_done()
    http = await client()
    wanted = {"handler": DOMAIN, "issue_id": f"{entry.entry_id}_{key}"}
    reply = await http.post("/api/repairs/issues/fix", json=wanted)
    assert reply.status == HTTPStatus.OK
    form = await reply.json()
    assert form["step_id"] == "confirm"
    reply = await http.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert reply.status == HTTPStatus.OK
    result: dict[str, Any] = await reply.json()
    return result


async def test_a_missing_database_is_an_issue_until_it_is_there(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    database.names["db"].discard("home_assistant")
    hass.states.async_set("sensor.one", "1")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND))
    found = issue(hass, entry, Problem.DATABASE_NOT_FOUND)
    assert found
    assert found.is_fixable

    database.names["db"].add("home_assistant")
    entry.runtime_data.pipeline._exporter.retry_now()
    await until(lambda: points(database))
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND) is None)


async def test_a_database_that_cannot_be_created_is_said_so(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    hass.config.language = "de"
    database.administration.may_create = False
    database.names["db"].discard("home_assistant")
    hass.states.async_set("sensor.one", "1")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND))

    result = await repair(hass, hass_client, entry, Problem.DATABASE_NOT_FOUND)

    assert result["errors"] == {"base": "not_created"}
    # Not in the words of the code.
    assert result["description_placeholders"]["detail"].startswith("Keine Schreibberechtigung: ")
    assert issue(hass, entry, Problem.DATABASE_NOT_FOUND)


async def test_the_repair_names_what_is_missing_and_creates_it_with_a_retention(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    database.names["db"].discard("home_assistant")
    hass.states.async_set("sensor.one", "1")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND))

    flow = await async_create_fix_flow(
        hass, "", {"entry_id": entry.entry_id, "problem": Problem.DATABASE_NOT_FOUND}
    )
    assert isinstance(flow, RepairDestination)
    flow.hass = hass
    form = await flow.async_step_init()
    told = form["description_placeholders"]
    assert told
    assert told["name"].replace("\\", "") == "home_assistant"
    assert str(entry.data["url"]).rpartition(":")[2] in told["url"]
    schema = form["data_schema"]
    assert schema
    assert schema({}) == {"retention_days": 365}
    refused = await flow.async_step_confirm({"retention_days": 1e9})
    assert refused["errors"] == {"retention_days": "out_of_range"}
    assert not database.administration.created

    result = await repair(hass, hass_client, entry, Problem.DATABASE_NOT_FOUND)
    assert result["type"] == "create_entry"
    ((_, statement),) = database.administration.created
    assert statement == 'CREATE DATABASE "home_assistant" WITH DURATION 365d'
    await until(lambda: points(database))


async def test_a_refused_point_is_an_issue_that_names_entity_and_reason(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, entry)

    await until(lambda: issue(hass, entry, "quarantined"))
    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    assert found.translation_placeholders["entities"] == "sensor.odd"
    assert "field type conflict" in found.translation_placeholders["reason"]
    assert found.translation_placeholders["count"] == "1"


async def offers(
    hass: HomeAssistant, client: ClientSessionGenerator, entry: MockConfigEntry
) -> tuple[TestClient[Any, Any], dict[str, Any]]:
    """Open the dialogue about a refused point, as the frontend does."""
    await until(lambda: issue(hass, entry, "quarantined"))
    assert await async_setup_component(hass, "repairs", {})
    await hass.async_block_till_done()
    http = await client()
    wanted = {"handler": DOMAIN, "issue_id": f"{entry.entry_id}_quarantined"}
    reply = await http.post("/api/repairs/issues/fix", json=wanted)
    assert reply.status == HTTPStatus.OK
    menu: dict[str, Any] = await reply.json()
    assert menu["step_id"] == "init"
    return http, menu


async def choose(
    hass: HomeAssistant, http: TestClient[Any, Any], menu: dict[str, Any], offer: str
) -> None:
    """Take one of the offers, and let the entry reload if it does."""
    reply = await http.post(
        f"/api/repairs/issues/fix/{menu['flow_id']}", json={"next_step_id": offer}
    )
    assert reply.status == HTTPStatus.OK
    assert (await reply.json())["type"] == "create_entry"
    await hass.async_block_till_done()


async def test_an_entity_whose_points_are_refused_can_be_left_out(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, entry)
    http, menu = await offers(hass, hass_client, entry)
    # The field is not an attribute.
    assert menu["menu_options"] == ["exclude_entity", "replay", "purge", "dismiss"]
    assert menu["description_placeholders"]["entities"] == "sensor.odd"

    await choose(hass, http, menu, "exclude_entity")

    assert issue(hass, entry, "quarantined") is None
    assert entry.options["filter"]["entities"] == ["sensor.odd"]
    hass.states.async_set("sensor.odd", "2")
    hass.states.async_set("sensor.even", "2")
    await until(lambda: points(database, "sensor.even"))
    assert points(database, "sensor.odd") == []
    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "quarantined") is None


@pytest.mark.parametrize(
    ("profile", "field", "stored"),
    [
        ("homeiq", ("home_assistant_events", "attr_level"), ("attributes", "drop")),
        ("tidy", ("sensor", "level"), ("attributes", "drop")),
        ("core", ("sensor.odd", "level"), ("core", "ignore_attributes")),
    ],
)
async def test_an_attribute_that_is_refused_can_be_left_out(  # noqa: PLR0917
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
    profile: str,
    field: tuple[str, str],
    stored: tuple[str, str],
) -> None:
    entry.add_to_hass(hass)
    flat = {"shape": "flat", "drop": ["icon"]}
    options = {"attributes": flat, "points": {"profile": profile}}
    hass.config_entries.async_update_entry(entry, options=options)
    database.types[field] = str
    hass.states.async_set("sensor.odd", "1", {"level": 1})
    assert await hass.config_entries.async_setup(entry.entry_id)
    http, menu = await offers(hass, hass_client, entry)
    assert menu["menu_options"] == [
        *("ignore_attribute", "exclude_entity", "replay", "purge", "dismiss")
    ]
    assert menu["description_placeholders"]["attribute"] == "level"
    assert menu["description_placeholders"]["entities"] == "sensor.odd"

    await choose(hass, http, menu, "ignore_attribute")

    page, key = stored
    assert "level" in entry.options[page][key]
    assert entry.options["attributes"]["drop"][0] == "icon"
    hass.states.async_set("sensor.odd", "2", {"level": 2, "other": 1})
    await until(lambda: len(database.points) == 1)
    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "quarantined") is None


async def refused(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry, entities: tuple[str, ...]
) -> None:
    """Set a destination up whose database refuses a point of each of these entities."""
    await set_up(hass, entry)
    for number, entity_id in enumerate(entities, 1):
        database.faults.append(Fault(answer=CONFLICT, only=entity_id.encode()))
        hass.states.async_set(entity_id, "1")
        await entry.runtime_data.pipeline.flush()
        await until(partial(_quarantined, entry.runtime_data.pipeline, number))
    await entry.runtime_data.coordinator.async_refresh()


async def test_all_entities_with_refused_points_are_named_and_some_can_be_left_out(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    await refused(hass, database, entry, ("sensor.a", "sensor.b", "sensor.c"))
    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    assert found.translation_placeholders["entities"] == "sensor.c, sensor.b, sensor.a"
    http, menu = await offers(hass, hass_client, entry)
    url = f"/api/repairs/issues/fix/{menu['flow_id']}"
    form = await (await http.post(url, json={"next_step_id": "exclude_entity"})).json()
    assert form["step_id"] == "exclude_entity"

    result = await (await http.post(url, json={"entities": ["sensor.c", "sensor.a"]})).json()

    assert result["type"] == "create_entry"
    assert set(entry.options["filter"]["entities"]) == {"sensor.a", "sensor.c"}
    await hass.async_block_till_done()


@pytest.mark.parametrize(("choice", "arrived"), [("replay", 1), ("purge", 0)])
async def test_points_in_quarantine_can_be_delivered_or_deleted_in_the_repair(  # noqa: PLR0917
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
    choice: str,
    arrived: int,
) -> None:
    await refused(hass, database, entry, ("sensor.odd",))
    http, menu = await offers(hass, hass_client, entry)

    await choose(hass, http, menu, choice)

    assert issue(hass, entry, "quarantined") is None
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database, "sensor.odd")) == arrived)
    assert await entry.runtime_data.pipeline.quarantine.records() == []


@pytest.mark.parametrize("choice", ["replay", "purge"])
async def test_the_issue_stays_when_the_quarantine_cannot_be_emptied(  # noqa: PLR0917
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
) -> None:
    await refused(hass, database, entry, ("sensor.odd",))
    http, menu = await offers(hass, hass_client, entry)
    full = AsyncMock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(QuarantineJobs, choice, full)
    url = f"/api/repairs/issues/fix/{menu['flow_id']}"
    result = await (await http.post(url, json={"next_step_id": choice})).json()
    assert (result["type"], result["reason"]) == ("abort", "disk")
    assert issue(hass, entry, "quarantined")
    assert len(await entry.runtime_data.pipeline.quarantine.records()) == 1


async def test_what_is_known_of_the_newest_refused_point_needs_no_file(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await refused(hass, database, entry, ("sensor.a", "sensor.b"))
    unreadable = AsyncMock(side_effect=OSError(errno.EIO, "Input/output error"))
    monkeypatch.setattr(QuarantineJobs, "newest_records", unreadable)
    http, menu = await offers(hass, hass_client, entry)
    assert menu["description_placeholders"]["entities"] == "sensor.b"
    await choose(hass, http, menu, "exclude_entity")
    assert entry.options["filter"]["entities"] == ["sensor.b"]


async def test_a_quarantine_that_cannot_be_read_hides_no_repair_and_is_read_later(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unreadable = AsyncMock(side_effect=OSError(errno.EIO, "Input/output error"))
    with monkeypatch.context() as broken:
        broken.setattr(QuarantineJobs, "newest_records", unreadable)
        await refused(hass, database, entry, ("sensor.a", "sensor.b"))
        found = issue(hass, entry, "quarantined")
        assert found
        assert found.translation_placeholders
        assert found.translation_placeholders["entities"] == "sensor.b"

    await entry.runtime_data.coordinator.async_refresh()

    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    assert found.translation_placeholders["entities"] == "sensor.b, sensor.a"


async def test_with_nothing_refused_any_more_there_is_nothing_to_choose(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    """Somebody else was faster, in another window."""
    await refused(hass, database, entry, ("sensor.odd",))
    found = issue(hass, entry, "quarantined")
    assert found
    flow: Any = await async_create_fix_flow(hass, found.issue_id, found.data)
    flow.hass = hass
    await entry.runtime_data.coordinator.async_forget_rejection()
    result = await flow.async_step_init()
    assert (result["type"], result["reason"]) == ("abort", "nothing_refused")


@pytest.mark.parametrize(
    "choice", ["ignore_attribute", "exclude_entity", "replay", "purge", "dismiss"]
)
async def test_nothing_is_done_for_a_destination_that_was_removed_meanwhile(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
    choice: str,
) -> None:
    await refused(hass, database, entry, ("sensor.odd",))
    found = issue(hass, entry, "quarantined")
    assert found
    flow: Any = await async_create_fix_flow(hass, found.issue_id, found.data)
    flow.hass = hass
    assert (await flow.async_step_init())["step_id"] == "init"
    await hass.config_entries.async_remove(entry.entry_id)
    result = await getattr(flow, f"async_step_{choice}")()
    assert (result["type"], result["reason"]) == ("abort", "not_loaded")


async def test_the_words_of_a_database_are_shown_without_their_json(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await refused(hass, database, entry, ("sensor.odd",))
    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    shown = MarkdownIt().render(found.translation_placeholders["reason"])
    said = 'partial write: field type conflict: input field "value" dropped=1'
    assert unescape(shown) == f"<p>{said}</p>\n"


@pytest.mark.parametrize(
    ("answer", "key", "said"),
    [
        (Answer(status=403, body='{"error":"not for you"}'), "forbidden", "not for you"),
        (Answer(status=404, body='{"error":"database not found"}'), "database_not_found", ""),
    ],
)
async def test_what_blocks_delivery_is_an_error_that_names_database_server_and_reason(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    answer: Answer,
    key: str,
    said: str,
) -> None:
    database.impostor = answer
    hass.states.async_set("sensor.one", "1")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, key))
    found = issue(hass, entry, key)
    assert found
    assert found.severity is ir.IssueSeverity.ERROR
    assert found.translation_placeholders
    shown = unescape(" ".join(found.translation_placeholders.values())).replace("\\", "")
    assert database.url in shown
    assert "home_assistant" in shown
    assert said in shown


async def test_a_refused_point_that_was_taken_note_of_is_no_issue_until_the_next(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, entry)
    http, menu = await offers(hass, hass_client, entry)
    _, again = await offers(hass, hass_client, entry)

    await choose(hass, http, menu, "dismiss")

    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "quarantined") is None
    assert entry.options == {}
    assert len(await entry.runtime_data.pipeline.quarantine.records()) == 1

    hass.states.async_set("sensor.odd", "2")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await entry.runtime_data.pipeline.flush()
    await until(lambda: _quarantined(entry.runtime_data.pipeline, 2))
    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "quarantined")

    assert await hass.config_entries.async_unload(entry.entry_id)
    reply = await http.post(
        f"/api/repairs/issues/fix/{again['flow_id']}", json={"next_step_id": "exclude_entity"}
    )
    assert (await reply.json())["reason"] == "not_loaded"
    assert entry.options == {}


async def test_points_may_be_put_aside_although_nearly_all_are_refused(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    for number in range(30):
        hass.states.async_set(f"sensor.old_{number}", "1")
    for _ in range(200):
        database.faults.append(Fault(answer=CONFLICT))
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, Problem.REJECTION_SURGE))
    before = (await entry.runtime_data.pipeline.snapshot()).ledger["quarantined"]
    assert before < 30

    result = await repair(hass, hass_client, entry, Problem.REJECTION_SURGE)
    assert result["type"] == "create_entry"

    pipeline = entry.runtime_data.pipeline
    await until(lambda: _quarantined(pipeline, 30))


async def _quarantined(pipeline: Any, count: int) -> bool:
    ledger = (await pipeline.snapshot()).ledger
    return bool(ledger["quarantined"] >= count)


async def test_the_issues_of_a_destination_go_with_it(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    database.names["db"].discard("home_assistant")
    hass.states.async_set("sensor.one", "1")
    await set_up(hass, entry)
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND))

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    left = [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN]
    assert left == [f"{entry.entry_id}_points_deleted"]


@pytest.mark.parametrize("problem", [Problem.REJECTION_SURGE, "quarantined"])
async def test_a_destination_that_is_gone_is_not_repaired(
    hass: HomeAssistant, entry: MockConfigEntry, problem: str
) -> None:
    await set_up(hass, entry)
    flow: Any = await async_create_fix_flow(
        hass, "any", {"entry_id": entry.entry_id, "problem": problem}
    )
    flow.hass = hass
    await hass.config_entries.async_remove(entry.entry_id)
    result = await flow.async_step_init()
    assert (result["type"], result["reason"]) == ("abort", "not_loaded")


HOSTILE = (
    '{"error":"partial write: field type conflict: ![x](http://evil.example/x.png) '
    '[click](http://evil.example) <img src=http://evil.example/y.png> `code` dropped=1"}'
)


def assert_text(shown: str) -> None:
    """What a server said is there, and Markdown makes nothing of it; our own link is one."""
    shown, links = re.subn(r"\[[^\[\]]+\]\(/ha-ingestor/problems\?entry=\w+\)", "", shown)
    assert links == 1
    tokens = MarkdownIt("commonmark", {"html": True}).parse(shown)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inline)}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    said = "".join(child.content for child in inline)
    assert "![x](http://evil.example/x.png)" in said
    assert "<img src=http://evil.example/y.png>" in said


async def test_what_a_server_says_is_shown_as_text(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    entry: MockConfigEntry,
) -> None:
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=Answer(status=400, body=HOSTILE), only=b"sensor.odd"))
    await set_up(hass, entry)
    _, menu = await offers(hass, hass_client, entry)
    found = issue(hass, entry, "quarantined")
    assert found
    assert found.translation_placeholders
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    step = f"component.{DOMAIN}.issues.quarantined.fix_flow.step.init.description"
    for placeholders in (found.translation_placeholders, menu["description_placeholders"]):
        assert_text(texts[step].format(**placeholders))


async def test_what_a_user_called_a_destination_is_no_markup(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="![x](http://evil.example) <b>Attic</b>")
    database.names["db"].discard("home_assistant")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: issue(hass, entry, Problem.DATABASE_NOT_FOUND))
    found = issue(hass, entry, Problem.DATABASE_NOT_FOUND)
    assert found
    assert found.translation_placeholders
    title = found.translation_placeholders["title"]
    assert "Attic" in title
    assert [part for part in ("![", "](", "<", ">") if part in title] == []


async def test_an_error_of_our_own_in_the_spool_is_not_called_one_of_the_disk(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    with monkeypatch.context() as broken:
        broken.setattr(Spool, "append", lambda *_: 1 / 0)
        hass.states.async_set("sensor.a", "1")
        await entry.runtime_data.coordinator.async_refresh()
        problem = hass.states.get("sensor.attic_current_problem")
        assert problem
        assert problem.state == "internal_error"
        # Nothing that the user could repair.
        assert issue(hass, entry, "spool_error") is None
    await entry.runtime_data.coordinator.async_refresh()
    problem = hass.states.get("sensor.attic_current_problem")
    assert problem
    assert problem.state == "none"


async def test_a_ledger_that_does_not_add_up_is_to_be_reported(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    snapshot = await pipeline.snapshot()
    wrong = replace(snapshot, unbalanced="captured 5, settled 3, pending 1")
    monkeypatch.setattr(pipeline, "snapshot", AsyncMock(return_value=wrong))
    await entry.runtime_data.coordinator.async_refresh()

    found = issue(hass, entry, "ledger_unbalanced")
    assert found
    assert not found.is_fixable
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    text = texts[f"component.{DOMAIN}.issues.ledger_unbalanced.description"]
    assert "captured 5, settled 3, pending 1" in text.format(
        **(found.translation_placeholders or {})
    )
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["ledger"]["unbalanced"] == "captured 5, settled 3, pending 1"

    monkeypatch.setattr(pipeline, "snapshot", AsyncMock(return_value=snapshot))
    await entry.runtime_data.coordinator.async_refresh()
    assert issue(hass, entry, "ledger_unbalanced") is None


async def test_every_issue_has_its_texts(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    prefix = f"component.{DOMAIN}.issues"
    init = f"{prefix}.quarantined.fix_flow.step.init"
    for offer in ("exclude_entity", "ignore_attribute", "dismiss"):
        assert f"{init}.menu_options.{offer}" in texts
        assert f"{init}.menu_option_descriptions.{offer}" in texts
    for reason in ("not_loaded", "nothing_refused"):
        assert f"{prefix}.quarantined.fix_flow.abort.{reason}" in texts
    for key in (
        *BLOCKING_PROBLEMS,
        "spool_error",
        "spool_full",
        "no_deduplication",
        "ledger_unbalanced",
    ):
        assert f"{prefix}.{key}.title" in texts
        fixable = BLOCKING_PROBLEMS.get(key, False) if isinstance(key, Problem) else False
        if fixable:
            assert f"{prefix}.{key}.fix_flow.step.confirm.description" in texts
            assert f"{prefix}.{key}.fix_flow.abort.not_loaded" in texts
        else:
            assert f"{prefix}.{key}.description" in texts
