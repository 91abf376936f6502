"""The diagnostics of a destination: what became of every point, and no private data."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from unittest.mock import AsyncMock

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from tests.emulator import Answer, Emulator, Fault
from tests.shell import NOWHERE, new_entry, set_up, until
from tests.shown import reading, settle
from tests.tls import Authority

BUSY = Answer(status=503, body='{"error":"timeout"}')


async def diagnostics(
    hass: HomeAssistant, client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Download the diagnostics of an entry."""
    assert await async_setup_component(hass, "diagnostics", {})
    reply = await (await client()).get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert reply.status == HTTPStatus.OK
    data: dict[str, Any] = (await reply.json())["data"]
    return data


def assert_balanced(ledger: dict[str, Any], pending: int) -> None:
    """Every point is accounted for, once."""
    filtered, lost = sum(ledger["filtered"].values()), sum(ledger["lost"].values())
    counted = filtered + ledger["deduplicated"] + ledger["captured"]
    assert ledger["received"] == counted + ledger["waiting"]
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"] + lost
    assert ledger["captured"] == settled + pending


@pytest.mark.usefixtures("everything_shown")
async def test_the_ledger_balances_whatever_became_of_the_points(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    hass_client: ClientSessionGenerator,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.written", "text")
    await settle(hass, entry)
    database.types["home_assistant_events", "value"] = str
    hass.states.async_set("sensor.refused", "1")
    await settle(hass, entry)
    database.impostor = BUSY
    hass.states.async_set("sensor.pending", "text")
    await settle(hass, entry)

    data = await diagnostics(hass, hass_client, entry)
    ledger = data["ledger"]
    assert ledger["balanced"] is True
    fates = {key: ledger[key] for key in ("written", "quarantined", "pending", "evicted", "lost")}
    assert fates == {"written": 1, "quarantined": 1, "pending": 1, "evicted": 0, "lost": {}}
    assert ledger["filtered"]["own_entity"] > 0
    assert_balanced(ledger, ledger["pending"])
    top_entities = {each["subject"] for each in data["chatty_entities"]["by_points"]}
    assert top_entities == {"sensor.refused", "sensor.pending", "sensor.written"}

    await entry.runtime_data.coordinator.async_refresh()
    shown: dict[str, Any] = {
        fate: int(reading(hass, entry, f"points_{fate}").state)
        for fate in ("captured", "written", "quarantined", "evicted", "deduplicated")
    }
    for fate in ("filtered", "lost"):
        state = reading(hass, entry, f"points_{fate}")
        shown[fate] = state.attributes["reasons"]
        assert int(state.state) == sum(shown[fate].values())
    shown |= {
        name: reading(hass, entry, "points_captured").attributes[name]
        for name in ("received", "waiting")
    }
    assert_balanced(shown, reading(hass, entry, "backlog").attributes["pending"])
    assert shown["written"] == 1


@pytest.mark.usefixtures("everything_shown")
@pytest.mark.parametrize(("waiting", "is_balanced"), [(2, True), (1, False)])
async def test_what_waits_is_part_of_what_was_received(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    *,
    waiting: int,
    is_balanced: bool,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    pipeline = entry.runtime_data.pipeline
    snapshot = await pipeline.snapshot()
    counts = {"filtered": {"a": 3}, "deduplicated": 4, "captured": 5, "written": 1}
    counts |= {"quarantined": 1, "evicted": 1, "lost": {"killed": 1}}
    ledger = {**snapshot.ledger, **counts, "received": 14, "waiting": waiting}
    known = replace(snapshot, ledger=ledger, pending=1)
    monkeypatch.setattr(pipeline, "snapshot", AsyncMock(return_value=known))
    await entry.runtime_data.coordinator.async_refresh()

    attributes = reading(hass, entry, "points_captured").attributes
    assert (attributes["received"], attributes["waiting"]) == (14, waiting)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["ledger"]["waiting"] == waiting
    assert told["ledger"]["balanced"] is is_balanced


async def test_diagnostics_tell_neither_credentials_nor_the_address(
    hass: HomeAssistant,
    database: Emulator,
    hass_client: ClientSessionGenerator,
    authority: Authority,
) -> None:
    secrets = {"token": "t0ken", "username": "adam", "password": "pa55"}
    entry = new_entry(database.url, ca_certificate=authority.pem, **secrets)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    text = json.dumps(await diagnostics(hass, hass_client, entry))
    assert "home_assistant" in text
    assert [
        secret for secret in (*secrets.values(), "127.0.0.1", "CERTIFICATE") if secret in text
    ] == []


async def test_diagnostics_of_an_unreachable_database_do_not_tell_the_address(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    data = await diagnostics(hass, hass_client, entry)
    assert data["health"]["export"]["problem"] == "unreachable"
    assert "127.0.0.1" not in json.dumps(data)


LEAKY = (
    '{"error":"partial write: unable to parse \'a latitude=52.520008,longitude=13.404954,'
    "password=pa55word': token t0ken-of-adam field type conflict dropped=1\"}"
)


SECRETS = ("52.520008", "13.404954", "pa55word", "t0ken-of-adam", "not_home", "Elm", "s3ssion")


async def test_a_refused_point_leaks_nothing_to_diagnostics_log_or_attributes(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    entry.add_to_hass(hass)
    options = {"attributes": {"coordinates": True}}
    hass.config_entries.async_update_entry(entry, options=options)
    hass.config.location_name = "Elm Street 5"
    place = {"latitude": 52.520008, "longitude": 13.404954}
    hass.states.async_set("device_tracker.a", "not_home", place)
    refusal = Answer(status=400, body=LEAKY)
    database.faults.append(Fault(answer=refusal, only=b"device_tracker.a"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.pipeline.ledger.quarantined)

    data = await diagnostics(hass, hass_client, entry)

    line = data["health"]["rejection"]["line"]
    assert "device_tracker.a" in line
    assert "attributes=" in line
    assert "field type conflict" in data["health"]["rejection"]["reason"]
    text = json.dumps(data)
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.usefixtures("everything_shown")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=302, headers={"Location": "https://login.example/a?session=s3ssion&x=1"}),
        Answer(status=302, headers={"Location": "/login?session=s3ssion"}),
        Answer(status=503, body=LEAKY),
        Answer(status=403, body=LEAKY),
    ],
)
async def test_the_answer_of_another_server_leaks_no_secret(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    database.impostor = answer
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    await hass.async_block_till_done()

    data = await diagnostics(hass, hass_client, entry)
    issues = [str(found.translation_placeholders) for found in ir.async_get(hass).issues.values()]
    states = [str(state.as_dict()) for state in hass.states.async_all()]
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert any("does not accept points" in message for message in logged)
    told = json.dumps([data, issues, states, logged])
    assert [secret for secret in SECRETS if secret in told] == []
