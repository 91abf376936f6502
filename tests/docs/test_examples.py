"""The examples of the documentation are what the code writes and Home Assistant takes."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.util.yaml import load_yaml_dict, parse_yaml

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import EntityContext, NoContext, StateEvent

from .reading import DOCS, FENCE, ROOT, SERVICES, section, text


def dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize(
    ("heading", "profile"),
    [
        ("HomeIQ", HomeIQ(dumps=dumps, location="Home")),
        ("Tidy", Tidy(dumps=dumps, location="Home")),
        ("As the built-in InfluxDB integration", Core()),
        ("VictoriaMetrics", HomeIQ(dumps=dumps, location="Home", numbers_only=True)),
    ],
)
def test_an_example_is_what_the_profile_writes(heading: str, profile: Profile) -> None:
    attributes = {
        "state_class": "measurement",
        "unit_of_measurement": "W",
        "device_class": "power",
        "friendly_name": "Washer power",
    }
    washer = EntityContext(
        entity_id="sensor.washer_power",
        domain="sensor",
        integration="shelly",
        area_id="laundry",
        area="Laundry",
        floor="Ground floor",
        device_id="d1f0",
        device="Washer",
        manufacturer="Shelly",
        model="Plug S",
        sw_version="1.4",
    )
    old, new = (
        SimpleNamespace(
            state=state,
            attributes=attributes,
            last_changed_timestamp=seconds,
            last_updated_timestamp=seconds,
        )
        for state, seconds in (("3.1", 1795651190.0), ("412.5", 1795651200.25))
    )
    context = replace(NoContext(), id="01KAYQ4A3V")
    (line,) = Encoder(profile=profile).encode([StateEvent(washer, new, old, 0.0, context)]).lines

    ((_, example),) = FENCE.findall(section(text("points.md"), heading))
    # Wrapped for reading: behind a comma, and where line protocol has its spaces.
    parts = [part.strip() for part in example.splitlines()]
    assert "".join(part if part.endswith(",") else f"{part} " for part in parts).strip() == line


@pytest.mark.parametrize("number", range(3))
async def test_an_example_of_an_automation_is_valid(hass: HomeAssistant, number: int) -> None:
    blocks = [block for kind, block in FENCE.findall(text("examples.md")) if kind == "yaml"]
    assert len(blocks) == 3
    automation = parse_yaml(blocks[number])
    assert isinstance(automation, dict)
    assert automation.keys() <= {"triggers", "conditions", "actions"}
    cv.TRIGGER_SCHEMA(automation["triggers"])
    cv.CONDITIONS_SCHEMA(automation.get("conditions", []))
    cv.SCRIPT_SCHEMA(automation["actions"])
    ours = {each["action"] for each in automation["actions"] if "ha_ingestor" in each["action"]}
    assert ours <= {f"ha_ingestor.{name}" for name in SERVICES}


@pytest.mark.parametrize(
    "file", sorted((DOCS / "blueprints").iterdir()), ids=lambda file: file.stem
)
def test_a_blueprint_is_valid_for_home_assistant_and_names_its_source(file: Path) -> None:
    blueprint = Blueprint(
        load_yaml_dict(str(file)),
        path=file.name,
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    assert blueprint.metadata["source_url"].endswith(str(file.relative_to(ROOT)))
