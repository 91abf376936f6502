"""What Home Assistant finds in its configuration directory before its first start."""

import json
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).parents[2]
HOST: Final = "127.0.0.1"

# Not `default_config:`, which looks for devices in the network and builds audio libraries.
_BASIS: Final = """\
homeassistant:
  name: Rig
  latitude: 52.37
  longitude: 4.9
  elevation: 2
  unit_system: metric
  time_zone: UTC
  country: NL
  language: en
  currency: EUR
api:
automation: !include automations.yaml
config:
diagnostics:
frontend:
history:
recorder:
  commit_interval: 1
system_health:
websocket_api:
logger:
  default: info
  logs:
    custom_components.ha_ingestor: debug
"""

_DEMO: Final = "demo:\n"

# Done before there is a user, so that the step which sets up a weather forecast and a radio from
# the internet is never taken.
_ONBOARDING: Final = {"done": ["core_config", "analytics", "integration"]}

# Home Assistant adds its Marketplace unless there is an entry; a disabled one asks no catalogue.
_ENTRIES: Final = {
    "entries": [
        {
            "created_at": "2026-01-01T00:00:00+00:00",
            "data": {},
            "disabled_by": "user",
            "discovery_keys": {},
            "domain": "marketplace",
            "entry_id": "01KDVXMK00RG0000000000000A",
            "minor_version": 1,
            "modified_at": "2026-01-01T00:00:00+00:00",
            "options": {},
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "source": "system",
            "subentries": [],
            "title": "",
            "unique_id": None,
            "version": 1,
        }
    ]
}


def write_configuration(
    directory: Path, *, port: int, demo: bool = False, lively: bool = False, more: str = ""
) -> None:
    """Make a configuration directory that runs this checkout, or bring one up to date.

    `more` is further YAML.
    """
    storage = directory / ".storage"
    if not storage.exists():
        storage.mkdir(parents=True)
        _store(storage, "onboarding", _ONBOARDING, version=4)
        _store(storage, "core.config_entries", _ENTRIES, version=1, minor_version=5)
    # An `http:` section in YAML is a trial that Home Assistant ends with a restart after five
    # minutes; what is stored is final.
    _store(storage, "http", _http(port), version=3)
    text = _BASIS + (_DEMO if demo else "") + more
    if lively:
        text += Path(__file__).with_name("lively.yaml").read_text(encoding="utf-8")
    (directory / "configuration.yaml").write_text(text, encoding="utf-8")
    automations = directory / "automations.yaml"
    if not automations.exists():
        automations.write_text("[]\n", encoding="utf-8")
    components = directory / "custom_components"
    if not components.is_symlink():
        components.symlink_to(CHECKOUT / "custom_components", target_is_directory=True)


def _http(port: int) -> dict[str, Any]:
    stable = {
        "server_host": [HOST],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {"stable": stable, "pending": None, "yaml_migration_done": True}


def _store(
    storage: Path, key: str, data: dict[str, Any], *, version: int, minor_version: int = 1
) -> None:
    envelope = {"version": version, "minor_version": minor_version, "key": key, "data": data}
    (storage / key).write_text(json.dumps(envelope), encoding="utf-8")
