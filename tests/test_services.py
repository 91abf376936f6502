"""The actions, called as an automation calls them."""

import threading
import time
from functools import partial
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from line_protocol_parser import parse_line
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.spool.files import OsFiles
from custom_components.ha_ingestor.services import ACTIONS
from tests.emulator import Answer, Emulator, Fault
from tests.shell import (
    deliver,
    new_entry,
    points,
    set_up,
    set_up_to_send_later,
    spool_path,
    until,
    unzipped,
)

# What an action cannot be called without.
REQUIRED: dict[str, dict[str, str]] = {
    "write_points": {"line_protocol": "m v=1"},
    "backfill": {"start_time": "2026-01-01 00:00:00"},
}
# Actions that need a data-api, a recorder, or history that is being written.
WANTS_MORE = {
    *("resync_registries", "backfill"),
    *("pause_backfill", "resume_backfill", "cancel_backfill"),
}
CONFLICT = Answer(status=400, body='{"error":"partial write: field type conflict dropped=1"}')


async def quarantine_one(hass: HomeAssistant, database: Emulator, entry: MockConfigEntry) -> None:
    """Have the database refuse one point."""
    hass.states.async_set("sensor.odd", "1")
    database.faults.append(Fault(answer=CONFLICT, only=b"sensor.odd"))
    await set_up(hass, entry)
    await until(lambda: _count(entry, "quarantined", 1))


async def _count(entry: MockConfigEntry, name: str, count: int) -> bool:
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    return bool(ledger[name] == count)


async def test_flush_delivers_without_waiting(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up_to_send_later(hass, entry, database)
    hass.states.async_set("sensor.now", "1")

    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    await until(lambda: points(database, "sensor.now"))


async def test_what_is_captured_while_delivery_is_paused_arrives_when_it_is_resumed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    call = partial(hass.services.async_call, DOMAIN, blocking=True)
    await call("pause", {})
    await until(lambda: _status(hass) == "paused")
    assert hass.states.get("binary_sensor.attic_database_accepts_points").state == "unknown"  # type: ignore[union-attr]

    hass.states.async_set("sensor.now", "1")
    with pytest.raises(ServiceValidationError, match="Delivery to Attic is paused"):
        await call("flush", {})
    # It outlives a reload, and what was captured before it with it.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: _status(hass) == "paused")
    assert not points(database, "sensor.now")

    found: Any = await call("resume", {}, return_response=True)
    (destination,) = found["destinations"]
    assert destination["config_entry_id"] == entry.entry_id
    assert destination["backlog"] >= 1
    await until(lambda: points(database, "sensor.now"))
    await until(lambda: _status(hass) == "ok")


async def test_a_pause_of_one_destination_leaves_the_others_alone(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    async with Emulator(profile=database.profile) as second:
        await set_up_to_send_later(hass, entry, database)
        other = new_entry(second.url)
        await set_up(hass, other)
        call = partial(hass.services.async_call, DOMAIN, blocking=True)
        await call("pause", {"config_entry_id": other.entry_id})
        hass.states.async_set("sensor.now", "1")

        # The one that is paused is named, and the other one delivers.
        with pytest.raises(ServiceValidationError):
            await call("flush", {})
        await until(lambda: points(database, "sensor.now"))
        assert not points(second, "sensor.now")

        found: Any = await call("resume", {}, return_response=True)
        assert len(found["destinations"]) == 2
        await until(lambda: points(second, "sensor.now"))


async def test_a_pause_that_cannot_be_stored_is_an_error_and_does_not_begin(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)

    def broken(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(OsFiles, "create", broken)
    with pytest.raises(HomeAssistantError, match="Read-only file system"):
        await hass.services.async_call(DOMAIN, "pause", {}, blocking=True)
    # A point that needs a file is not taken either, and that shows.
    hass.states.async_set("sensor.a", "1")
    await until(lambda: _status(hass) == "degraded")


def _status(hass: HomeAssistant) -> str:
    state = hass.states.get("sensor.attic_status")
    return state.state if state else ""


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
    await until(lambda: _count(entry, "written", before["written"] + 1))
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
    assert await _count(entry, "quarantined", 1)


async def test_diagnostics_name_the_top_entities(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    for number in range(5):
        hass.states.async_set("sensor.loud", str(number))
    hass.states.async_set("sensor.long", "x", {"text": "x" * 5000})
    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

    found: Any = await hass.services.async_call(
        DOMAIN, "chatty_entities", {}, blocking=True, return_response=True
    )

    assert found["by_points"][0]["subject"] == "sensor.loud"
    assert found["by_points"][0]["points"] == 5
    assert found["by_bytes"][0]["subject"] == "sensor.long"
    assert found["by_bytes"][0]["bytes"] > 5000


async def _write(hass: HomeAssistant, **data: Any) -> Any:
    return await hass.services.async_call(
        DOMAIN, "write_points", data, blocking=True, return_response=True
    )


async def test_points_of_a_user_arrive_as_they_were_given_and_are_counted(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    before = (await entry.runtime_data.pipeline.snapshot()).ledger
    lines = (
        'energy,meter=main kwh=12.5,n=3i 1700000000123456789\nenergy,meter=main kwh=13,note="a b"'
    )
    listed: list[Any] = [
        {
            "measurement": "water",
            "tags": {"meter": 7},
            "fields": {"litres": 3, "leak": False},
            "time": "2026-11-25T10:00:00+01:00",
        },
        {"measurement": "water", "fields": {"litres": 4.5}, "time": 1_700_000_000.25},
    ]

    assert await _write(hass, line_protocol=lines) == {
        "received": 2,
        "filtered": 0,
        "on_disk": True,
    }
    assert (await _write(hass, points=listed))["received"] == 2
    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: len(_own(database)) == 4)

    first, now, dated, seconds = _own(database)
    assert first == ("energy", {"meter": "main"}, {"kwh": 12.5, "n": 3}, 1700000000123456789)
    assert now[:3] == ("energy", {"meter": "main"}, {"kwh": 13.0, "note": "a b"})
    assert abs(now[3] / 1e9 - time.time()) < 60
    assert dated == ("water", {"meter": "7"}, {"litres": 3.0, "leak": False}, 1795597200 * 10**9)
    assert seconds == ("water", {}, {"litres": 4.5}, 1700000000250000000)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.ledger["received"] >= before["received"] + 4
    assert not snapshot.unbalanced
    found: Any = await hass.services.async_call(
        DOMAIN, "chatty_entities", {}, blocking=True, return_response=True
    )
    subjects = {each["subject"]: each["points"] for each in found["by_points"]}
    assert (subjects["energy"], subjects["water"]) == (2, 2)


async def test_a_long_list_of_points_is_not_read_in_the_event_loop(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    threads: list[threading.Thread] = []

    class Tag:
        def __str__(self) -> str:
            threads.append(threading.current_thread())
            return "x"

    await _write(hass, points=[{"measurement": "m", "tags": {"t": Tag()}, "fields": {"v": 1}}])
    await deliver(hass, entry)
    assert threads
    assert threading.main_thread() not in threads


def _own(database: Emulator) -> list[tuple[str, dict[str, str], dict[str, Any], int]]:
    return [
        (parsed["measurement"], parsed["tags"], parsed["fields"], parsed["time"])
        for seen in database.writes
        for line in filter(None, unzipped(seen).decode().split("\n"))
        if (parsed := parse_line(line))["measurement"] != "home_assistant_events"
    ]


@pytest.mark.parametrize(
    ("data", "key", "number"),
    [
        ({"line_protocol": "a v=1\nb v=1\nbad"}, "point_syntax", "3"),
        ({"line_protocol": "a v=1\na,v=x w=1"}, "point_tag_and_field", "2"),
        ({"line_protocol": "home_assistant_events v=1"}, "point_reserved", "1"),
        ({"line_protocol": "devices v=1"}, "point_reserved", "1"),
        ({"line_protocol": "events,name=x count=1i"}, "point_reserved", "1"),
        ({"line_protocol": "a v=1\n" * 1001}, "points_too_many", None),
        ({"line_protocol": "\n" * 100_000}, "points_too_many", None),
        ({"line_protocol": "x" * 600_000}, "points_too_large", None),
        # Each is short enough by itself.
        (
            {"points": [{"measurement": "a", "fields": {"v": "x" * 10_000}}] * 60},
            "points_too_large",
            None,
        ),
        ({"line_protocol": "\n#\n"}, "no_points", None),
        ({"points": []}, "no_points", None),
        ({}, "no_points", None),
        ({"points": [{"measurement": "a", "fields": {}}]}, "point_no_fields", "1"),
        ({"points": [{"measurement": "", "fields": {"v": 1}}]}, "point_name", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": None}}]}, "point_value", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": [1]}}]}, "point_value", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": float("nan")}}]}, "point_value", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": 10**400}}]}, "point_value", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": 1}, "time": "soon"}]}, "point_time", "1"),
        (
            {"points": [{"measurement": "a", "fields": {"v": 1}, "time": "2026-13-01T00:00:00"}]},
            "point_time",
            "1",
        ),
        ({"points": [{"measurement": "a", "fields": {"v": 1}, "time": True}]}, "point_time", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": 1}, "time": 1.7e12}]}, "point_time", "1"),
        ({"points": [{"measurement": "a", "fields": {"v": 1}, "time": {}}]}, "point_time", "1"),
        # Half of a surrogate pair, as templates can make one.
        (
            {"points": [{"measurement": "a", "fields": {"v": 1}, "time": "\ud800"}]},
            "point_time",
            "1",
        ),
        # They are not looked at, as that would take long.
        ({"points": [1] * 1001}, "points_too_many", None),
    ],
)
async def test_a_point_that_is_wrong_is_named_and_nothing_is_written(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    data: dict[str, Any],
    key: str,
    number: str | None,
) -> None:
    await set_up(hass, entry)

    with pytest.raises(ServiceValidationError) as raised:
        await _write(hass, **data)

    assert raised.value.translation_key == key
    assert (raised.value.translation_placeholders or {}).get("number") == number
    assert "{" not in str(raised.value)
    await deliver(hass, entry)
    assert _own(database) == []


@pytest.mark.parametrize(
    "data",
    [
        {"line_protocol": "a v=1", "points": [{"measurement": "a", "fields": {"v": 1}}]},
        {"points": [{"measurement": "a"}]},
        {"points": [{"fields": {"v": 1}}]},
        {"points": ["a v=1"]},
        {"points": [{"measurement": "a", "fields": {"v": 1}, "extra": 1}]},
        {"points": [{"measurement": "a", "fields": {"v": 1}, "tags": {"t": ["x"]}}]},
    ],
)
async def test_points_of_another_form_are_refused_by_the_schema(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry, data: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid):
        await _write(hass, **data)


async def test_a_thousand_points_at_once_push_nothing_out(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    text = "\n".join(f"m v={number}" for number in range(1000))
    assert (await _write(hass, line_protocol=text))["received"] == 1000
    await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: len({point[3] for point in _own(database)}) == 1000)
    assert not sum((await entry.runtime_data.pipeline.snapshot()).ledger["lost"].values())


async def test_victoriametrics_gets_the_numbers_of_points_and_the_others_are_filtered(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with Emulator(dialect=Dialect.VICTORIAMETRICS) as server:
        entry = new_entry(server.url, dialect="victoriametrics", database="")
        await set_up(hass, entry)
        found = await _write(hass, line_protocol='m v=1,t="x"\nm t="y"')
        assert found == {"received": 2, "filtered": 1, "on_disk": True}
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
        await until(lambda: _own(server))
        assert [point[2] for point in _own(server)] == [{"v": 1.0}]
        snapshot = await entry.runtime_data.pipeline.snapshot()
        assert snapshot.ledger["filtered"]["no_number"] >= 1
        assert not snapshot.unbalanced


async def test_points_wait_while_the_database_is_away_and_are_refused_while_the_disk_is(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    await hass.services.async_call(DOMAIN, "pause", {}, blocking=True)
    assert (await _write(hass, line_protocol="m v=1"))["on_disk"]

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(OsFiles, "write", broken)
        hass.states.async_set("sensor.now", "1")
        with pytest.raises(HomeAssistantError, match="No space left on device"):
            await _write(hass, line_protocol="m v=2")
    await hass.services.async_call(DOMAIN, "resume", {}, blocking=True)
    await until(lambda: points(database, "sensor.now"))
    assert [point[2] for point in _own(database)] == [{"v": 1.0}]


async def test_an_action_without_a_destination_explains_itself(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_destination_that_is_unknown_or_another_s_or_not_loaded_is_refused(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry, action: str
) -> None:
    await set_up(hass, entry)
    await deliver(hass, entry)
    foreign = MockConfigEntry(domain="sun", title="Sun", data={})
    foreign.add_to_hass(hass)
    wants_response = ACTIONS[action].response is SupportsResponse.ONLY
    more = REQUIRED.get(action, {})
    expected = {
        "unknown": "service_config_entry_not_found",
        "x" * 10_000: "service_config_entry_not_found",
        foreign.entry_id: "service_config_entry_wrong_domain",
        entry.entry_id: "service_config_entry_not_loaded",
    }
    for entry_id, key in expected.items():
        data = {"config_entry_id": entry_id, **more}
        with pytest.raises(ServiceValidationError) as raised:
            await hass.services.async_call(
                DOMAIN, action, data, blocking=True, return_response=wants_response
            )
        assert raised.value.translation_key == key


async def test_with_two_destinations_one_has_to_be_named(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    other = new_entry(database.url, database="other")
    await set_up(hass, other)
    call = partial(hass.services.async_call, DOMAIN, "purge_quarantine", blocking=True)

    with pytest.raises(ServiceValidationError) as raised:
        await call({})
    assert raised.value.translation_key == "several_destinations"
    assert "config_entry_id" in str(raised.value)
    await call({"config_entry_id": other.entry_id})
    # As it was called before.
    await call({"config_entry": other.entry_id})
    with pytest.raises(vol.Invalid):
        await call({"config_entry": other.entry_id, "config_entry_id": entry.entry_id})


async def test_flush_without_a_destination_is_for_all_of_them(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    async with Emulator(profile=database.profile) as second:
        await set_up_to_send_later(hass, entry, database)
        await set_up_to_send_later(hass, new_entry(second.url), second)
        hass.states.async_set("sensor.now", "1")

        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)

        await until(lambda: points(database, "sensor.now"))
        await until(lambda: points(second, "sensor.now"))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", ["read_only", "user"])
async def test_every_action_is_for_administrators(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
    action: str,
    kind: str,
) -> None:
    await quarantine_one(hass, database, entry)
    user = hass_read_only_user
    if kind == "user":
        group = await hass.auth.async_get_group("system-users")
        assert group
        user = MockUser(groups=[group]).add_to_hass(hass)
    wants_response = ACTIONS[action].response is not SupportsResponse.NONE
    call = partial(
        hass.services.async_call, DOMAIN, action, blocking=True, return_response=wants_response
    )

    data = REQUIRED.get(action, {})

    with pytest.raises(Unauthorized):
        await call(data, context=Context(user_id=user.id))
    assert len(await entry.runtime_data.pipeline.quarantine.records()) == 1

    if action not in WANTS_MORE:
        await call(data, context=Context(user_id=hass_admin_user.id))


async def test_flush_says_that_the_spool_cannot_be_opened(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    """A file where the folder of the spool should be: it stays like that."""
    path = spool_path(hass, entry)
    path.parent.mkdir(parents=True)
    path.write_text("")
    await set_up(hass, entry)

    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    assert raised.value.translation_key == "spool_error"
    assert (raised.value.translation_placeholders or {})["detail"]


async def test_flush_delivers_for_the_others_when_one_spool_cannot_be_opened(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    broken = new_entry(database.url, database="other")
    path = spool_path(hass, broken)
    path.parent.mkdir(parents=True)
    path.write_text("")
    await set_up(hass, broken)
    await set_up_to_send_later(hass, entry, database)
    hass.states.async_set("sensor.now", "1")

    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
    await until(lambda: points(database, "sensor.now"))


async def test_a_disk_that_fails_is_an_error_with_a_text(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await quarantine_one(hass, database, entry)

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OsFiles, "write", broken)

    with pytest.raises(HomeAssistantError, match="No space left on device"):
        await hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)


async def test_every_action_has_texts_and_an_icon(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "services", {DOMAIN})
    icons = (await async_get_icons(hass, "services", {DOMAIN}))[DOMAIN]

    for action in ACTIONS:
        assert f"component.{DOMAIN}.services.{action}.name" in texts
        assert action in icons
