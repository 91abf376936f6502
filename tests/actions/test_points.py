"""Points of a user arrive as they were given, or are refused with a reason."""

import threading
import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from line_protocol_parser import parse_line
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.files import OsFiles
from tests.emulator import Emulator
from tests.shell import deliver, new_entry, points, set_up, until, unzipped


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
        ({"line_protocol": "home_assistant_statistics v=1"}, "point_reserved", "1"),
        ({"line_protocol": "ha_ingestor_self_test v=1"}, "point_reserved", "1"),
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
