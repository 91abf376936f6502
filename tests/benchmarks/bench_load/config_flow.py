"""An entry, so that devices have somebody to belong to."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class BenchLoadFlow(ConfigFlow, domain="bench_load"):
    """Asks nothing."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Make the entry."""
        return self.async_create_entry(title="Benchmark load", data={})
