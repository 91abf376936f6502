"""Every key that the dialogue shows has its words."""

import json
import re
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components import ha_ingestor
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.verdict import RULES
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.emulator import Emulator

from .steps import begin, connected, locate, submit, told

pytestmark = pytest.mark.usefixtures("socket_enabled", "setup_entry")

WORDS = json.loads((Path(ha_ingestor.__file__).parent / "translations" / "en.json").read_text())


OWN_ERRORS = {
    *("invalid_url", "unsupported_scheme", "url_credentials", "invalid_certificate", "locked"),
    *("no_port", "found_at_port", "found_without_path", "required", "text_too_long"),
    *("secret_too_long", "control_characters", "out_of_range", "not_whole", "summary_not_created"),
    *("built_in_unreadable", "token_beside_username", "is_victoriametrics"),
}
FORMS = {"user", "reconfigure", "reauth_confirm", *Dialect, *(f"{each}_again" for each in Dialect)}
PLACES = {"v1_place", "v2_place", "v3_place"}
KINDS = {"bucket", "database", "retention_policy"}
REFUSALS = {"may_not_write", "may_not_create", "not_created"}
MENUS = {
    *("begin", "profile", "profile_beside_built_in"),
    *(f"missing_{kind}" for kind in KINDS),
    *REFUSALS,
}
SUMMARIES = {f"built_in_{each}" for each in ("summary", "partly", "connection", "nothing")}


def test_every_problem_has_a_sentence() -> None:
    problems = {rule.problem.value for rule in RULES} - {Problem.NONE}

    assert set(WORDS["config"]["error"]) == OWN_ERRORS | problems


def explained(result: ConfigFlowResult, step: str) -> None:
    """Check the words of a form or a menu that is shown against what it shows."""
    words = WORDS["config"]["step"][step]
    assert result["step_id"] == step
    if result["type"] is FlowResultType.MENU:
        options = result["menu_options"]
        assert isinstance(options, list)
        shown, named = set(options), words["menu_options"]
        assert set(words.get("menu_option_descriptions", named)) == shown
    else:
        schema = result["data_schema"]
        assert schema
        shown = {str(key) for key in schema.schema} - {"advanced"}
        named = words.get("data", {})
        assert set(words.get("data_description", {})) == set(named)
    assert shown <= set(named)
    placeholders = set(re.findall(r"{(\w+)}", json.dumps(words)))
    assert placeholders <= {*told(result), "name"}


@pytest.mark.parametrize("step", sorted(FORMS | PLACES))
async def test_every_field_shown_has_a_label_and_an_explanation(
    hass: HomeAssistant, server: Emulator, step: str
) -> None:
    entry = await connected(hass, server)
    dialect = step.removesuffix("_again").removesuffix("_place")
    if step == "user":
        result = await begin(hass)
    elif step == "reconfigure":
        result = await entry.start_reconfigure_flow(hass)
    elif step == "reauth_confirm":
        result = await entry.start_reauth_flow(hass)
    else:
        is_again = step.endswith("_again")
        result = await entry.start_reconfigure_flow(hass) if is_again else await begin(hass)
        result = await locate(hass, server.url, dialect=dialect, result=result)
    if step in PLACES:
        result = await submit(hass, result, **({"token": "good"} if dialect == "v2" else {}))

    explained(result, step)
    words = WORDS["config"]["step"][step]
    if "advanced" in words.get("sections", {}):
        inner = words["sections"]["advanced"]
        schema = result["data_schema"]
        assert schema
        fields = {str(key) for key in schema.schema["advanced"].schema.schema}
        assert fields == set(inner["data"]) == set(inner["data_description"])


def test_no_address_is_part_of_a_sentence() -> None:
    assert "://" not in json.dumps(WORDS["config"])


def test_every_step_and_every_end_has_words_and_there_are_no_others() -> None:
    creating = {f"create_{kind}" for kind in KINDS}
    assert set(WORDS["config"]["step"]) == FORMS | PLACES | MENUS | creating | SUMMARIES
    assert set(WORDS["config"]["abort"]) == {"already_configured"}


def test_every_database_to_choose_has_a_name() -> None:
    assert set(WORDS["selector"]["dialect"]["options"]) == {"auto", *Dialect}


def test_only_a_form_whose_secrets_are_stored_says_that_they_may_be_kept() -> None:
    steps = WORDS["config"]["step"]
    saying = {
        step for step, words in steps.items() if "stored" in str(words.get("data_description"))
    }
    assert saying == {f"{dialect}_again" for dialect in Dialect}
