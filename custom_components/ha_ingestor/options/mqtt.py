"""What is asked about messages: topic patterns, and how what comes there is stored."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    Selector,
    TextSelector,
)

from ..pipeline.encode.columns import OWN_MEASUREMENTS
from ..pipeline.encode.line_protocol import NAME_MAX_BYTES
from ..pipeline.encode.message_shape import (
    FIELDS_MAX,
    LEFT_OUT,
    MessageShape,
    taken_names,
)
from ..pipeline.encode.topic_pattern import FIELD, TOPIC, PatternError, TopicPattern
from .number import OptionError
from .selectors import TEXTS, choice
from .stored import usable

CONF_PRESETS: Final = "presets"
CONF_TOPICS: Final = "topics"

CONF_TOPIC: Final = "topic"
CONF_MEASUREMENT: Final = "measurement"
CONF_FIELD: Final = "field"
CONF_FIELDS: Final = "fields"
CONF_TEXTS: Final = "texts"

MEASUREMENT_DEFAULT: Final = "mqtt"
FIELD_DEFAULT: Final = "value"
# Each is looked at for each message.
ROWS_MAX: Final = 50
TAGS_MAX: Final = 16
_TOPIC_MAX: Final = 1024
# What comes of it has other topics, and not all of it comes.
_SHARED: Final = "$share/"
_NO_TAGS: Final = frozenset({TOPIC, LEFT_OUT, "time", "clock_unset"})
_UNSAFE: Final = frozenset("\\\"'`{}<>")

# What others publish, each into a measurement of its own: their tags have nothing in common.
PRESETS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "statestream": (("homeassistant/{domain}/{object}/{field}", "mqtt_statestream"),),
    "discovery": (
        ("homeassistant/{component}/{object}/state", "mqtt_discovery"),
        ("homeassistant/{component}/{node}/{object}/state", "mqtt_discovery"),
    ),
    "zigbee2mqtt": (("zigbee2mqtt/{device}", "zigbee2mqtt"),),
    "tasmota": (("tele/{device}/{message}", "tasmota"),),
}

PRESETS_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(CONF_PRESETS, default=list): choice(
            "mqtt_preset", PRESETS, multiple=True, as_list=True
        )
    }
)
ROW: Final[Mapping[str, Selector[Any]]] = {
    CONF_TOPIC: TextSelector(),
    CONF_MEASUREMENT: TextSelector(),
    CONF_FIELD: TextSelector(),
    CONF_FIELDS: TEXTS,
    CONF_TEXTS: TEXTS,
}
SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_TOPICS): ObjectSelector(
            ObjectSelectorConfig(
                fields={
                    name: ObjectSelectorField(selector=selector, required=name == CONF_TOPIC)
                    for name, selector in ROW.items()
                },
                multiple=True,
                label_field=CONF_TOPIC,
                description_field=CONF_MEASUREMENT,
                translation_key="mqtt_topic",
            )
        )
    }
)
_DEFAULTS: Final[Mapping[str, Any]] = {CONF_TOPICS: []}


def preset_rows(chosen: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rows that presets begin with."""
    return [
        {CONF_TOPIC: topic, CONF_MEASUREMENT: measurement}
        for name in PRESETS
        if name in chosen
        for topic, measurement in PRESETS[name]
    ]


def accepted(entered: Mapping[str, Any], reserved: Iterable[str]) -> dict[str, Any]:
    """Return what to store of a filled-in form; raises OptionError.

    `reserved` are the measurements that the profile may use beside those that it always has.
    """
    rows = entered[CONF_TOPICS]
    if not rows:
        raise OptionError(CONF_TOPICS, "no_topics")
    if len(rows) > ROWS_MAX:
        raise OptionError(CONF_TOPICS, "too_many_topics", more={"max": str(ROWS_MAX)})
    taken = OWN_MEASUREMENTS | set(reserved)
    stored = [_accepted_row(row, taken) for row in rows]
    _check_pairs(stored)
    return {CONF_TOPICS: stored}


def _check_pairs(rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse topics that come twice, or whose points could not be told apart."""
    filters: set[str] = set()
    series: set[tuple[str, frozenset[str]]] = set()
    for row in rows:
        topic = row[CONF_TOPIC]
        pattern = TopicPattern.of(topic)
        of = row[CONF_MEASUREMENT], frozenset(pattern.tags)
        if pattern.filter in filters:
            raise OptionError(CONF_TOPICS, "topic_twice", topic)
        if of in series and TOPIC not in pattern.tags:
            raise OptionError(CONF_TOPICS, "same_series", topic)
        filters.add(pattern.filter)
        series.add(of)


def _accepted_row(row: Mapping[str, Any], reserved: Iterable[str]) -> dict[str, Any]:
    topic = row[CONF_TOPIC].strip()
    if (
        not topic
        or len(topic.encode("utf-8", "replace")) > _TOPIC_MAX
        or not topic.isprintable()
        or topic.startswith(_SHARED)
    ):
        raise OptionError(CONF_TOPICS, "topic_not_possible", topic[:NAME_MAX_BYTES])
    try:
        pattern = TopicPattern.of(topic)
    except PatternError as err:
        raise OptionError(CONF_TOPICS, "topic_not_possible", topic) from err
    names = [name for name in pattern.names if name and name != FIELD]
    if len(names) > TAGS_MAX or any(name in _NO_TAGS or name.endswith("_str") for name in names):
        raise OptionError(CONF_TOPICS, "tag_not_possible", topic)
    measurement = row.get(CONF_MEASUREMENT, "").strip() or MEASUREMENT_DEFAULT
    if measurement in reserved:
        raise OptionError(CONF_TOPICS, "measurement_reserved", measurement)
    field = row.get(CONF_FIELD, "").strip() or FIELD_DEFAULT
    for name in (measurement, field):
        if not _is_possible(name):
            raise OptionError(CONF_TOPICS, "name_not_possible", name[:NAME_MAX_BYTES])
    paths = {key: _paths(row.get(key, ())) for key in (CONF_FIELDS, CONF_TEXTS)}
    for named in paths.values():
        if len(named) > FIELDS_MAX or any(len(path) > NAME_MAX_BYTES for path in named):
            raise OptionError(CONF_TOPICS, "too_many_fields", topic, {"max": str(FIELDS_MAX)})
    return {
        CONF_TOPIC: topic,
        CONF_MEASUREMENT: measurement,
        CONF_FIELD: field,
        **paths,
    }


def _is_possible(name: str) -> bool:
    return (
        name.isprintable()
        and len(name) <= NAME_MAX_BYTES // 4
        and not name.startswith(("_", "#"))
        and _UNSAFE.isdisjoint(name)
    )


def _paths(entered: Iterable[str]) -> list[str]:
    """Tidy names of fields; who writes `battery.level` means the same as `battery_level`."""
    return list(dict.fromkeys(path for each in entered if (path := each.strip().replace(".", "_"))))


def _usable_rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that can be used, of whatever is stored."""
    stored = usable(SCHEMA, data, _DEFAULTS).page.get(CONF_TOPICS, [])
    rows = []
    for row in stored:
        with suppress(OptionError, KeyError):
            rows.append(_accepted_row({name: row[name] for name in ROW if name in row}, ()))
    return rows


def lost_rows(data: Mapping[str, Any]) -> bool:
    """Whether a row cannot be used as it is stored."""
    stored = data.get(CONF_TOPICS)
    return not isinstance(stored, (list, tuple)) or len(_usable_rows(data)) < len(stored)


def shapes_of(data: Mapping[str, Any]) -> tuple[MessageShape, ...]:
    """Read what is stored, in its order."""
    rows = [(TopicPattern.of(row[CONF_TOPIC]), row) for row in _usable_rows(data)]
    named = [(row[CONF_MEASUREMENT], pattern) for pattern, row in rows]
    return tuple(
        MessageShape(
            pattern=pattern,
            measurement=row[CONF_MEASUREMENT],
            field=row[CONF_FIELD],
            fields=frozenset(row[CONF_FIELDS]),
            texts=frozenset(row[CONF_TEXTS]),
            taken=taken_names(named, row[CONF_MEASUREMENT]),
        )
        for pattern, row in rows
    )


def measurements_of(stored: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Read in which measurements messages are stored."""
    return frozenset(row[CONF_MEASUREMENT] for data in stored for row in _usable_rows(data))
