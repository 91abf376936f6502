"""An entry, so that the actions are there again after a restart."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class NumberedChangesFlow(ConfigFlow, domain="numbered_changes"):
    """Asks nothing."""

    async def async_step_user(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002  what Home Assistant calls it
    ) -> ConfigFlowResult:
        """Make the entry."""
        return self.async_create_entry(title="Numbered changes", data={})
