"""Each item at its own instant, whatever its time; one that has none costs no other."""

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoded, Encoder
from custom_components.ha_ingestor.pipeline.encode.line_protocol import TIME_MAX_US
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import OtherEvent, RegistryRow
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

PROFILES: list[type[HomeIQ | Tidy]] = [HomeIQ, Tidy]
both = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.__name__)


def event(time: Any, **data: Any) -> OtherEvent:
    return OtherEvent("odd", data, time, FakeContext())


def encoded(profile: type[HomeIQ | Tidy], *items: Any) -> Encoded:
    return Encoder(profile=profile(dumps=json_dumps)).encode(items)


def times(lines: list[str]) -> list[int]:
    return [parse_line(line)["time"] for line in lines]


@both
@pytest.mark.parametrize(
    "time",
    [float("nan"), float("inf"), -float("inf"), "2026-01-01", b"1", None, [1.0], {}, object(), 1j],
    # Not the object's own text, which says where it lies in memory.
    ids=lambda time: repr(time).partition(" object at ")[0],
)
def test_what_has_no_time_is_counted_and_costs_no_other(
    profile: type[HomeIQ | Tidy], time: Any
) -> None:
    found = encoded(
        profile,
        change(FakeState(state="1")),
        event(time, a=1),
        change(FakeState(state="3", last_updated_timestamp=time), of=entity("sensor.odd")),
        RegistryRow("devices", (("device_id", "d"),), (("name", "n"),), time),
        change(FakeState(state="2"), of=entity("sensor.other")),
    )

    assert ["sensor.kitchen" in found.lines[0], "sensor.other" in found.lines[1]] == [True, True]
    assert len(found.lines) == 2
    assert found.filtered == {"not_encodable": 3}


def test_a_time_that_nobody_can_read_costs_no_other_point_of_core() -> None:
    items = [change(FakeState(state=str(n)), time=t) for n, t in enumerate([NOON, float("nan")])]
    found = Encoder(profile=Core()).encode([*items, change(FakeState(state="3"))])

    assert len(found.lines) == 2
    assert found.filtered == {"not_encodable": 1}


@both
@pytest.mark.parametrize(
    "time",
    [
        datetime.fromtimestamp(NOON, UTC),
        datetime.fromtimestamp(NOON, timezone(timedelta(hours=5))),
        int(NOON),
        Decimal(int(NOON)),
    ],
    ids=repr,
)
def test_a_time_that_can_be_read_is_read(profile: type[HomeIQ | Tidy], time: Any) -> None:
    found = encoded(profile, event(time, a=1))

    assert times(found.lines) == [int(NOON) * 10**9]
    assert found.filtered == {}


@both
@pytest.mark.parametrize(
    "odd",
    [
        [NOON * 1000 + number for number in range(20)],
        [NOON * 1e9 + number * 1e6 for number in range(20)],
        [-5.0 - number for number in range(20)],
        [NOON * 1000] * 20,
        [-5.0] * 20,
        [-1e300, 1e300] * 10,
        [NOON * 1000 + number if number % 2 else NOON + number for number in range(20)],
        [-5.0 - number if number % 2 else NOON for number in range(0, 20, 1)],
        [TIME_MAX_US / 1e6] * 20,
    ],
)
def test_times_that_no_server_takes_stay_as_many_as_they_are(
    profile: type[HomeIQ | Tidy], odd: list[float]
) -> None:
    found = times(encoded(profile, *(event(time) for time in odd)).lines)

    assert len(set(found)) >= len(set(odd))
    if len(set(odd)) in (1, 20):
        assert len(set(found)) == 20
    assert all(0 <= time <= TIME_MAX_US * 1000 for time in found)


@both
@pytest.mark.parametrize(
    "seconds",
    [(0, -5, 0), (0, 0, -5, 0, -5, 0), (0, 1, 2, 0, 1, 2), (5, 0, 0, 5, 0), (0, 1e-6, 1, 1e-6, 0)],
)
def test_no_point_takes_the_time_of_another_however_they_go_back_and_forth(
    profile: type[HomeIQ | Tidy], seconds: tuple[float, ...]
) -> None:
    base = int(NOON)
    found = times(encoded(profile, *(event(base + each) for each in seconds)).lines)

    assert len(set(found)) == len(seconds)
    for time, wanted in zip(found, seconds, strict=True):
        assert time / 1e9 == pytest.approx(base + wanted, abs=1e-5)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20, unique=True),
    st.randoms(use_true_random=False),
)
def test_any_finite_time_is_one_that_servers_take(odd: list[float], chance: random.Random) -> None:
    chance.shuffle(odd)
    found = encoded(HomeIQ, *(event(time) for time in odd))

    assert len(found.lines) == len(odd)
    assert found.filtered == {}
    assert all(0 <= time <= TIME_MAX_US * 1000 for time in times(found.lines))
