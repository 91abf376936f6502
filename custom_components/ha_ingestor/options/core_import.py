"""Converts the settings of Home Assistant's built-in `influxdb` integration to ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..pipeline.encode.profiles.core_settings import MEASUREMENT_ATTRS, CoreOverride, CoreSettings

# Where to write: nothing of what a point looks like, or whose points are written.
_NOT_OURS: Final = frozenset(
    {
        "api_version",
        "bucket",
        "database",
        "host",
        "organization",
        "password",
        "path",
        "port",
        "ssl",
        "ssl_ca_cert",
        "token",
        "url",
        "username",
        "verify_ssl",
    }
)

# What Home Assistant puts in where nothing is written, and what has no counterpart here.
_UNSAID: Final[Mapping[str, Any]] = {"max_retries": 0}

_INCLUDE: Final = "include"
_EXCLUDE: Final = "exclude"
_FILTER: Final = (_INCLUDE, _EXCLUDE)
# What both may list, and whether it may be one text with commas and capital letters.
_SPLIT: Final[Mapping[str, bool]] = {"domains": False, "entities": True, "entity_globs": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreImport:
    """The settings, and the paths of what is not taken over: `precision`, `tags.room`, `include`.

    `taken` are the keys of which at least a part is taken over. `include` and `exclude` list
    `domains`, `entities` and `entity_globs`.
    """

    settings: CoreSettings
    left_out: tuple[str, ...]
    taken: tuple[str, ...] = ()
    include: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def core_settings_from(config: Mapping[str, Any]) -> CoreImport:
    """Read the integration's YAML, as it was written or as it was validated, or its entry's data.

    Of the entry's data nothing is left out and nothing read: it says only where to write.
    """
    left_out: list[str] = []
    ours = {
        key: value
        for key, value in config.items()
        if key not in _NOT_OURS and not (key in _UNSAID and value == _UNSAID[key])
    }
    lists = {key: ours.pop(key, None) for key in _FILTER}
    read = _read(ours, _READERS, "", left_out)
    chosen = _filter_lists(lists, left_out)
    return CoreImport(
        settings=CoreSettings(**read),
        left_out=tuple(left_out),
        taken=(*read, *(key for key in _FILTER if chosen.get(key))),
        include=chosen.get(_INCLUDE, {}),
        exclude=chosen.get(_EXCLUDE, {}),
    )


def _filter_lists(
    lists: Mapping[str, Any], left_out: list[str]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Read what is included and excluded; both are left out where one cannot be read.

    What `exclude` says depends on `include`, so that neither can be taken over without the other.
    """
    read: dict[str, dict[str, tuple[str, ...]]] = {}
    unreadable: list[str] = []
    for key, value in lists.items():
        try:
            read[key] = _criteria(value)
        except ValueError:
            unreadable.append(key)
    if not unreadable:
        return read
    left_out += [key for key in _FILTER if read.get(key) or key in unreadable]
    return {}


def _criteria(value: Any) -> dict[str, tuple[str, ...]]:
    """Read one of the lists, as the integration's own schema does; without those that are empty."""
    section = {} if value is None else _mapping(value)
    if not section.keys() <= _SPLIT.keys():
        raise ValueError(value)
    found: dict[str, tuple[str, ...]] = {}
    for key, value_of in section.items():
        is_split = _SPLIT[key]
        names = value_of.split(",") if is_split and isinstance(value_of, str) else value_of
        listed = names if isinstance(names, list) else [] if names is None else [names]
        if texts := [_text(name) for name in listed]:
            found[key] = tuple(text.strip().lower() if is_split else text for text in texts)
    return found


type _Reader = Callable[[Any, str, list[str]], Any]


def _read(
    section: Mapping[Any, Any], readers: Mapping[str, _Reader], path: str, left_out: list[str]
) -> dict[str, Any]:
    """Read what readers are there for; what they refuse is left out, and named."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        reader: _Reader = readers.get(key, _unknown)
        # A key with nothing behind it says nothing, but that of a list says that the list is empty.
        if value is None and reader is not _names:
            continue
        try:
            found[key] = reader(value, f"{path}{key}.", left_out)
        except ValueError:
            left_out.append(f"{path}{key}")
    return found


def _unknown(value: Any, _path: str, _left_out: list[str]) -> None:
    raise ValueError(value)


def _text(value: Any, _path: str = "", _left_out: list[str] | None = None) -> str:
    if value is None or isinstance(value, (list, Mapping)):
        raise ValueError(value)
    return str(value)


def _choice(value: Any, _path: str, _left_out: list[str]) -> str:
    if value not in MEASUREMENT_ATTRS:
        raise ValueError(value)
    return str(value)


def _names(value: Any, _path: str, _left_out: list[str]) -> frozenset[str]:
    names = value if isinstance(value, list) else [] if value is None else [value]
    return frozenset(_text(name) for name in names)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(value)  # noqa: TRY004  which is what a wrong value raises here
    return {_text(key): item for key, item in value.items()}


def _tags(value: Any, path: str, left_out: list[str]) -> dict[str, str]:
    tags = _mapping(value)
    return _read(tags, dict.fromkeys(tags, _text), path, left_out)


def _override(value: Any, path: str, left_out: list[str]) -> CoreOverride:
    return CoreOverride(**_read(_mapping(value), _OVERRIDE_READERS, path, left_out))


def _overrides(value: Any, path: str, left_out: list[str]) -> dict[str, CoreOverride]:
    said = _mapping(value)
    return _read(said, dict.fromkeys(said, _override), path, left_out)


def _entity_overrides(value: Any, path: str, left_out: list[str]) -> dict[str, CoreOverride]:
    """Read what is said of entities, whose ids the built-in integration takes in any case."""
    return {of.lower(): said for of, said in _overrides(value, path, left_out).items()}


_OVERRIDE_READERS: Final[Mapping[str, _Reader]] = {
    "override_measurement": _text,
    "ignore_attributes": _names,
}

_READERS: Final[Mapping[str, _Reader]] = {
    "measurement_attr": _choice,
    "default_measurement": _text,
    "override_measurement": _text,
    "tags": _tags,
    "tags_attributes": _names,
    "ignore_attributes": _names,
    "component_config": _entity_overrides,
    "component_config_domain": _overrides,
    "component_config_glob": _overrides,
}
