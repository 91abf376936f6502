"""Everything a bug report needs, and nothing a stranger may see."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .connection import ADDRESS_PROBLEMS
from .const import CONF_CA_CERTIFICATE
from .coordinator import HaIngestorConfigEntry
from .health.server_text import for_strangers, line_for_strangers
from .metadata_store.keeper import KEEPER

# The title and the unique id repeat the address.
TO_REDACT: Final = {
    CONF_API_KEY,
    CONF_CA_CERTIFICATE,
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_URL,
    CONF_USERNAME,
    "title",
    "unique_id",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HaIngestorConfigEntry
) -> dict[str, Any]:
    """Return the redacted entry and the ledger."""
    snapshot = await entry.runtime_data.coordinator.async_snapshot()
    health = asdict(snapshot)
    for told in (health["export"], *health["history"]):
        if told["problem"] in ADDRESS_PROBLEMS:
            told["detail"] = REDACTED  # it names hosts, resolved or redirected to
    ledger = health.pop("ledger")
    if snapshot.rejection:
        health["rejection"]["line"] = line_for_strangers(snapshot.rejection.line)
        # Some servers repeat the line that they refuse.
        reason = snapshot.rejection.reason.replace(snapshot.rejection.line, REDACTED)
        health["rejection"]["reason"] = reason
    registries = None
    if synced := entry.runtime_data.registries:
        registries = asdict(synced.sync.state)
        if registries["problem"] in ADDRESS_PROBLEMS:
            registries["detail"] = REDACTED
    return {
        "entry": async_redact_data(entry.as_dict(), TO_REDACT),
        "ledger": {
            **ledger,
            "pending": snapshot.pending,
            "balanced": _is_balanced(ledger, snapshot.pending),
            "unbalanced": health.pop("unbalanced"),
        },
        "health": _for_strangers(health),
        "chatty_entities": (await entry.runtime_data.pipeline.chatter()).as_dict(),
        "metadata": _for_strangers(asdict(keeper.state))
        if (keeper := hass.data.get(KEEPER))
        else None,
        "registries": _for_strangers(registries),
    }


def _is_balanced(ledger: dict[str, Any], pending: int) -> bool:
    """Check both equations with the numbers as they are told."""
    count = {
        name: sum(value.values()) if isinstance(value, dict) else value
        for name, value in ledger.items()
    }
    came = count["filtered"] + count["deduplicated"] + count["captured"] + count["waiting"]
    settled = count["written"] + count["quarantined"] + count["evicted"] + count["lost"]
    return count["received"] == came and count["captured"] == settled + pending


def _for_strangers(told: Any) -> Any:
    """Hide what a server may have repeated, in every text."""
    if isinstance(told, dict):
        return {key: _for_strangers(value) for key, value in told.items()}
    if isinstance(told, (list, tuple)):
        return [_for_strangers(value) for value in told]
    return for_strangers(told) if type(told) is str else told
