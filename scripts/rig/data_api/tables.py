"""The tables behind the API, with the types and keys that a PostgreSQL insists on."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

type Row = dict[str, Any]

_DEVICE_TEXTS: Final = (
    "name_by_user",
    "manufacturer",
    "model",
    "sw_version",
    "area_id",
    "integration",
    "entry_type",
    "configuration_url",
    "suggested_area",
    "serial_number",
    "model_id",
    "config_entry_id",
)
_ENTITY_TEXTS: Final = (
    "unique_id",
    "area_id",
    "name",
    "name_by_user",
    "original_name",
    "icon",
    "original_icon",
    "config_entry_id",
)


class RefusedError(Exception):
    """What the database says to one of the rows; none of the batch is stored then."""


@dataclass(slots=True, kw_only=True)
class Tables:
    """All rows by key. `refuse` may say why it does not like one."""

    devices: dict[str, Row] = field(default_factory=dict)
    entities: dict[str, Row] = field(default_factory=dict)
    services: dict[tuple[str, str], Row] = field(default_factory=dict)
    refuse: Callable[[Mapping[str, Any]], str | None] = lambda _row: None

    def upsert_devices(self, batch: Sequence[Mapping[str, Any]]) -> int:
        """Store all of them or none; those without an id do not count."""
        rows = [self._device(given) for given in batch if given.get("id") or given.get("device_id")]
        _unique(row["device_id"] for row in rows)
        ids = self.devices.keys() | {row["device_id"] for row in rows}
        # All the server does for the order: whoever names nobody goes first.
        rows.sort(key=lambda row: row["via_device"] is not None)
        stored = dict(self.devices)
        for row in rows:
            via = row["via_device"]
            if via not in ids:
                row["via_device"] = None
            elif via not in stored and via != row["device_id"]:
                raise RefusedError(
                    'insert or update on table "devices" violates foreign key constraint '
                    f'"devices_via_device_fkey": Key (via_device)=({via}) is not present'
                )
            stored[row["device_id"]] = row
        self.devices = stored
        return len(rows)

    def upsert_entities(self, batch: Sequence[Mapping[str, Any]]) -> int:
        """Store all of them or none; one of an unknown device is stored without it."""
        rows = [self._entity(given) for given in batch if given.get("entity_id")]
        _unique(row["entity_id"] for row in rows)
        self.entities |= {row["entity_id"]: row for row in rows}
        return len(rows)

    def upsert_services(self, batch: Mapping[str, Any]) -> int:
        """Store every description that is one."""
        rows = {
            (domain, name): self._service(given)
            for domain, services in batch.items()
            if isinstance(services, dict)
            for name, given in services.items()
            if isinstance(given, dict)
        }
        self.services |= rows
        return len(rows)

    def clear(self) -> tuple[int, int]:
        """Forget all devices and entities; returns how many there were."""
        gone = len(self.devices), len(self.entities)
        self.devices, self.entities = {}, {}
        return gone

    def _device(self, given: Mapping[str, Any]) -> Row:
        self._ask(given)
        name = given.get("name_by_user") or given.get("name", "Unknown")
        if name is None:
            raise RefusedError(
                'null value in column "name" of relation "devices" violates not-null constraint'
            )
        return {
            "device_id": _text("device_id", given.get("id") or given.get("device_id")),
            "name": _text("name", name),
            **{column: _text(column, given.get(column)) for column in _DEVICE_TEXTS},
            "manufacturer": _text("manufacturer", given.get("manufacturer", "Unknown")),
            "labels": _json(given.get("labels") or []),
            "via_device": _text("via_device", given.get("via_device_id")),
        }

    def _entity(self, given: Mapping[str, Any]) -> Row:
        self._ask(given)
        entity_id = _text("entity_id", given["entity_id"]) or ""
        device_id = _text("device_id", given.get("device_id"))
        return {
            "entity_id": entity_id,
            "device_id": device_id if device_id in self.devices else None,
            "domain": entity_id.split(".", 1)[0] if "." in entity_id else "unknown",
            "platform": _text("platform", given.get("platform", "unknown")),
            "disabled": given.get("disabled_by") is not None,
            **{column: _text(column, given.get(column)) for column in _ENTITY_TEXTS},
            "aliases": _json(given.get("aliases") or []),
            "labels": _json(given.get("labels") or []),
            "options": _json(given.get("options")),
        }

    def _service(self, given: Mapping[str, Any]) -> Row:
        return {
            "name": _text("name", given.get("name")),
            "description": _text("description", given.get("description")),
            "fields": _json(given.get("fields")),
            "target": _json(given.get("target")),
        }

    def _ask(self, given: Mapping[str, Any]) -> None:
        if reason := self.refuse(given):
            raise RefusedError(reason)


def _unique(ids: Iterable[str]) -> None:
    """Two new rows of one key in a session are two inserts, since it does not flush in between."""
    seen: set[str] = set()
    for key in ids:
        if key in seen:
            raise RefusedError(f"duplicate key value violates unique constraint: Key ({key})")
        seen.add(key)


def _text(column: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise RefusedError(
            f"invalid input for query argument {column}: {value!r} "
            f"(expected str, got {type(value).__name__})"
        )
    if value is not None and "\0" in value:
        raise RefusedError('invalid byte sequence for encoding "UTF8": 0x00')
    return value


def _json(value: Any) -> Any:
    if "\\u0000" in json.dumps(value).replace("\\\\", ""):
        raise RefusedError("unsupported Unicode escape sequence: \\u0000 cannot be converted")
    return value
