"""The Flux task that keeps one point a day of every numeric field."""

from typing import Final

from .quoting import flux_text

SUMMARY_DAYS: Final = 1_826  # five years, one or two of which have a day more
# Points that come late, after an outage, are summed up too.
_REPEATED_DAYS: Final = 3

# Texts and booleans have no mean, and one field has one type for ever.
_FLUX: Final = """\
import "date"
import "timezone"
import "types"

option task = {{name: {name}, every: 1d, offset: 1h}}
option location = timezone.location(name: {time_zone})

stop = date.truncate(t: now(), unit: 1d)
numbers = from(bucket: {source})
    |> range(start: date.sub(d: {days}d, from: stop), stop: stop)
    |> filter(fn: (r) => types.isNumeric(v: r._value))
    |> toFloat()

summary = (fn, name) => numbers
    |> aggregateWindow(every: 1d, fn: fn, createEmpty: false, timeSrc: "_start")
    |> map(fn: (r) => ({{r with _field: r._field + "_" + name}}))
    |> to(bucket: {target}, org: {org})

summary(fn: mean, name: "mean") |> yield(name: "mean")
summary(fn: min, name: "min") |> yield(name: "min")
summary(fn: max, name: "max") |> yield(name: "max")
summary(fn: last, name: "last") |> yield(name: "last")
"""


def summary_bucket(bucket: str) -> str:
    """Name the bucket of the daily summaries of another one."""
    return f"{bucket}_daily"


def summary_task_name(bucket: str) -> str:
    """Name the task that fills it."""
    return f"HA Ingestor: daily summary of {bucket}"


def summary_task(bucket: str, *, org: str, time_zone: str) -> str:
    """Write the task; a day is one of the time zone."""
    return _FLUX.format(
        name=flux_text(summary_task_name(bucket)),
        time_zone=flux_text(time_zone),
        source=flux_text(bucket),
        target=flux_text(summary_bucket(bucket)),
        org=flux_text(org),
        days=_REPEATED_DAYS,
    )
