"""What Home Assistant's built-in `influxdb` integration is told to write, as settings of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .pipeline.profiles.core_settings import MEASUREMENT_ATTRS, CoreOverride, CoreSettings

# Where to write, of which entities, and how often to try: not what a point looks like.
_NOT_OURS: Final = frozenset(
    {
        "api_version",
        "bucket",
        "database",
        "exclude",
        "host",
        "include",
        "max_retries",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreImport:
    """The settings, and the paths of what says nothing to us: `precision`, `tags.room`."""

    settings: CoreSettings
    left_out: tuple[str, ...]


def core_settings_from(config: Mapping[str, Any]) -> CoreImport:
    """Read the integration's YAML, as it was written or as it was validated, or its entry's data.

    Of the entry's data nothing is left out and nothing read: it says only where to write.
    """
    left_out: list[str] = []
    ours = {key: value for key, value in config.items() if key not in _NOT_OURS}
    settings = CoreSettings(**_read(ours, _READERS, "", left_out))
    return CoreImport(settings=settings, left_out=tuple(left_out))


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
