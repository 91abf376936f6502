"""The page that writes history: it counts, asks, shows how far it is, and stops."""

import time
from datetime import timedelta
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
)
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.ha_ingestor.flows.write_history import COUNTED, SCHEMA, WRITE_HISTORY
from custom_components.ha_ingestor.sources.recorder import reader, rows
from tests.emulator import Emulator
from tests.flows.steps import suggested, told
from tests.pages import WORDS, choose, explained, fields, open_page, shown_again
from tests.shell import deliver, points, set_up, until
from tests.sources.recorder.test_statistics import metadata

COUNT = 8
STEPS = WORDS["options"]["step"]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause between pages, which are small."""
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(rows, "PAGE_ROWS", 3)


@pytest.fixture(name="before")
async def _before(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Let things happen before the integration is there."""
    for number in range(COUNT):
        hass.states.async_set("sensor.a", str(number), {"unit_of_measurement": "W"})
        hass.states.async_set("light.c", ("off", "on")[number % 2])
    await async_wait_recording_done(hass)


def ago(**span: float) -> str:
    """Write a time as the form does."""
    return f"{dt_util.now() - timedelta(**span):%Y-%m-%d %H:%M:%S}"


async def submit(hass: HomeAssistant, result: ConfigFlowResult, **entered: Any) -> Any:
    assert result["type"] is FlowResultType.FORM, result
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"start_time": ago(hours=1), **entered}
    )


async def counted(hass: HomeAssistant, entry: MockConfigEntry, **entered: Any) -> Any:
    result = await submit(hass, await open_page(hass, entry, WRITE_HISTORY), **entered)
    assert result["type"] is FlowResultType.MENU, result["errors"]
    assert result["step_id"] in COUNTED.values()
    return result


def reads(result: ConfigFlowResult) -> str:
    """Read the sentences of a menu, whose choices have words too."""
    words = STEPS[result["step_id"]]
    assert list(words["menu_options"]) == result["menu_options"]
    text: str = words["description"].format(**told(result))
    return text


def asks(result: ConfigFlowResult) -> str:
    """Read the sentences of the form."""
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, WRITE_HISTORY)
    text: str = STEPS[WRITE_HISTORY]["description"].format(**told(result))
    return text


async def keeps_a_moment() -> float:
    return 0.000001


def test_every_field_has_a_label_and_an_explanation() -> None:
    assert explained(STEPS[WRITE_HISTORY]) == fields(SCHEMA)


@pytest.mark.usefixtures("before")
async def test_the_counted_history_is_written_when_it_is_confirmed(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    options = dict(entry.options)
    result = await counted(hass, entry, target={"entity_id": ["sensor.a", "light.c"]})
    assert f"**{2 * COUNT} changes of 2 entities**" in reads(result)
    assert f"light.c ({COUNT}), sensor.a ({COUNT})" in reads(result).replace("\\", "")
    # Nothing happens before.
    assert entry.runtime_data.pipeline.past_events.backfill.status == "none"

    result = await choose(hass, result, "start_history")
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.status == "done")
    if result["type"] is FlowResultType.MENU:
        result = await choose(hass, result, WRITE_HISTORY)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "history_done"
    said = WORDS["options"]["abort"]["history_done"].format(**told(result))
    assert f"of {2 * COUNT} rows" in said
    assert entry.options == options
    for _ in range(2):  # it is stored too
        page = await open_page(hass, entry, WRITE_HISTORY)
        ended = entry.runtime_data.backfill.job.ended
        assert ended == pytest.approx(time.time(), abs=60)
        moment = dt_util.as_local(dt_util.utc_from_timestamp(ended))
        assert f": {2 * COUNT} points of {2 * COUNT} rows of the recorder." in asks(page)
        assert f" It ended at {moment:%Y-%m-%d %H:%M}. " in asks(page)
        assert await hass.config_entries.async_reload(entry.entry_id)
    await deliver(hass, entry)
    assert {each.fields["state"] for each in points(database, "sensor.a")} == {*"01234567"}


@pytest.mark.usefixtures("before")
async def test_what_is_excluded_and_what_is_too_old_is_told_before(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry, {"filter": {"domains": ["light"]}})
    entry.runtime_data.backfill._retention = keeps_a_moment
    result = await counted(hass, entry, target={"entity_id": ["sensor.a", "light.c"]})
    assert f"**{COUNT}** of these rows are older than" in reads(result)
    assert f"**{COUNT}** further rows belong to" in reads(result)
    assert f"**{COUNT} changes of 1 entities**" in reads(result)


@pytest.mark.usefixtures("before")
async def test_long_term_statistics_are_counted_and_written_when_they_are_chosen(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    now = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    for name in ("sensor.a", "supplier:house"):
        known = metadata(name, mean_type=StatisticMeanType.ARITHMETIC, has_sum=False)
        add = async_add_external_statistics if ":" in name else async_import_statistics
        add(
            hass, known, [{"start": now - timedelta(hours=back), "mean": 1.5} for back in (1, 2, 3)]
        )
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    entered = {"start_time": ago(hours=5), "content": ["statistics"]}
    result = await counted(hass, entry, **entered)
    assert result["step_id"] == "statistics_counted"
    assert "**6 hours of 2 long-term statistics**" in reads(result)
    assert "sensor.a (3), supplier:house (3)" in reads(result).replace("\\", "")

    result = await choose(hass, result, WRITE_HISTORY)
    both = {"content": ["states", "statistics"], "target": {"entity_id": ["sensor.a"]}}
    result = await submit(hass, result, **both, start_time=ago(hours=5))
    assert result["step_id"] == "both_counted"
    assert f"**{COUNT} changes of 1 entities** and **3 hours of 1 long-term" in reads(result)

    result = await choose(hass, result, WRITE_HISTORY)
    chosen = {"content": ["statistics"], "statistic_ids": ["supplier:house"]}
    result = await submit(hass, result, **chosen, start_time=ago(hours=5))
    await choose(hass, result, "start_history")
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.status == "done")
    await deliver(hass, entry)
    hours = [each for each in points(database) if "statistic_id" in each.tags]
    assert [each.tags["statistic_id"] for each in hours] == ["supplier:house"] * 3
    assert [each.fields for each in hours] == [{"mean": 1.5}] * 3


async def test_before_the_first_run_nothing_is_said_of_a_last_one(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert told(await open_page(hass, entry, WRITE_HISTORY)) == {"last": ""}


async def test_the_last_day_is_suggested(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    # It is ten hours earlier there.
    freezer.move_to("2026-03-02 05:06:07+00:00")
    await hass.config.async_set_time_zone("Pacific/Honolulu")
    result = await open_page(hass, entry, WRITE_HISTORY)
    assert suggested(result)["start_time"] == "2026-02-28 19:06:00"


@pytest.mark.usefixtures("before")
async def test_a_user_goes_back_and_finds_what_was_filled_in(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    entered = {"start_time": ago(hours=2), "target": {"entity_id": ["sensor.a"]}}
    result = await choose(hass, await counted(hass, entry, **entered), WRITE_HISTORY)
    assert suggested(result) == {
        **entered,
        "end_time": None,
        "content": ["states"],
        "statistic_ids": None,
    }
    result = await submit(hass, result, target={})
    assert result["step_id"] == "history_counted"
    assert int(told(result)["entities"]) > 1
    # The dialog is opened anew by its address.
    again = await hass.config_entries.options.async_configure(result["flow_id"])
    assert reads(again) == reads(result)


@pytest.mark.usefixtures("before")
async def test_an_area_stands_for_its_entities_also_the_diagnostic_ones(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    area = area_registry.async_create("Attic")
    registered = entity_registry.async_get_or_create(
        "sensor", "test", "1", suggested_object_id="b", entity_category=er.EntityCategory.DIAGNOSTIC
    )
    entity_registry.async_update_entity(registered.entity_id, area_id=area.id)
    hass.states.async_set("sensor.b", "1")
    hass.states.async_set("sensor.b", "2")
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    result = await counted(hass, entry, target={"area_id": [area.id]})
    assert told(result)["top"].replace("\\", "") == "sensor.b (2)"


@pytest.mark.usefixtures("before")
async def test_it_is_paused_resumed_and_cancelled_on_the_page(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    result = await counted(hass, entry)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 60.0)
    result = await choose(hass, result, "start_history")
    assert result["step_id"] == "history_running"
    assert "**Changes of states, 0 %**: 0 of " in reads(result)

    # Whoever opens the page sees it too.
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.rows > 0)
    result = await open_page(hass, entry, WRITE_HISTORY)
    assert ", 0 %**" not in reads(result)
    assert (await shown_again(hass, result))["step_id"] == "history_running"
    assert reads(result).startswith("**")

    result = await choose(hass, result, "pause_history")
    assert result["step_id"] == "history_paused"
    assert "is paused" in STEPS["history_paused"]["title"]
    assert reads(result)
    assert entry.runtime_data.pipeline.past_events.backfill.status == "paused"
    assert await hass.config_entries.async_reload(entry.entry_id)

    result = await choose(hass, result, "resume_history")
    assert result["step_id"] == "history_running"
    result = await choose(hass, result, "cancel_history")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "history_cancelled"
    assert WORDS["options"]["abort"]["history_cancelled"].format(**told(result))
    assert entry.runtime_data.pipeline.past_events.backfill.status == "cancelled"
    # The next one is asked for anew, below what became of this one.
    page = await open_page(hass, entry, WRITE_HISTORY)
    assert page["type"] is FlowResultType.FORM
    assert told(page)["last"].startswith("The last run was cancelled at 20")
    assert "are written and stay" in asks(page)


@pytest.mark.usefixtures("before")
async def test_a_backfill_that_waits_for_room_says_so(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    result = await counted(hass, entry)
    # More than the spool has is never there.
    monkeypatch.setattr(reader, "SPOOL_FILL_MAX", 0.0)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.01)
    await choose(hass, result, "start_history")
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.status == "waiting")
    result = await open_page(hass, entry, WRITE_HISTORY)
    assert result["step_id"] == "history_waiting"
    assert "the spool has room" in reads(result)
    await choose(hass, result, "cancel_history")


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    ("entered", "errors"),
    [
        pytest.param(
            {"start_time": {"hours": -2}}, {"start_time": "backfill_time"}, id="in the future"
        ),
        pytest.param(
            {"end_time": {"hours": 2}}, {"start_time": "backfill_time"}, id="from after to"
        ),
        pytest.param(
            {"end_time": {"minutes": 50}}, {"base": "nothing_recorded"}, id="nothing is recorded"
        ),
        pytest.param(
            {"target": {"entity_id": ["light.c"]}}, {"base": "all_excluded"}, id="excluded"
        ),
        pytest.param({"content": []}, {"content": "backfill_no_content"}, id="nothing to write"),
        pytest.param(
            {"target": {"area_id": ["gone"]}}, {"target": "backfill_no_entity"}, id="empty area"
        ),
        pytest.param(
            {"target": {"entity_id": ["sensor.*"]}},
            {"target": "backfill_no_entity"},
            id="no entity ID",
        ),
    ],
)
async def test_what_cannot_be_written_is_said_at_its_field(
    hass: HomeAssistant, entry: MockConfigEntry, entered: Any, errors: Any
) -> None:
    await set_up(hass, entry, {"filter": {"domains": ["light"]}})
    entered = {
        key: ago(**value) if key.endswith("_time") else value for key, value in entered.items()
    }
    result = await submit(hass, await open_page(hass, entry, WRITE_HISTORY), **entered)
    assert result["type"] is FlowResultType.FORM, told(result)
    assert result["errors"] == errors
    # What was filled in is still there, and right after that it works.
    assert entered.items() <= suggested(result).items()
    assert (await submit(hass, result, content=["states"]))["step_id"] == "history_counted"


async def test_without_a_recorder_there_is_nothing_to_write(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    result = await submit(hass, await open_page(hass, entry, WRITE_HISTORY))
    assert result["errors"] == {"base": "no_history"}


@pytest.mark.usefixtures("before")
async def test_only_one_runs_at_a_time(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    first, second = await counted(hass, entry), await counted(hass, entry)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 60.0)
    await choose(hass, first, "start_history")
    result = await choose(hass, second, "start_history")
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "backfill_running"}
    result = await submit(hass, result)
    assert result["step_id"] == "history_running"


@pytest.mark.usefixtures("before")
async def test_a_destination_that_is_not_loaded_writes_nothing(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    result = await counted(hass, entry)
    await deliver(hass, entry)
    result = await choose(hass, result, "start_history")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
