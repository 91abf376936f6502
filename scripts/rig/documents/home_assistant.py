"""The dashboard to be pasted into Home Assistant, as the page of the documentation has it."""

import json
import re
from typing import Any, Final

from homeassistant.util import slugify
from homeassistant.util.yaml import dump

from custom_components.ha_ingestor.health.dashboard import View, view_config
from scripts.rig.configuration import CHECKOUT

PAGE: Final = CHECKOUT / "docs" / "dashboards.md"
TITLE: Final = "home_assistant on influxdb.local"
# Those that a user finds enabled.
SENSORS: Final = (
    *("status", "points_per_minute", "backlog", "last_write"),
    *("points_written", "points_quarantined", "points_evicted", "points_lost"),
)
BINARY_SENSORS: Final = ("database_connected",)
_BLOCK: Final = re.compile(r"(?<=```yaml\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_TRANSLATIONS: Final = CHECKOUT / "custom_components" / "ha_ingestor" / "translations" / "en.json"


def entities(names: dict[str, Any]) -> dict[str, str]:
    """Return the ids that Home Assistant gives to the entities of a destination with this title."""
    return {
        key: f"{platform}.{slugify(f'{TITLE} {names[platform][key]["name"]}')}"
        for platform, keys in (("sensor", SENSORS), ("binary_sensor", BINARY_SENSORS))
        for key in keys
    }


def page() -> str:
    """Return the page with the dashboard in it as the code makes it."""
    words = json.loads(_TRANSLATIONS.read_text())
    view = View(
        title=TITLE,
        path="home-assistant",
        entities=entities(words["entity"]),
        words=words["common"],
        spool_mib=256,
    )
    # Copied as JSON: what the cards share would become an anchor of YAML.
    config = json.loads(json.dumps({"views": [view_config(view)]}))
    return _BLOCK.sub(lambda _: dump(config), PAGE.read_text(), count=1)
