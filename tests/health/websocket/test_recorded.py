"""What an administrator asks for over the WebSocket to look at: every entity, and the last hour."""

import json
from typing import Any, Final

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ha_ingestor.enrich.selection import (
    EVERYTHING,
    Decision,
    EntityFilter,
    Match,
    Traits,
)
from custom_components.ha_ingestor.health.last_hour import LastHour
from tests.shell import new_entry, set_up, until

from ..seen import deliver_one

ATTIC = Traits(
    entity_id="sensor.attic",
    domain="sensor",
    device_class="power",
    integration="mqtt",
    area_id="roof",
    devices=frozenset({"meter"}),
    labels=frozenset({"noisy"}),
)
ONE_OF_EACH: dict[str, Any] = {
    "entities": frozenset({"sensor.attic"}),
    "globs": ("sensor.b*", "sensor.a*"),
    "domains": frozenset({"light", "sensor"}),
    "device_classes": frozenset({"power"}),
    "integrations": frozenset({"mqtt"}),
    "areas": frozenset({"roof"}),
    "devices": frozenset({"meter"}),
    "labels": frozenset({"noisy"}),
}
VALUES = ("sensor.attic", "sensor.a*", "sensor", "power", "mqtt", "roof", "meter", "noisy")

# As many entities as a home should ever have.
MANY: Final = 10_000
# Of one entity: its row with its points, as JSON.
ROW_BYTES: Final = 250


async def rows(
    hass: HomeAssistant, client: Any, entry: MockConfigEntry
) -> tuple[float, dict[str, Any]]:
    """Ask for the entities, and return for how long was counted, and the rows by entity."""
    await client.send_json_auto_id(
        {"type": "ha_ingestor/entities", "config_entry_id": entry.entry_id}
    )
    result = (await client.receive_json())["result"]
    return result["hours"], {each["entity_id"]: each for each in result["entities"]}


@pytest.mark.parametrize(("criterion", "value"), zip(ONE_OF_EACH, VALUES, strict=True))
def test_what_excludes_an_entity_is_named_with_its_value(criterion: str, value: str) -> None:
    chosen = EntityFilter(exclude=Match(**{criterion: ONE_OF_EACH[criterion]}))
    assert chosen.decide(ATTIC) == Decision(
        captures=False, list="exclude", criterion=criterion, value=value
    )


@pytest.mark.parametrize("included", [None, *ONE_OF_EACH])
@pytest.mark.parametrize("excluded", [None, *ONE_OF_EACH])
def test_the_decision_is_the_one_of_the_filter(included: str | None, excluded: str | None) -> None:
    include = Match(**({included: ONE_OF_EACH[included]} if included else {}))
    exclude = Match(**({excluded: ONE_OF_EACH[excluded]} if excluded else {}))
    chosen = EntityFilter(include=include, exclude=exclude)
    for entity in (ATTIC, Traits(entity_id="light.hall", domain="light")):
        assert chosen.decide(entity).captures is chosen.captures(entity)


def test_where_nothing_fits_the_list_of_what_is_included_decides() -> None:
    assert EVERYTHING.decide(ATTIC) == Decision(captures=True)
    lights = EntityFilter(include=Match(domains=frozenset({"light"})))
    assert lights.decide(ATTIC) == Decision(captures=False, list="include")


async def test_each_entity_is_told_with_its_points_and_its_last_value(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    for value in ("1", "2", "21.5"):
        hass.states.async_set("sensor.attic", value)
    await entry.runtime_data.pipeline.commit()
    hours, found = await rows(hass, await hass_ws_client(hass), entry)
    state = hass.states.get("sensor.attic")
    assert state
    assert hours > 0
    attic = found["sensor.attic"]
    assert (attic["recorded"], attic["points"], attic["last_state"]) == (True, 3, "21.5")
    assert attic["bytes"] > 3 * len("sensor.attic")
    assert attic["last_time"] == pytest.approx(state.last_updated_timestamp, abs=1e-6, rel=0)
    assert attic["series"] == 1


async def test_ten_thousand_entities_are_told_in_one_answer_of_a_bounded_size(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry, {"filter": {"globs": ["sensor.many_*7"]}})
    client = await hass_ws_client(hass)
    for number in range(MANY):
        hass.states.async_set(f"sensor.many_{number:05}", f"{number}.5")
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.commit()

    await client.send_json_auto_id(
        {"type": "ha_ingestor/entities", "config_entry_id": entry.entry_id}
    )
    text = (await client.receive()).data

    told = [each for each in json.loads(text)["result"]["entities"] if "many" in each["entity_id"]]
    assert len(told) == MANY
    assert sum(each["recorded"] for each in told) == MANY * 9 // 10
    assert sum(each.get("points", 0) for each in told) == MANY * 9 // 10
    assert len(text) < MANY * ROW_BYTES


async def test_an_entity_that_is_left_out_is_told_with_the_rule(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry, {"filter": {"globs": ["sensor.at*"]}})
    hass.states.async_set("sensor.attic", "1")
    await entry.runtime_data.pipeline.commit()
    _, found = await rows(hass, await hass_ws_client(hass), entry)
    assert found["sensor.attic"] == {
        "entity_id": "sensor.attic",
        "recorded": False,
        "rule": ["exclude", "globs", "sensor.at*"],
    }


async def test_an_entity_that_never_had_a_state_is_told_with_its_integration(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    silent = er.async_get(hass).async_get_or_create("sensor", "mqtt", "1").entity_id
    await set_up(hass, entry)
    _, found = await rows(hass, await hass_ws_client(hass), entry)
    assert found[silent] == {
        "entity_id": silent,
        "recorded": True,
        "integration": "mqtt",
        "stateless": True,
    }


@pytest.mark.parametrize("entity_id", ["text.code", "input_text.code"])
async def test_a_password_is_told_as_what_is_never_recorded(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    entity_id: str,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set(entity_id, "1234", {"mode": "password"})
    hass.states.async_set(f"{entity_id}_shown", "1234", {"mode": "text"})
    _, found = await rows(hass, await hass_ws_client(hass), entry)
    assert found[entity_id] == {"entity_id": entity_id, "recorded": False, "secret": True}
    assert found[f"{entity_id}_shown"]["recorded"]


async def test_our_own_entities_are_not_listed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    own = {
        each.entity_id
        for each in er.async_get(hass).entities.values()
        if each.platform == entry.domain
    }
    _, found = await rows(hass, await hass_ws_client(hass), entry)
    assert own
    assert not own & found.keys()


async def test_of_a_destination_that_is_not_loaded_the_rules_are_told(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.attic", "1")
    assert await hass.config_entries.async_unload(entry.entry_id)
    hours, found = await rows(hass, await hass_ws_client(hass), entry)
    assert (hours, found["sensor.attic"]) == (
        0.0,
        {"entity_id": "sensor.attic", "recorded": True},
    )


async def test_the_last_hour_begins_with_the_destination_and_survives_a_reload(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry
) -> None:
    await deliver_one(hass, entry)
    other = new_entry("http://127.0.0.1:9", database="other")
    other.add_to_hass(hass)
    client = await hass_ws_client(hass)

    async def samples() -> dict[str, Any]:
        await client.send_json_auto_id({"type": "ha_ingestor/last_hour"})
        found = (await client.receive_json())["result"]["destinations"]
        return {each["config_entry_id"]: each["samples"] for each in found}

    async def has_begun() -> bool:
        await entry.runtime_data.coordinator.async_refresh()
        return bool((await samples())[entry.entry_id]["time"])

    await until(has_begun)
    first = await samples()
    assert first[other.entry_id] is None
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await samples())[entry.entry_id]["time"][0] == first[entry.entry_id]["time"][0]
    # The counts go on in another place as well.
    hass.config_entries.async_update_entry(entry, data={**entry.data, "database": "moved"})
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await samples())[entry.entry_id]["time"][0] == first[entry.entry_id]["time"][0]


async def test_the_last_hour_is_not_longer_than_an_hour(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    now = 0.0
    hour = LastHour(clock=lambda: now, wall_clock=lambda: 1_800_000_000 + now)
    for second in range(2 * 3600):
        now = float(second)
        hour.note(snapshot)
    times = hour.as_dict()["time"]
    assert times[-1] - times[0] == 3600
    assert len(times) == 361
