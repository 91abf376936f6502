"""Everything a bug report needs, and nothing a stranger may see."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .const import CONF_CA_CERTIFICATE
from .coordinator import HaIngestorConfigEntry
from .flow_forms import ADDRESS_PROBLEMS
from .metadata_keeper import KEEPER

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
    snapshot = await entry.runtime_data.pipeline.snapshot()
    health = asdict(snapshot)
    for told in (health["export"], *health["history"]):
        if told["problem"] in ADDRESS_PROBLEMS:
            told["detail"] = REDACTED  # it names hosts, resolved or redirected to
    ledger = health.pop("ledger")
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
    settled += sum(ledger["lost"].values())
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
            "balanced": ledger["captured"] == settled + snapshot.pending,
        },
        "health": health,
        "chatty_entities": (await entry.runtime_data.pipeline.chatter()).as_dict(),
        "metadata": asdict(keeper.state) if (keeper := hass.data.get(KEEPER)) else None,
        "registries": registries,
    }
