"""What is not a server's word is said in the language of the home, wherever it is shown."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.health.texts.own_reasons import OWN_REASONS, async_said
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.emulator import Emulator
from tests.flows.steps import begin, submit
from tests.pages import PACKAGE
from tests.shell import NOWHERE, new_entry, set_up, until

# Words of protocols and of Python, which are the same in every language.
TECHNICAL: Final = {"", "HTTP 7", "7 7", "7: 7", "7:7: 7", "7 (7)"}
# Who finds out what is wrong.
FOLDERS: Final = ("clients", "sources", "data_api", "flows", "pipeline")


def _texts(value: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, with 7 for what is filled in."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts
            )
        case ast.IfExp(body=body, orelse=other):
            yield from (*_texts(body), *_texts(other))
        case ast.BoolOp(values=values):
            for each in values:
                yield from _texts(each)


def _details(path: Path) -> Iterator[str]:
    """Yield the texts of our own that a module gives as the detail of what is wrong."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case (
                ast.Call(func=ast.Name(id="HomeAssistantError" | "_RefusedError"), args=[_, detail])
                | ast.Call(func=ast.Attribute(attr="_say_undescribed"), args=[detail])
                | ast.Assign(targets=[ast.Name(id="detail")], value=detail)
                | ast.keyword(arg="detail" | "reason", value=detail)
            ):
                yield from _texts(detail)
            case ast.FunctionDef(name="_explanation" | "_words" | "failure_words"):
                for each in ast.walk(node):
                    if isinstance(each, ast.Return) and each.value:
                        yield from _texts(each.value)


def test_every_text_of_ours_that_says_what_is_wrong_can_be_translated() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), text)
        for folder in FOLDERS
        for path in (PACKAGE / folder).rglob("*.py")
        for text in _details(path)
        if " " in text and text not in TECHNICAL
    }
    assert len(found) > 10
    untranslated = {
        each
        for each in found
        if not any(pattern.fullmatch(each[1]) for pattern in OWN_REASONS.values())
    }
    assert untranslated == set()


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("nas.local: Host name not found", "nas.local: Hostname nicht gefunden"),
        ("10.0.0.7:8086: Connection refused", "10.0.0.7:8086: Verbindung abgelehnt"),
        ("No space left on device", "Kein Speicherplatz mehr frei"),
        ("get_states: no answer", "get_states: keine Antwort"),
        ("2 skipped", "2 übersprungen"),
        ("unauthorized access", "unauthorized access"),
        ("disclosed", "disclosed"),
        ("", ""),
    ],
)
async def test_a_reason_is_said_in_the_language_of_the_home_unless_it_is_a_servers(
    hass: HomeAssistant, entry: MockConfigEntry, reason: str, shown: str
) -> None:
    hass.config.language = "de"
    await set_up(hass, entry)
    assert async_said(hass, reason) == shown


async def test_a_repair_of_the_disk_and_the_panel_say_why_in_the_language_of_the_home(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    hass.config.language = "de"
    await set_up(hass, entry)
    monkeypatch.setattr(Spool, "append", full)
    hass.states.async_set("sensor.a", "1")

    def repair() -> ir.IssueEntry | None:
        return ir.async_get(hass).async_get_issue(DOMAIN, f"{entry.entry_id}_spool_error")

    async def is_told() -> bool:
        await entry.runtime_data.coordinator.async_refresh()
        return repair() is not None

    await until(is_told)
    found = repair()
    assert found
    assert found.translation_placeholders
    assert found.translation_placeholders["detail"] == "Kein Speicherplatz mehr frei"
    client: Any = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "ha_ingestor/health"})
    (told,) = (await client.receive_json())["result"]["destinations"]
    assert told["health"]["spool_error"] == "Kein Speicherplatz mehr frei"


async def test_the_set_up_says_why_nothing_answers_in_the_language_of_the_home(
    hass: HomeAssistant, socket_enabled: None, database: Emulator
) -> None:
    hass.config.language = "de"
    # The texts are read with the integration, which the first destination brings.
    await set_up(hass, new_entry(database.url))
    form = await submit(
        hass,
        await begin(hass),
        url=NOWHERE,
        dialect="auto",
        advanced={"verify_ssl": True, "ca_certificate": ""},
    )
    assert form["errors"] == {"url": "unreachable"}
    placeholders: Any = form["description_placeholders"]
    assert placeholders["detail"] == "127.0.0.1:9: Verbindung abgelehnt"
