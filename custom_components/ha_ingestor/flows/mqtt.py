"""The dialogue that records messages of the broker, and changes later which."""

from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import Platform

from ..clients.influx.dialect import Dialect
from ..connection import try_at_once
from ..const import CONF_DIALECT, SUBENTRY_MQTT
from ..health.texts.server_text import plain
from ..options.core import PAGE as CORE_PAGE
from ..options.mqtt import (
    CONF_PRESETS,
    CONF_TOPICS,
    PRESETS_SCHEMA,
    SCHEMA,
    accepted,
    preset_rows,
    shapes_of,
)
from ..options.number import OptionError
from ..pipeline.encode.message_shape import MessageShape
from ..sources.mqtt import broker
from .mqtt_clashes import changed_tags
from .mqtt_preview import LISTEN_SECONDS, PREVIEWS, async_described, async_listen

TITLE: Final = "MQTT"


class MqttFlow(ConfigSubentryFlow):
    """What to begin with, the topics, and a preview of what comes there."""

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[str, Any] = {CONF_TOPICS: []}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to begin with."""
        if any(self._get_entry().get_subentries_of_type(SUBENTRY_MQTT)):
            return self.async_abort(reason="already_configured")
        if not broker.async_is_set_up(self.hass):
            return self.async_abort(reason="mqtt_not_set_up")
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=PRESETS_SCHEMA)
        self._data = {CONF_TOPICS: preset_rows(user_input[CONF_PRESETS])}
        return await self.async_step_topics()

    async def async_step_reconfigure(
        self, _user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin with what is stored."""
        if not broker.async_is_set_up(self.hass):
            return self.async_abort(reason="mqtt_not_set_up")
        self._data = dict(self._get_reconfigure_subentry().data)
        return await self.async_step_topics()

    async def async_step_topics(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the topics."""
        errors: dict[str, str] = {}
        told: dict[str, str] = {"invalid_value": ""}
        if user_input is not None:
            try:
                self._data = accepted(user_input, self._reserved())
            except OptionError as err:
                errors = {err.field: err.reason}
                told = {"invalid_value": err.invalid_value, **err.more}
            else:
                return await self.async_step_preview()
        return self.async_show_form(
            step_id="topics",
            data_schema=self.add_suggested_values_to_schema(SCHEMA, user_input or self._data),
            errors=errors,
            description_placeholders={
                "device": "{device}",
                "field": "{field}",
                **{name: plain(text) for name, text in told.items()},
            },
        )

    async def async_step_preview(
        self, _user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what would be stored of what comes just now."""
        shapes = shapes_of(self._data)
        before: tuple[MessageShape, ...] = ()
        if self.source == SOURCE_RECONFIGURE:
            before = shapes_of(self._get_reconfigure_subentry().data)
        messages = await async_listen(self.hass, shapes)
        numbers_only = self._get_entry().data[CONF_DIALECT] == Dialect.VICTORIAMETRICS
        return self.async_show_menu(
            step_id=PREVIEWS[not messages],
            menu_options=["save", "preview", CONF_TOPICS],
            description_placeholders={
                "messages": await async_described(
                    self.hass,
                    messages,
                    shapes,
                    numbers_only=numbers_only,
                    more=changed_tags(before, shapes),
                ),
                "count": str(len(messages)),
                "seconds": f"{LISTEN_SECONDS:g}",
            },
        )

    async_step_preview_empty = async_step_preview

    async def async_step_save(
        self, _user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Store the topics."""
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=TITLE, data=self._data, unique_id=SUBENTRY_MQTT)
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        is_changed = dict(subentry.data) != self._data
        result = self.async_update_and_abort(entry, subentry, data=self._data)
        try_at_once(self.hass, entry, is_changed=is_changed)
        return result

    def _reserved(self) -> set[str]:
        """Return the measurements of profiles: each domain may be one, and so may what is set."""
        core = CORE_PAGE.read(self._get_entry().options)
        chosen = (core["default_measurement"], core["override_measurement"])
        domains = {state.domain for state in self.hass.states.async_all()}
        return {*Platform, *domains, *filter(None, chosen)}
