"""Secrets that are planted everywhere come out nowhere."""

import json
from http import HTTPStatus
from typing import Any, Final

import pytest
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Answer, Emulator, Fault
from tests.shell import NOWHERE, new_entry, until, unzipped

# Each has a place of its own, so that a leak names it.
SECRETS: Final = {
    "token of the entry": "s3cret-token-of-the-entry",
    "username": "s3cret-user",
    "password": "s3cret-password-of-the-entry",
    "tag among the options": "s3cret-in-a-fixed-tag",
    "key of the data-api": "s3cret-key-of-the-data-api",
    "attribute": "s3cret-in-an-attribute",
    "nested attribute": "s3cret-deep-in-an-attribute",
    "picture": "s3cret-in-a-picture",
    "state of a text entity": "s3cret-that-was-typed",
    "answer": "s3cret-in-an-answer",
    "user in an address": "s3cret-user-of-a-proxy",
    "password in an address": "s3cret-password-of-a-proxy",
    "session in an address": "s3cret-session",
    "place": "52.520008",
}

ECHO: Final = (
    f"bad request: Authorization: Token {SECRETS['token of the entry']}, "
    f"password={SECRETS['answer']}, "
    f"http://{SECRETS['user in an address']}:{SECRETS['password in an address']}@proxy.example/x"
    f"?session={SECRETS['session in an address']} for latitude={SECRETS['place']}"
)
PLACE: Final = (
    f"https://{SECRETS['user in an address']}:{SECRETS['password in an address']}@login.example/"
    f"?session={SECRETS['session in an address']}"
)
ANSWERS: Final = {
    "refused credentials": Answer(status=401, body=json.dumps({"error": ECHO})),
    "no permission": Answer(status=403, body=json.dumps({"code": "forbidden", "message": ECHO})),
    "failure": Answer(status=500, body=ECHO),
    "cut JSON": Answer(status=503, body=json.dumps({"error": ECHO})[:-2]),
    "redirect": Answer(status=302, headers={"Location": PLACE}),
    "page": Answer(status=200, body=f"<html>{ECHO}</html>"),
}


def planted(database: Emulator) -> MockConfigEntry:
    """Build an entry with a secret in every part of it."""
    entry = new_entry(
        database.url,
        token=SECRETS["token of the entry"],
        username=SECRETS["username"],
        password=SECRETS["password"],
    )
    data_api = ConfigSubentryData(
        data={
            "url": NOWHERE,
            "api_key": SECRETS["key of the data-api"],
            "verify_ssl": True,
            "refresh": 30,
        },
        subentry_type="data_api",
        title="data-api",
        unique_id=None,
    )
    options = {"core": {"tags": {"api_key": SECRETS["tag among the options"]}}}
    return MockConfigEntry(
        domain=DOMAIN,
        title="Attic",
        data=dict(entry.data),
        options=options,
        subentries_data=[data_api],
    )


def live(hass: HomeAssistant) -> None:
    """Be a home whose entities have secrets."""
    attributes = {
        "access_token": SECRETS["attribute"],
        "setup": {"wifi": [{"password": SECRETS["nested attribute"]}]},
        "entity_picture": f"/api/camera_proxy/camera.a?token={SECRETS['picture']}",
        "latitude": float(SECRETS["place"]),
    }
    hass.states.async_set("camera.a", "idle", attributes)
    typed = {"mode": "password", "min": 0, "max": 100}
    hass.states.async_set("text.a", SECRETS["state of a text entity"], typed)


async def everything_told(
    hass: HomeAssistant,
    client: ClientSessionGenerator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> dict[str, str]:
    """Collect what the integration tells anybody, by where it does."""
    assert await async_setup_component(hass, "diagnostics", {})
    http = await client()
    told: dict[str, str] = {}
    for path in (
        f"diagnostics/config_entry/{entry.entry_id}",
        *(f"{DOMAIN}/{view}" for view in ("devices", "entities", "health", "ready", "metrics")),
        f"{DOMAIN}/health/dependencies",
    ):
        reply = await http.get(f"/api/{path}")
        if reply.status != HTTPStatus.NOT_FOUND:
            told[path] = await reply.text()
    told["repairs"] = str(
        [found for (d, _), found in ir.async_get(hass).issues.items() if d == DOMAIN]
    )
    ours = [s for s in hass.states.async_all() if s.entity_id not in {"camera.a", "text.a"}]
    told["states"] = str([state.as_dict() for state in ours])
    told["log"] = "\n".join(
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if record.name.startswith("custom_components")
    )
    told["flows"] = str(hass.config_entries.flow.async_progress())
    return told


def leaks(told: dict[str, str]) -> list[tuple[str, str]]:
    """Name each secret that is told, and where."""
    return [
        (kind, where)
        for where, text in told.items()
        for kind, secret in SECRETS.items()
        if secret in text
    ]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
async def test_no_secret_comes_out_while_the_database_does_not_accept_points(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    database.impostor = answer
    entry = planted(database)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    live(hass)
    pipeline = entry.runtime_data.pipeline
    await pipeline.flush()
    await until(lambda: pipeline.export_state.connected is False)
    await entry.runtime_data.coordinator.async_refresh()
    told = await everything_told(hass, hass_client, entry, caplog)
    assert "Attic does not accept points" in told["log"]
    assert json.loads(told[f"diagnostics/config_entry/{entry.entry_id}"])["data"]["sample_points"]
    assert leaks(told) == []


async def test_no_secret_comes_out_with_a_refused_point_and_none_was_sent(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = json.dumps({"error": f"partial write: field type conflict: {ECHO} dropped=1"})
    database.faults += [Fault(answer=Answer(status=400, body=refused)) for _ in range(9)]
    entry = planted(database)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    live(hass)
    pipeline = entry.runtime_data.pipeline
    await pipeline.flush()
    await until(lambda: pipeline.ledger.quarantined)
    await entry.runtime_data.coordinator.async_refresh()
    told = await everything_told(hass, hass_client, entry, caplog)
    assert "field type conflict" in told["repairs"]
    assert leaks(told) == []
    sent = {f"write {n}": unzipped(seen).decode() for n, seen in enumerate(database.writes)}
    # Coordinates are no secret, unless the options say so.
    assert {kind for kind, _ in leaks(sent)} <= {"place"}
    assert (await _quarantined(entry))["line"]


async def _quarantined(entry: MockConfigEntry) -> dict[str, Any]:
    records: list[dict[str, Any]] = await entry.runtime_data.pipeline.quarantine.records()
    return records[0]
