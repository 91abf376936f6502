"""The steps that take over from the built-in `influxdb` integration."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import (
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_URL
from homeassistant.helpers.selector import BooleanSelector

from ..clients.address import AddressError
from ..clients.influx.dialect import Dialect
from ..connection import CONNECTION_PROBLEMS, CertificateError
from ..health.texts.server_text import markdown, plain
from ..options import core
from ..options.core import CORE
from .address import unusable
from .built_in_connection import BuiltIn, async_built_in, has_built_in
from .destination import place_name
from .profile import ProfileFlow, profile_options

CONF_DISABLE: Final = "disable_built_in"


class BuiltInFlow(ProfileFlow):
    """Offers the connection and the settings of the built-in integration."""

    def __init__(self) -> None:
        """Start without the built-in integration."""
        super().__init__()
        self._built_in: BuiltIn | None = None
        self._is_taken_over = False
        self._options: dict[str, Any] = {}
        self._disables_built_in = False

    async def _async_create_destination(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Create the entry."""
        raise NotImplementedError

    def _has_built_in(self) -> bool:
        return has_built_in(self.hass)

    async def async_step_built_in(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Connect to the database of the built-in integration; whatever fails is asked for."""
        self._built_in = await async_built_in(self.hass)
        if self._built_in is None:
            return self._show_address({"base": "built_in_unreadable"})
        self._is_taken_over = True
        self._data = dict(self._built_in.data)
        dialect = self._dialect
        try:
            found = await self._async_probe()
        except (AddressError, CertificateError) as err:
            return self._show_address(unusable(err), wanted=dialect)
        if found.problem in CONNECTION_PROBLEMS:
            return self._show_address({CONF_URL: found.problem}, detail=found.detail)
        # It writes to VictoriaMetrics as to InfluxDB 1.
        is_other = found.dialect is Dialect.VICTORIAMETRICS
        self._found(found, Dialect.VICTORIAMETRICS if is_other else dialect)
        return await self._async_judged(await self._async_check())

    async def _async_with_profile(self, profile: str) -> ConfigFlowResult:
        """Take the settings over where the profile is that of the built-in integration."""
        if profile != CORE or not has_built_in(self.hass):
            return await self._async_create_destination(profile_options(profile))
        self._built_in = self._built_in or await async_built_in(self.hass)
        return await self.async_step_built_in_summary()

    async def async_step_built_in_summary(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what is taken over, and offer to disable the built-in integration."""
        if user_input is not None:
            self._disables_built_in = user_input.get(CONF_DISABLE, False)
            return await self._async_create_destination(self._options)
        found = await core.async_found(self.hass)
        self._options = {**profile_options(CORE), CORE: found.values, **found.beside({})}
        entry = self._built_in.entry if self._built_in else None
        can_disable = entry is not None and entry.disabled_by is None
        switch = vol.Required(CONF_DISABLE, default=self._is_taken_over)
        return self.async_show_form(
            step_id=_summary(found),
            data_schema=vol.Schema({switch: BooleanSelector()} if can_disable else {}),
            description_placeholders={
                "name": markdown(place_name(self._data)),
                "url": plain(self._data[CONF_URL]),
                "taken": markdown(", ".join(found.taken)),
                "left_out": markdown(", ".join(found.left_out)),
            },
        )

    # The same step in other words, see `_summary`.
    async_step_built_in_connection = async_step_built_in_summary
    async_step_built_in_partly = async_step_built_in_summary
    async_step_built_in_nothing = async_step_built_in_summary

    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Disable the built-in integration, once ours runs."""
        entry = self._built_in.entry if self._built_in else None
        is_running = result["result"].state is ConfigEntryState.LOADED
        if self._disables_built_in and entry is not None and is_running:
            await self.hass.config_entries.async_set_disabled_by(
                entry.entry_id, ConfigEntryDisabler.USER
            )
        return result


def _summary(found: core.Found) -> str:
    """Choose the words for what is taken over."""
    if found.left_out:
        return "built_in_partly" if found.taken else "built_in_nothing"
    return "built_in_summary" if found.taken else "built_in_connection"
