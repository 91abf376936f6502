"""Text entities in the mode `password`: their state is never stored."""

from typing import Final

from ..model import UNAVAILABLE_STATES, StateEvent, StateLike
from ..text import exact

# Why such a change gives no point, for the ledger.
MASKED: Final = "secret"

TEXTS: Final = frozenset({"input_text", "text"})


def unmasked(state_event: StateEvent) -> StateEvent | None:
    """Return the event without a secret old state; None if the new state is a secret."""
    if state_event.entity.domain not in TEXTS:
        return state_event
    is_masked = state_event.old is not None and holds_secret(state_event.old)
    if holds_secret(state_event.new) if state_event.new is not None else is_masked:
        return None
    return state_event._replace(old=None) if is_masked else state_event


def holds_secret(state: StateLike) -> bool:
    """Whether the state of an entity of these domains is a secret now."""
    try:
        mode = state.attributes.get("mode")
        is_password = isinstance(mode, str) and exact(mode) == "password"
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        is_password = True  # it may be one
    return is_password and state.state not in UNAVAILABLE_STATES
