"""Every key that the dialogue shows has its words."""

import json
import re
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant

from custom_components import ha_ingestor
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.verdict import RULES
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.emulator import Emulator

from .steps import begin, connected, locate, told

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")

WORDS = json.loads((Path(ha_ingestor.__file__).parent / "translations" / "en.json").read_text())


def test_every_problem_has_a_sentence() -> None:
    own = {"invalid_url", "url_credentials", "invalid_certificate", "locked", "required"}
    problems = {rule.problem.value for rule in RULES} - {Problem.NONE}

    assert set(WORDS["config"]["error"]) == own | problems


@pytest.mark.parametrize("step", sorted(WORDS["config"]["step"]))
async def test_every_field_shown_has_a_label_and_an_explanation(
    hass: HomeAssistant, server: Emulator, step: str
) -> None:
    entry = await connected(hass, server)
    if step == "user":
        result = await begin(hass)
    elif step == "reconfigure":
        result = await entry.start_reconfigure_flow(hass)
    elif step == "reauth_confirm":
        result = await entry.start_reauth_flow(hass)
    elif step.endswith("_again"):
        result = await entry.start_reconfigure_flow(hass)
        dialect = step.removesuffix("_again")
        result = await locate(hass, server.url, dialect=dialect, result=result)
    else:
        result = await locate(hass, server.url, dialect=step)

    schema = result["data_schema"]
    assert schema
    words = WORDS["config"]["step"][step]
    shown = {str(key) for key in schema.schema} - {"advanced"}
    assert result["step_id"] == step
    assert shown <= set(words["data"])
    assert set(words["data"]) == set(words["data_description"])
    if "advanced" in words.get("sections", {}):
        inner = words["sections"]["advanced"]
        fields = {str(key) for key in schema.schema["advanced"].schema.schema}
        assert fields == set(inner["data"]) == set(inner["data_description"])
    placeholders = set(re.findall(r"{(\w+)}", json.dumps(words)))
    assert placeholders <= {*told(result), "name"}


def test_no_address_is_part_of_a_sentence() -> None:
    assert "://" not in json.dumps(WORDS["config"])


def test_every_step_and_every_end_has_words_and_there_are_no_others() -> None:
    again = {f"{dialect}_again" for dialect in Dialect}
    steps = {"user", "reconfigure", "reauth_confirm", *Dialect, *again}
    assert set(WORDS["config"]["step"]) == steps
    assert set(WORDS["config"]["abort"]) == {"already_configured"}


def test_every_database_to_choose_has_a_name() -> None:
    assert set(WORDS["selector"]["dialect"]["options"]) == {"auto", *Dialect}


def test_only_a_form_whose_secrets_are_stored_says_that_they_may_be_kept() -> None:
    steps = WORDS["config"]["step"]
    saying = {
        step for step, words in steps.items() if "stored" in str(words.get("data_description"))
    }
    assert saying == {f"{dialect}_again" for dialect in Dialect}
