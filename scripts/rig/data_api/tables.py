"""The tables behind the API: a PostgreSQL that insists on types and keys, or a SQLite."""

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
    """All rows by key. `refuse` may say why it does not like one.

    Only a strict database minds what it is given for a text; a key that leads nowhere, both do.
    """

    is_strict: bool = True
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
            if via not in ids and self.is_strict:
                row["via_device"] = None
            elif via is not None and via not in stored and via != row["device_id"]:
                raise RefusedError(self._foreign_key("devices", "via_device", via))
            stored[row["device_id"]] = row
        self.devices = stored
        return len(rows)

    def upsert_entities(self, batch: Sequence[Mapping[str, Any]]) -> int:
        """Store all of them or none; a strict one stores one of an unknown device without it."""
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
                if self.is_strict
                else "(sqlite3.IntegrityError) NOT NULL constraint failed: devices.name"
                + _statement("devices")
            )
        return {
            "device_id": self._text("device_id", given.get("id") or given.get("device_id")),
            "name": self._text("name", name),
            **{column: self._text(column, given.get(column)) for column in _DEVICE_TEXTS},
            "manufacturer": self._text("manufacturer", given.get("manufacturer", "Unknown")),
            "labels": self._json(given.get("labels") or []),
            "via_device": self._text("via_device", given.get("via_device_id")),
        }

    def _entity(self, given: Mapping[str, Any]) -> Row:
        self._ask(given)
        entity_id = self._text("entity_id", given["entity_id"]) or ""
        domain = entity_id.split(".", 1)[0] if "." in entity_id else "unknown"
        device_id = self._text("device_id", given.get("device_id"))
        if device_id is not None and device_id not in self.devices:
            if not self.is_strict:
                raise RefusedError(self._foreign_key("entities", "device_id", device_id))
            device_id = None
        services = sorted(f"{of}.{name}" for of, name in self.services if of == domain)
        return {
            "entity_id": entity_id,
            "device_id": device_id,
            "domain": domain,
            "platform": self._text("platform", given.get("platform", "unknown")),
            "disabled": given.get("disabled_by") is not None,
            **{column: self._text(column, given.get(column)) for column in _ENTITY_TEXTS},
            "aliases": self._json(given.get("aliases") or []),
            "labels": self._json(given.get("labels") or []),
            "options": self._json(given.get("options")),
            # Read once, when the entity is stored.
            "available_services": services or None,
        }

    def _service(self, given: Mapping[str, Any]) -> Row:
        return {
            "name": self._text("name", given.get("name")),
            "description": self._text("description", given.get("description")),
            "fields": self._json(given.get("fields")),
            "target": self._json(given.get("target")),
        }

    def _text(self, column: str, value: Any) -> str | None:
        if not self.is_strict:
            return None if value is None else str(value)
        if value is not None and not isinstance(value, str):
            raise RefusedError(
                f"invalid input for query argument {column}: {value!r} "
                f"(expected str, got {type(value).__name__})"
            )
        if value is not None and "\0" in value:
            raise RefusedError('invalid byte sequence for encoding "UTF8": 0x00')
        return value

    def _json(self, value: Any) -> Any:
        if self.is_strict and "\\u0000" in json.dumps(value).replace("\\\\", ""):
            raise RefusedError("unsupported Unicode escape sequence: \\u0000 cannot be converted")
        return value

    def _foreign_key(self, table: str, column: str, value: str) -> str:
        if not self.is_strict:
            return "(sqlite3.IntegrityError) FOREIGN KEY constraint failed" + _statement(table)
        return (
            f'insert or update on table "{table}" violates foreign key constraint '
            f'"{table}_{column}_fkey": Key ({column})=({value}) is not present'
        )

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


def _statement(table: str) -> str:
    """Say what could not be done, with the values: so the database's client explains itself."""
    values = "[parameters: ('a', 'what nobody should read')]"
    return f"\n[SQL: INSERT INTO {table} VALUES (?, ?)]\n{values}"  # noqa: S608  nobody runs it
