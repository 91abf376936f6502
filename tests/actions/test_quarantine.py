"""What a user does with points that the database refused."""

from functools import partial
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Emulator
from tests.shell import points, set_up, spool_path, until

from .refused_point import counts, quarantine_one


async def test_the_quarantine_can_be_read(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)

    found = await hass.services.async_call(
        DOMAIN,
        "export_quarantine",
        {"config_entry_id": entry.entry_id},
        blocking=True,
        return_response=True,
    )

    records: Any = (found or {})["points"]
    (record,) = records
    assert "entity_id=sensor.odd" in record["line"]
    assert "field type conflict" in record["reason"]


async def test_an_export_returns_the_newest_points_and_says_how_many_there_are(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    pipeline = entry.runtime_data.pipeline
    refused = [(0, f"m v={number} {number}") for number in range(3_000)]
    await pipeline._thread.run(
        pipeline.quarantine.quarantine.add_all, refused, status=422, reason="no"
    )

    async def export(**data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN, "export_quarantine", data, blocking=True, return_response=True
        )

    found = await export()
    assert (len(found["points"]), found["total"]) == (1_000, 3_000)
    assert found["points"][-1]["line"] == "m v=2999 2999"
    for fraction in (2.5, "2.5", float("nan")):
        with pytest.raises(vol.Invalid, match="whole number"):
            await export(limit=fraction)
    found = await export(limit=2)
    assert [record["line"] for record in found["points"]] == ["m v=2998 2998", "m v=2999 2999"]
    for wrong in (0, -1, 10_001, "x"):
        with pytest.raises(vol.Invalid):
            await export(limit=wrong)


async def test_a_file_of_the_quarantine_that_cannot_be_read_is_named_in_the_answers(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)
    bad = spool_path(hass, entry) / "quarantine-000002.ndjson"
    await hass.async_add_executor_job(bad.mkdir)

    for action, key, expected in (
        ("export_quarantine", "total", 1),
        ("replay_quarantine", "replayed", 1),
    ):
        found: Any = await hass.services.async_call(
            DOMAIN, action, {}, blocking=True, return_response=True
        )
        assert found[key] == expected
        assert "quarantine-000002.ndjson" in found["problem"]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Older than the retention of 60 seconds", "Älter als die Aufbewahrung von 60 Sekunden"),
        (
            "The database stores numbers only, and this point has none",
            "Die Datenbank speichert nur Zahlen, und dieser Datenpunkt hat keine",
        ),
        ("No answer in 30 s", "Keine Antwort innerhalb von 30 s"),
        ("field type conflict", "field type conflict"),
    ],
)
async def test_our_own_reasons_are_exported_in_the_language_of_the_home(
    hass: HomeAssistant, entry: MockConfigEntry, reason: str, shown: str
) -> None:
    hass.config.language = "de"
    await set_up(hass, entry)
    quarantine = entry.runtime_data.pipeline.quarantine.quarantine
    await hass.async_add_executor_job(
        partial(quarantine.add_all, [(1, "m v=1 1")], status=0, reason=reason)
    )
    found: Any = await hass.services.async_call(
        DOMAIN, "export_quarantine", {}, blocking=True, return_response=True
    )
    assert [point["reason"] for point in found["points"]] == [shown]


async def test_quarantined_points_are_delivered_once_more_and_counted_as_replayed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)
    before = (await entry.runtime_data.pipeline.snapshot()).ledger

    found = await hass.services.async_call(
        DOMAIN, "replay_quarantine", {}, blocking=True, return_response=True
    )

    assert found == {"replayed": 1}
    await entry.runtime_data.pipeline.flush()
    await until(lambda: points(database, "sensor.odd"))
    await until(lambda: counts(entry, "written", before["written"] + 1))
    after = (await entry.runtime_data.pipeline.snapshot()).ledger
    # It was received a second time; no count falls.
    assert (after["quarantined"], after["replayed"]) == (before["quarantined"], 1)
    assert after["captured"] == before["captured"] + 1
    assert await entry.runtime_data.pipeline.quarantine.records() == []


async def test_a_purged_quarantine_is_empty_and_still_counted(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await quarantine_one(hass, database, entry)

    found = await hass.services.async_call(
        DOMAIN, "purge_quarantine", {}, blocking=True, return_response=True
    )

    assert found == {"purged": 1}
    assert await entry.runtime_data.pipeline.quarantine.records() == []
    assert await counts(entry, "quarantined", 1)
