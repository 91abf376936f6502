"""Tests a destination, and says in the words of the home's language what came of it."""

from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..health.self_test import SelfTestReport
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import markdown, plain
from ..health.texts.words import Words, async_words, common_word, problem_word

_DAY: Final = 86_400
_UNKNOWN: Final = "?"


async def async_self_test(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Run the test and return the report, with what it means."""
    runtime = entry.runtime_data
    report = await runtime.self_test.async_run()
    hass = runtime.coordinator.hass
    words = await async_words(hass)
    message = _filled(words, f"self_test_{report.verdict}", _placeholders(hass, words, report))
    shown = report.as_dict() | {"detail": plain(report.detail), "message": plain(message)}
    return {**shown, "problem": str(report.problem), "verdict": str(report.verdict)}


async def async_self_test_with_notification(entry: HaIngestorConfigEntry) -> None:
    """Run the test, and show the report to the user."""
    runtime = entry.runtime_data
    report = await runtime.self_test.async_run()
    hass = runtime.coordinator.hass
    words = await async_words(hass)
    placeholders = _placeholders(hass, words, report)
    shown = {name: markdown(text) for name, text in placeholders.items()}
    lines = [_filled(words, f"self_test_{report.verdict}", shown)]
    facts = [_filled(words, f"self_test_{fact}", shown) for fact in _known_facts(report)]
    if facts:
        lines.append(" ".join(facts))
    persistent_notification.async_create(
        hass,
        "\n\n".join(lines),
        title=_filled(words, "self_test_title", {"title": plain(entry.title)}),
        notification_id=f"{DOMAIN}_self_test_{entry.entry_id}",
    )


def _filled(words: Words, key: str, placeholders: dict[str, str]) -> str:
    return common_word(words, key).format(**placeholders)


def _placeholders(hass: HomeAssistant, words: Words, report: SelfTestReport) -> dict[str, str]:
    return {
        "write": _number(report.write_seconds, 2),
        "read": _number(report.read_seconds, 2),
        "ahead": _number(abs(report.clock_ahead_seconds or 0), 0),
        "days": f"{(report.retention_seconds or 0) / _DAY:g}",
        "version": report.server_version or _UNKNOWN,
        "backlog": str(report.backlog),
        "problem": problem_word(words, report.problem),
        "detail": async_said(hass, report.detail) or _UNKNOWN,
    }


def _known_facts(report: SelfTestReport) -> list[str]:
    retention = "retention_infinite" if report.retention_seconds == 0 else "retention"
    known = {
        "version": bool(report.server_version),
        "clock": report.clock_ahead_seconds is not None,
        retention: report.retention_seconds is not None,
    }
    return [fact for fact, is_known in known.items() if is_known]


def _number(value: Any, digits: int) -> str:
    return _UNKNOWN if value is None else f"{value:.{digits}f}"
