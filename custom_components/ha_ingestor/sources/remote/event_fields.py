"""Reads the fields of an event as the WebSocket API of another home sends it."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...clients.homeassistant.states import Context


def fired_at(event: Mapping[str, Any]) -> float:
    """Read when it fired, in seconds since 1970; now if it does not say so."""
    try:
        return datetime.fromisoformat(event["time_fired"]).timestamp()
    except KeyError, TypeError, ValueError:
        return time.time()


def context_of(event: Mapping[str, Any]) -> Context:
    """Read what caused it; empty if it does not say so."""
    said = event.get("context")
    if not isinstance(said, Mapping):
        said = {}
    return Context(
        id=str(said.get("id", "")),
        parent_id=said.get("parent_id"),
        user_id=said.get("user_id"),
    )
