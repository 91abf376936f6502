"""What can be read of an event whatever else it holds: the plain values of integrations.

Objects of integrations may raise anything when they are read, and nobody can tell which of them it
was. The state, its times and its cause are Home Assistant's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

from ..model import OtherEvent, StateEvent, StateLike

_PLAIN: Final = frozenset({str, int, float, bool, NoneType})


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadableState:
    """A state with the attributes that can be read."""

    state: str
    attributes: Mapping[str, Any]
    last_changed_timestamp: float
    last_updated_timestamp: float
    state_info: Any


def readable[T: StateEvent | OtherEvent](event: T) -> T:
    """Copy an event with those of its values that are plain."""
    if isinstance(event, OtherEvent):
        return event._replace(data=_plain(event.data))
    old = event.old and _readable_state(event.old)
    return event._replace(new=event.new and _readable_state(event.new), old=old)


def _readable_state(state: StateLike) -> _ReadableState:
    return _ReadableState(
        state=state.state,
        attributes=_plain(state.attributes),
        last_changed_timestamp=state.last_changed_timestamp,
        last_updated_timestamp=state.last_updated_timestamp,
        state_info=getattr(state, "state_info", None),
    )


def _plain(values: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return {
            name: value
            for name, value in values.items()
            if type(name) is str and type(value) in _PLAIN
        }
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        return {}
