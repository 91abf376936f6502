"""What each profile writes of the stored home."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.enrich.units import normal_units
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import OtherEvent, StateEvent

from .store import HOME, load

LOCATION: Final = "Home, sweet = home"

# Whoever used the home.
USER: Final = "Ada"


def _causes() -> dict[str, str]:
    return {
        item.context.id: str(item.data["entity_id"])
        for item in home()
        if isinstance(item, OtherEvent) and item.event_type in _RUNS
    }


def _users() -> dict[str, str]:
    return {user: USER for item in home() if (user := item.context.user_id)}


def _settings() -> dict[str, Any]:
    """Return what the integration gives to a profile of which nothing was chosen."""
    return {
        "dumps": json_dumps,
        "location": LOCATION,
        "units": normal_units,
        "causes": _causes(),
        "users": _users(),
    }


_RUNS: Final = frozenset({"automation_triggered", "script_started"})

PROFILES: Final[Mapping[str, Callable[[], Profile]]] = {
    "homeiq": lambda: HomeIQ(**_settings()),
    "tidy": lambda: Tidy(**_settings()),
    "core": Core,
    "victoriametrics": lambda: HomeIQ(**_settings(), numbers_only=True),
}


def home() -> list[StateEvent | OtherEvent]:
    """Read what happened; each time anew, because entities remember who described them."""
    return load(HOME.read_text(encoding="utf-8"))


def lines(name: str) -> str:
    """Encode the home with a profile."""
    return "\n".join(Encoder(profile=PROFILES[name]()).encode(home()).lines) + "\n"


def stored(name: str) -> Path:
    """Where the lines of a profile are kept."""
    return HOME.with_name(f"{name}.lp")
