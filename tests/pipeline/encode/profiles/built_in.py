"""The same change of state through Home Assistant's built-in `influxdb` integration and through us.

Also a program, for the Home Assistant whose interpreter runs it: it compares many changes, and
tells how many. Needs nothing that only tests have.
"""

import json
import random
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import isfinite
from typing import Any, Final

from homeassistant.components.influxdb import INFLUX_SCHEMA, _generate_event_to_json
from homeassistant.const import __version__
from homeassistant.core import Event, State
from influxdb.line_protocol import make_lines
from influxdb_client.client.write.point import Point

from custom_components.ha_ingestor.options.core_import import core_settings_from
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.line_protocol import STRING_MAX_BYTES, TAGS_MAX
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.model import EntityContext, StateEvent
from tests.emulator.line_protocol import BadLine, parse
from tests.pipeline.encode.documented import (
    cut,
    marked,
    spaced,
    stored_field,
    stored_key,
    stored_name,
    stored_tag,
)

from .built_in_changes import Change, random_changes, random_config

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

type Converter = Callable[[Event[Any]], dict[str, Any] | None]
type Stored = tuple[str, dict[str, str], dict[str, str], int]


def converter(config: Mapping[str, Any]) -> Converter:
    """Return the built-in integration's converter for its YAML."""
    conf = INFLUX_SCHEMA(dict(config))
    # What the config entry makes of what is not there.
    nothing: dict[str, list[str]] = {"entity_globs": [], "entities": [], "domains": []}
    made: Converter = _generate_event_to_json({"include": nothing, "exclude": nothing} | conf)
    return made


def line_v1(point: dict[str, Any]) -> str:
    """Encode as the client for InfluxDB 1 does."""
    return str(make_lines({"points": [point]})).removesuffix("\n")


def line_v2(point: dict[str, Any]) -> str:
    """Encode as the client for InfluxDB 2 does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of a `#` in the first place
        return str(Point.from_dict(point).to_line_protocol())


class Ours:
    """Our profile with the settings taken over from the built-in integration's."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        taken = core_settings_from(config)
        if taken.left_out:
            raise ValueError(taken.left_out)
        self.config = config
        self._profile = Core(settings=taken.settings)
        self._entities: dict[str, EntityContext] = {}

    def line(self, event: Event[Any]) -> str | None:
        """Encode as our pipeline does, but that it would move an instant that was there before."""
        new: State = event.data["new_state"]
        entity = self._entities.setdefault(
            new.entity_id, EntityContext(entity_id=new.entity_id, domain=new.domain)
        )
        state_event = StateEvent(entity, new, None, event.time_fired_timestamp, event.context)
        lines = Encoder(profile=self._profile).encode([state_event]).lines
        return lines[0].encode("utf-8", "replace").decode() if lines else None


def stored(line: str | None) -> Stored | None:
    """Read a line; None is an empty one. Values are told apart exactly: `float -0.0`."""
    if not line:
        return None
    (point,) = parse(line)
    if isinstance(point, BadLine):
        raise ValueError(point)  # noqa: TRY004  it is what the line says that is wrong
    measurement, tags = point.series
    fields = {key: f"{type(value).__name__} {value!r}" for key, value in point.fields.items()}
    return measurement, dict(tags), fields, point.time


def plain(point: Mapping[str, Any]) -> Stored | None:
    """Say what the built-in integration means to store."""
    return _stored(point, _AS_IT_IS)


def documented(point: Mapping[str, Any], config: Mapping[str, Any], state: str) -> Stored | None:
    """Say what is stored of it by the rules that the profile documents.

    Not where the built-in integration has overwritten one attribute by another: see `overwrites`.
    """
    own = {"domain", "entity_id", *config.get("tags", {}), *config.get("tags_attributes", ())}
    tag_names = {stored_key(_tag_name(str(name))) for name in own if name != ""}
    fields: dict[str, Any] = {}
    for key, value in point["fields"].items():
        if key == "" or not (isinstance(value, str) or isfinite(value)):
            continue
        name = str(key)
        if not isinstance(value, str) and (name == "state" or name.endswith("_str")):
            name += "_"
        name = stored_field(name)
        if name in tag_names:
            continue
        if name in fields:
            name = marked(name, str(key))
        fields[name] = value
    tags: dict[str, Any] = {}
    for key, value in point["tags"].items():
        if key != "" and value is not None and str(value):
            tags.setdefault(_tag_name(str(key)), value)
    fields = fields or {"state": " ".join(state.splitlines())}
    return _stored({**point, "tags": tags, "fields": fields}, _DOCUMENTED)


def overwrites(attributes: Mapping[str, Any]) -> bool:
    """Tell whether the built-in integration gives two attributes one name, and keeps the last."""
    ends = ("_str", "_", "__str")
    return any(f"{name}{end}" in attributes for name in attributes for end in ends)


def _tag_name(name: str) -> str:
    return f"{name}_" if name in {"state", "value"} else name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What becomes of the parts of a point."""

    measurement: Callable[[str], str] = str
    tag_name: Callable[[str], str] = str
    tag: Callable[[str], str] = str
    text: Callable[[str], str] = str
    tags_max: int = sys.maxsize


_AS_IT_IS: Final = _Rules()
_DOCUMENTED: Final = _Rules(
    measurement=stored_name,
    tag_name=stored_key,
    tag=stored_tag,
    text=lambda text: spaced(cut(text, STRING_MAX_BYTES)),
    tags_max=TAGS_MAX,
)


def _stored(point: Mapping[str, Any], rules: _Rules) -> Stored | None:
    tags: dict[str, str] = {}
    for key, value in point["tags"].items():
        if key != "" and value is not None and str(value):
            tags.setdefault(rules.tag_name(str(key)), rules.tag(str(value)))
    fields: dict[str, str] = {}
    for key, value in point["fields"].items():
        if isinstance(value, str) or isfinite(value):
            exact = f"str {rules.text(value)!r}" if isinstance(value, str) else f"float {value!r}"
            fields.setdefault(str(key), exact)
    if not fields:
        return None
    time = (point["time"] - _EPOCH) // timedelta(microseconds=1) * 1000
    kept = dict(islice(tags.items(), rules.tags_max))
    return rules.measurement(str(point["measurement"])), kept, fields, time


def refused_or_changed_by_v1(point: Mapping[str, Any]) -> bool:
    """Tell whether the built-in integration stores something else in InfluxDB 1 than in 2."""
    value = point["fields"].get("value", 0.0)
    texts = (point["measurement"], *point["tags"].values())
    return (isinstance(value, float) and not isfinite(value)) or any(
        isinstance(text, bytes) for text in texts
    )


@dataclass(slots=True, kw_only=True)
class Compared:
    """How many changes were alike, by how they were."""

    changes: int = 0
    points: int = 0
    alike_v1: int = 0
    alike_v2: int = 0

    def compare(self, change: Change, convert: Converter, ours: Ours) -> None:
        """Raise when we store something else than we say."""
        event = change.event()
        point = convert(event)
        line = ours.line(event)
        self.changes += 1
        if point is None:
            _same(None, line, change)
            return
        self.points += 1
        if overwrites(change.attributes):
            return
        expected = documented(point, ours.config, change.state)
        _same(expected, stored(line), change)
        if expected != plain(point):
            return
        _same(stored(line_v2(point)), expected, change)
        self.alike_v2 += 1
        if not refused_or_changed_by_v1(point):
            _same(stored(line_v1(point)), expected, change)
            self.alike_v1 += 1


def _same(theirs: object, ours: object, change: Change) -> None:
    if theirs != ours:
        raise AssertionError(f"{change}\n  {theirs}\n  {ours}")


def compare_many(seed: int, configs: int, changes: int) -> Compared:
    """Compare so many changes with each of so many settings."""
    chance = random.Random(seed)
    compared = Compared()
    for _ in range(configs):
        config = random_config(chance)
        convert, ours = converter(config), Ours(config)
        for change in random_changes(chance, changes):
            try:
                compared.compare(change, convert, ours)
            except Exception as err:
                err.add_note(f"with {config}")
                raise
    return compared


if __name__ == "__main__":
    print(  # noqa: T201  for the process that started it
        json.dumps({"version": __version__} | asdict(compare_many(1, *map(int, sys.argv[1:]))))
    )
