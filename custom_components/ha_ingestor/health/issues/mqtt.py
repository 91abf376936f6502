"""The repair issue of the messages of a broker."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOCS_URL, DOMAIN
from ..texts.server_text import plain

NOT_SET_UP: Final = "mqtt_not_set_up"


@callback
def async_update_mqtt_issue(
    hass: HomeAssistant, *, entry_id: str, title: str, is_set_up: bool
) -> None:
    """Tell that Home Assistant's MQTT integration is missing, which only the user can change."""
    issue_id = f"{NOT_SET_UP}_{entry_id}"
    if is_set_up:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        learn_more_url=f"{DOCS_URL}mqtt.md#when-something-is-missing",
        severity=ir.IssueSeverity.WARNING,
        translation_key=NOT_SET_UP,
        translation_placeholders={"title": plain(title)},
    )
