"""A text of any length costs no more than it is long, wherever it comes from."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.data_api.verdict import classify_reply
from custom_components.ha_ingestor.clients.exchange import DETAIL_MAX, Reply
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.health.texts.server_text import (
    markdown,
    plain,
    redacted_for_report,
    redacted_line,
)
from custom_components.ha_ingestor.pipeline.encode.attributes import without_secrets
from tests.growth import UNITS, is_linear
from tests.pages import WORDS, fill_in, open_page
from tests.shell import set_up

SHOWN = {"plain": plain, "markdown": markdown, "redacted_for_report": redacted_for_report}
# More than anybody reads in a log, a repair or a form.
FEW_WORDS = 5_000


def judged(body: str) -> object:
    return classify_reply(Reply(status=400, body=body))


def stored(text: str) -> object:
    return without_secrets({"text": text}, coordinates=False, media=False)


DOORS = {**SHOWN, "judged": judged, "stored": stored, "redacted_line": redacted_line}


@pytest.mark.parametrize("door", DOORS)
def test_the_work_on_a_text_grows_with_its_length(door: str) -> None:
    wrong = [unit for unit in UNITS if not is_linear(DOORS[door], unit)]
    assert wrong == []


@pytest.mark.parametrize("frame", ["m,{}", "m,{} v=1 1", "m {}", 'm v="{}" 1'])
def test_the_work_on_a_refused_line_grows_with_its_length(frame: str) -> None:
    wrong = [
        unit
        for unit in UNITS
        if not is_linear(lambda text: redacted_line(frame.format(text)), unit)
    ]
    assert wrong == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ak1.,:;=?#&@/\\\"'[{(<- ", min_size=1, max_size=5))
def test_repeated_punctuation_takes_time_that_grows_with_its_length_only(unit: str) -> None:
    for door in (plain, redacted_for_report, stored):
        assert is_linear(door, unit)


@pytest.mark.parametrize("door", SHOWN)
def test_a_text_is_cut_before_it_is_shown(door: str) -> None:
    assert len(SHOWN[door]("it says x " * 100_000)) < FEW_WORDS


@pytest.mark.parametrize("door", SHOWN)
@pytest.mark.parametrize(
    "begin",
    [
        "http://admin:hunter2",
        'password="hunter2',
        "{'password': 'hunter2",
        "token=hunter2",
        "credentials=[hunter2",
    ],
)
def test_a_secret_that_is_cut_is_hidden_all_the_same(door: str, begin: str) -> None:
    for before in range(1_900, 2_010):
        assert "hunter" not in SHOWN[door](f"{'x ' * (before // 2)}{begin}{'y' * 3_000}@host")


def test_what_is_remembered_of_a_reply_is_short_wherever_it_comes_from() -> None:
    for outcome in (
        Outcome(status=302, detail="/login/" + "a" * 6_000),
        Outcome(status=400, body="a" * 60_000),
    ):
        assert len(classify(outcome, Dialect.V1).detail) <= DETAIL_MAX


LONG = "a" * 16_000
ENTERED: list[tuple[str, dict[str, Any], str]] = [
    ("events", {"types": [LONG]}, "types"),
    ("attributes", {"only": [LONG]}, "only"),
    ("attributes", {"drop": ["*" + LONG]}, "drop"),
    ("filter", {"exclude": {"globs": ["*" * 16_000 + "a"]}}, "exclude"),
    ("filter", {"exclude": {"domains": [LONG]}}, "exclude"),
    ("filter", {"exclude": {"integrations": [LONG]}}, "exclude"),
    ("filter", {"exclude": {"device_classes": [LONG]}}, "exclude"),
    ("filter", {"exclude": {"labels": [LONG]}}, "exclude"),
    ("filter", {"exclude": {"areas": [LONG]}}, "exclude"),
    ("filter", {"include": {"floors": [LONG]}}, "include"),
    ("noise", {"rules": [{"name": LONG, "globs": ["*"], "throttle": 5}]}, "rules"),
    ("noise", {"rules": [{"name": "a", "globs": [LONG], "throttle": 5}]}, "rules"),
]


@pytest.mark.parametrize(("page", "entered", "field"), ENTERED)
async def test_a_form_takes_no_text_that_is_too_long(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    page: str,
    entered: dict[str, Any],
    field: str,
) -> None:
    await set_up(hass, entry)
    result = await open_page(hass, entry, page)
    assert result["data_schema"]
    required = {
        str(marker): marker.description["suggested_value"]
        for marker in result["data_schema"].schema
        if marker.description and "suggested_value" in marker.description
    }
    result = await fill_in(hass, result, **{**required, **entered})
    assert result["errors"]
    assert list(result["errors"]) == [field]
    assert result["errors"][field] in WORDS["options"]["error"]
    told = result["description_placeholders"]
    assert told
    assert all(len(text) < FEW_WORDS for text in told.values())
    assert page not in entry.options
