"""Hours of long-term statistics as points: the same columns with every profile, beside its tags."""

from math import inf, nan
from typing import Any

import pytest

from custom_components.ha_ingestor.enrich.units import metric_units
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import CoreSettings
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.encode.statistics import Hour, Statistic, series_of
from tests.pipeline.state_events import FakeState, change, entity

ATTIC = entity(
    "sensor.attic",
    area_id="attic",
    area="Attic",
    floor="Top",
    device_id="d1",
    device="Thermometer",
    integration="zha",
    labels=("Warm",),
)
TEMPERATURE = Statistic(statistic_id="sensor.attic", source="recorder", unit="°C")
CLASSES = {"device_class": "temperature", "state_class": "measurement"}
HOUR = Hour(1_583_020_800.0, 3.5, 3.0, 4.0)
COMMON = "source=recorder,statistic_id=sensor.attic"


def json_of(_value: Any) -> str:
    return "{}"


def line(
    profile: Profile, hour: Hour = HOUR, statistic: Statistic = TEMPERATURE, **more: str
) -> str | None:
    point = series_of(statistic, profile, ATTIC, CLASSES | more).encode(hour)
    assert point is None or point.measurement == "home_assistant_statistics"
    return point.line if point else None


@pytest.mark.parametrize(
    ("profile", "tags"),
    [
        pytest.param(
            HomeIQ(dumps=json_of, location="Home", tags=("labels", "state_class")),
            "area=Attic,area_id=attic,device_class=temperature,device_id=d1,domain=sensor,"
            "entity_id=sensor.attic,integration=zha,labels=|Warm|,location=Home,"
            f"{COMMON.replace('recorder', 'recorder,state_class=measurement')},unit=°C",
            id="homeiq",
        ),
        pytest.param(
            Tidy(dumps=json_of, location="Home"),
            "area=Attic,device=Thermometer,device_class=temperature,entity_id=sensor.attic,"
            f"floor=Top,integration=zha,location=Home,{COMMON},unit=°C",
            id="tidy",
        ),
        pytest.param(
            # What is a field of a statistic is no tag.
            Core(settings=CoreSettings(tags={"home": "Here", "min": "x", "state": "y"})),
            "domain=sensor,entity_id=attic,home=Here,min_=x,source=recorder,state_=y,"
            "statistic_id=sensor.attic,unit=°C",
            id="core",
        ),
    ],
)
def test_the_tags_are_those_of_the_profile_and_the_fields_are_the_same(
    profile: Profile, tags: str
) -> None:
    assert line(profile) == (
        f"home_assistant_statistics,{tags.replace(' ', chr(92) + ' ')}"
        " mean=3.5,min=3.0,max=4.0 1583020800000000000"
    )


def test_a_database_of_numbers_gets_all_of_it() -> None:
    assert line(Tidy(dumps=json_of, numbers_only=True)) == line(Tidy(dumps=json_of))


def test_the_unit_is_that_of_the_statistic_and_not_that_of_the_state() -> None:
    profile = Tidy(dumps=json_of)
    assert line(profile, unit_of_measurement="°F") == line(profile)
    none = Statistic(statistic_id="sensor.attic", source="recorder")
    found = line(profile, statistic=none, unit_of_measurement="°F")
    assert found
    assert "unit=" not in found


def test_numbers_are_converted_and_a_sum_has_no_zero_point() -> None:
    """A sum of 18 °F is one of 10 °C, wherever it began."""
    statistic = Statistic(statistic_id="sensor.attic", source="recorder", unit="°F")
    found = line(
        HomeIQ(dumps=json_of, units=metric_units),
        Hour(3600.0, 50.0, 32.0, 68.0, 18.0, 68.0),
        statistic,
    )
    assert found
    assert ",unit=°C mean=" in found
    fields = dict(pair.split("=") for pair in found.split(" ")[-2].split(","))
    expected = {"mean": 10, "min": 0, "max": 20, "sum": 10, "state": 20}
    assert {name: float(value) for name, value in fields.items()} == pytest.approx(expected)


def test_without_a_device_class_the_class_of_the_unit_says_what_it_is() -> None:
    statistic = Statistic(
        statistic_id="supplier:gas", source="supplier", unit="ft³", unit_class="volume"
    )
    profile = HomeIQ(dumps=json_of, units=metric_units, location="Home")
    point = series_of(statistic, profile, None, {}).encode(Hour(0.0, sum=1000.0))
    assert point
    series, fields, _ = point.line.split(" ")
    assert series == (
        "home_assistant_statistics,location=Home,source=supplier,statistic_id=supplier:gas,unit=m³"
    )
    assert float(fields.removeprefix("sum=")) == pytest.approx(28.3168, abs=1e-4)


@pytest.mark.parametrize(
    "hour", [Hour(0.0), Hour(0.0, nan), Hour(0.0, inf, -inf)], ids=["none", "nan", "infinity"]
)
def test_what_no_database_stores_gives_no_point(hour: Hour) -> None:
    assert line(Tidy(dumps=json_of), hour) is None


def test_names_of_others_cannot_break_a_line() -> None:
    statistic = Statistic(
        statistic_id="supplier:a", source="supplier", name="The house,\nof=us\\", unit="k W"
    )
    point = series_of(statistic, Tidy(dumps=json_of), None, {}).encode(Hour(0.0, 1.0))
    assert point
    assert point.line == (
        r"home_assistant_statistics,name=The\ house\,\ of\=us/,source=supplier,"
        r"statistic_id=supplier:a,unit=k\ W mean=1.0 0000"
    )


def test_states_of_the_core_profile_are_not_in_it() -> None:
    settings = CoreSettings(override_measurement="home_assistant_statistics")
    (found,) = Encoder(profile=Core(settings=settings)).encode([change(FakeState(state="5"))]).lines
    assert found.startswith("home_assistant_statistics_,")
