"""What the panels of a Grafana dashboard ask, in each language, about points of each profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a profile names things.

    `measurement` is the only one, or empty where the viewer chooses among `measurements`, as they
    are labelled. `group` is the tag that numbers are counted by; `told` are the fields that the
    latest changes show.
    """

    title: str
    measurement: str = ""
    measurements: str = ""
    group: str
    told: tuple[str, ...]

    @property
    def influxql(self) -> str:
        """What stands behind FROM."""
        return f'"{self.measurement}"' if self.measurement else "/^$measurement$/"

    @property
    def flux(self) -> str:
        """What the measurement has to be."""
        name = self.measurement
        return f'== "{name}"' if name else "=~ /^${measurement:regex}$/"

    def metric(self, labels: str = "") -> str:
        """Select the metrics of the values."""
        if self.measurement:
            return f"{self.measurement}_value{f'{{{labels}}}' if labels else ''}"
        name = '__name__=~"($measurement)_value"'
        return f"{{{', '.join(filter(None, (name, labels)))}}}"


HOMEIQ: Final = Profile(
    title="HomeIQ",
    measurement="home_assistant_events",
    group="domain",
    told=("state", "old_state", "cause"),
)
TIDY: Final = Profile(
    title="Tidy", measurements="Domain", group="area", told=("value", "state", "cause")
)
CORE: Final = Profile(
    title="Built-in", measurements="Measurement", group="domain", told=("value", "state")
)
PROFILES: Final = {"homeiq": HOMEIQ, "tidy": TIDY, "core": CORE}

type Query = Callable[[Profile], str]

_CHOSEN_INFLUXQL: Final = '"entity_id" =~ /^$entity$/ AND $timeFilter'


def _told_influxql(it: Profile) -> str:
    fields = ", ".join(f'"{name}"' for name in it.told)
    return (
        f'SELECT "entity_id", {fields} FROM {it.influxql} '
        f"WHERE {_CHOSEN_INFLUXQL} ORDER BY time DESC LIMIT 100"
    )


INFLUXQL: Final[Mapping[str, Query]] = {
    "measurement": lambda _: "SHOW MEASUREMENTS",
    "entity": lambda it: f'SHOW TAG VALUES FROM {it.influxql} WITH KEY = "entity_id"',
    "values": lambda it: (
        f'SELECT mean("value") FROM {it.influxql} WHERE {_CHOSEN_INFLUXQL} '
        'GROUP BY time($__interval), "entity_id" fill(none)'
    ),
    "states": lambda it: (
        f'SELECT "state" FROM {it.influxql} WHERE {_CHOSEN_INFLUXQL} GROUP BY "entity_id"'
    ),
    "numbers": lambda it: (
        f'SELECT count("value") FROM {it.influxql} WHERE $timeFilter '
        f'GROUP BY time($__interval), "{it.group}" fill(none)'
    ),
    "most": lambda it: (
        'SELECT top("points", "entity_id", 10) FROM '
        f'(SELECT count("value") AS "points" FROM {it.influxql} WHERE $timeFilter '
        'GROUP BY "entity_id")'
    ),
    "latest": _told_influxql,
}


def _flux(it: Profile, field: str, *, chosen: bool = True) -> str:
    conditions = [f"r._measurement {it.flux}", f'r._field == "{field}"']
    if chosen:
        conditions.append("r.entity_id =~ /^${entity:regex}$/")
    return (
        "from(bucket: v.defaultBucket)\n"
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n"
        f"  |> filter(fn: (r) => {' and '.join(conditions)})\n"
    )


def _told_flux(it: Profile) -> str:
    fields = " or ".join(f'r._field == "{name}"' for name in it.told)
    shown = ", ".join(f'"{name}"' for name in ("_time", "entity_id", *it.told))
    return (
        "from(bucket: v.defaultBucket)\n"
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n"
        f"  |> filter(fn: (r) => r._measurement {it.flux} and ({fields})"
        " and r.entity_id =~ /^${entity:regex}$/)\n"
        "  |> map(fn: (r) => ({r with _value: string(v: r._value)}))\n"
        "  |> group()\n"
        '  |> pivot(rowKey: ["_time", "entity_id"], columnKey: ["_field"], valueColumn: "_value")\n'
        '  |> sort(columns: ["_time"], desc: true)\n'
        "  |> limit(n: 100)\n"
        f"  |> keep(columns: [{shown}])"
    )


_SCHEMA: Final = 'import "influxdata/influxdb/schema"\n'
_RANGE: Final = "bucket: v.defaultBucket, start: v.timeRangeStart, stop: v.timeRangeStop"

FLUX: Final[Mapping[str, Query]] = {
    "measurement": lambda _: f"{_SCHEMA}schema.measurements({_RANGE})",
    "entity": lambda it: (
        f'{_SCHEMA}schema.tagValues({_RANGE}, tag: "entity_id", '
        f"predicate: (r) => r._measurement {it.flux})"
    ),
    "values": lambda it: (
        f"{_flux(it, 'value')}"
        '  |> group(columns: ["entity_id"])\n'
        "  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)\n"
        '  |> keep(columns: ["_time", "_value", "entity_id"])'
    ),
    "states": lambda it: (
        f"{_flux(it, 'state')}"
        '  |> group(columns: ["entity_id"])\n'
        '  |> sort(columns: ["_time"])\n'
        '  |> keep(columns: ["_time", "_value", "entity_id"])'
    ),
    "numbers": lambda it: (
        f"{_flux(it, 'value', chosen=False)}"
        f'  |> group(columns: ["{it.group}"])\n'
        "  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false)\n"
        f'  |> keep(columns: ["_time", "_value", "{it.group}"])'
    ),
    "most": lambda it: (
        f"{_flux(it, 'value', chosen=False)}"
        '  |> group(columns: ["entity_id"])\n'
        "  |> count()\n"
        "  |> group()\n"
        '  |> top(n: 10, columns: ["_value"])\n'
        '  |> rename(columns: {_value: "points"})'
    ),
    "latest": _told_flux,
}

_CHOSEN_LABEL: Final = 'entity_id=~"$entity"'

METRICSQL: Final[Mapping[str, Query]] = {
    "measurement": lambda _: 'label_values({__name__=~".+_value"}, __name__)',
    "entity": lambda it: f"label_values({it.metric()}, entity_id)",
    "values": lambda it: (
        f"avg(avg_over_time({it.metric(_CHOSEN_LABEL)}[$__interval])) by (entity_id)"
    ),
    "numbers": lambda it: f"sum(count_over_time({it.metric()}[$__interval])) by ({it.group})",
    "most": lambda it: f"topk(10, sum(count_over_time({it.metric()}[$__range])) by (entity_id))",
    "silent": lambda it: (
        f"topk(10, time() - max(tlast_over_time({it.metric()}[$__range])) by (entity_id))"
    ),
}
