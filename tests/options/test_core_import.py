"""The settings of the built-in `influxdb` integration are taken over as that reads them."""

from typing import Any

import pytest
from homeassistant.components.influxdb import INFLUX_SCHEMA

from custom_components.ha_ingestor.options.core_import import core_settings_from
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import (
    CoreOverride,
    CoreSettings,
)

AS_WRITTEN: dict[str, Any] = {
    "api_version": 2,
    "ssl": False,
    "host": "influx.local",
    "token": "secret",
    "organization": "home",
    "bucket": "ha",
    "exclude": {
        "domains": ["update"],
        "entities": "Sun.sun, light.a",
        "entity_globs": "sensor.*_x",
    },
    "measurement_attr": "domain__device_class",
    "default_measurement": "state",
    "override_measurement": "all",
    "tags": {"house": "north", "floors": 3},
    "tags_attributes": ["friendly_name"],
    "ignore_attributes": "icon",
    "component_config": {"Sensor.Kitchen": {"override_measurement": "kitchen"}},
    "component_config_domain": {"light": {"ignore_attributes": []}},
    "component_config_glob": {
        "sensor.power_*": {"override_measurement": "", "ignore_attributes": ["icon", "source"]}
    },
}
TAKEN_OVER = CoreSettings(
    measurement_attr="domain__device_class",
    default_measurement="state",
    override_measurement="all",
    tags={"house": "north", "floors": "3"},
    tags_attributes=frozenset({"friendly_name"}),
    ignore_attributes=frozenset({"icon"}),
    component_config={"sensor.kitchen": CoreOverride(override_measurement="kitchen")},
    component_config_domain={"light": CoreOverride(ignore_attributes=frozenset())},
    component_config_glob={
        "sensor.power_*": CoreOverride(
            override_measurement="", ignore_attributes=frozenset({"icon", "source"})
        )
    },
)


def test_everything_that_shapes_a_point_is_taken_over() -> None:
    taken = core_settings_from(AS_WRITTEN)

    assert taken.settings == TAKEN_OVER
    assert taken.left_out == ()
    assert taken.exclude == {
        "domains": ("update",),
        "entities": ("sun.sun", "light.a"),
        "entity_globs": ("sensor.*_x",),
    }


def test_what_was_validated_says_the_same_as_what_was_written() -> None:
    assert core_settings_from(INFLUX_SCHEMA(AS_WRITTEN)) == core_settings_from(AS_WRITTEN)


def test_nothing_written_is_the_defaults_of_the_built_in_integration() -> None:
    assert core_settings_from({}).settings == CoreSettings()
    assert core_settings_from(INFLUX_SCHEMA({})).settings == CoreSettings()


def test_the_data_of_an_entry_has_nothing_to_take_over_and_nothing_left_out() -> None:
    entry = {"api_version": "1", "host": "localhost", "port": 8086, "username": None, "path": None}

    taken = core_settings_from(entry)

    assert taken.settings == CoreSettings()
    assert taken.left_out == ()


@pytest.mark.parametrize(
    ("config", "left_out"),
    [
        ({"precision": "ms"}, "precision"),
        ({"max_retries": 3}, "max_retries"),
        ({"measurement_attr": "friendly_name"}, "measurement_attr"),
        ({"default_measurement": ["a"]}, "default_measurement"),
        ({"tags": ["a"]}, "tags"),
        ({"tags": {"a": {"b": "c"}}}, "tags.a"),
        ({"tags_attributes": [None]}, "tags_attributes"),
        ({"component_config": {"light.a": "x"}}, "component_config.light.a"),
        ({"component_config_glob": {"*": {"tags": {}}}}, "component_config_glob.*.tags"),
        ({"include": "sensor"}, "include"),
        ({"include": {"entities": [1, ["a"]]}, "exclude": {"domains": []}}, "include"),
        ({"exclude": ["light.a"]}, "exclude"),
        ({"exclude": {"domain": ["light"]}}, "exclude"),
        ({"exclude": {"domains": [["light"]]}}, "exclude"),
    ],
)
def test_what_cannot_be_taken_over_is_named(config: dict[str, Any], left_out: str) -> None:
    taken = core_settings_from(config | {"override_measurement": "all"})

    assert taken.left_out == (left_out,)
    assert taken.settings.override_measurement == "all"


def test_a_list_of_the_configuration_without_a_value_is_empty() -> None:
    config = {"component_config": {"light.a": {"ignore_attributes": None}}}

    assert core_settings_from(config).settings.component_config == {
        "light.a": CoreOverride(ignore_attributes=frozenset())
    }
    validated = core_settings_from(INFLUX_SCHEMA(config))
    assert validated.settings == core_settings_from(config).settings


def test_include_and_exclude_are_taken_over_together() -> None:
    config = {
        "include": {"domains": ["sensor"], "entities": "Light.A, light.b"},
        "exclude": {"entity_globs": ["sensor.*_x"]},
    }

    taken = core_settings_from(config)

    assert taken.include == {"domains": ("sensor",), "entities": ("light.a", "light.b")}
    assert taken.exclude == {"entity_globs": ("sensor.*_x",)}
    assert (taken.taken, taken.left_out) == (("include", "exclude"), ())


def test_where_one_of_the_two_cannot_be_read_neither_is_taken_over() -> None:
    config = {"exclude": {"entities": ["light.a"]}, "include": "sensor"}

    taken = core_settings_from(config)

    assert taken.left_out == ("include", "exclude")
    assert (taken.include, taken.exclude) == ({}, {})


@pytest.mark.parametrize("nothing", [None, {}, {"domains": []}, {"entities": None}])
def test_empty_lists_in_the_configuration_exclude_nothing(nothing: Any) -> None:
    taken = core_settings_from({"include": nothing, "exclude": nothing})

    assert (taken.left_out, taken.exclude) == ((), {})
