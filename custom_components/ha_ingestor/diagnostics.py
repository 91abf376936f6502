"""What a bug report needs, without private data."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .connection import ADDRESS_PROBLEMS
from .const import CONF_CA_CERTIFICATE
from .coordinator import HaIngestorConfigEntry
from .health.server_text import redacted_for_report, redacted_line
from .metadata_store.metadata_sync import METADATA_SYNC

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
    for shown in (health["export"], *health["history"]):
        if shown["problem"] in ADDRESS_PROBLEMS:
            shown["detail"] = REDACTED  # it names hosts, resolved or redirected to
    ledger = health.pop("ledger")
    if snapshot.rejection:
        health["rejection"]["line"] = redacted_line(snapshot.rejection.line)
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
        "health": _redacted_for_report(health),
        "chatty_entities": (await entry.runtime_data.pipeline.top_entities()).as_dict(),
        "metadata": _redacted_for_report(asdict(metadata_sync.state))
        if (metadata_sync := hass.data.get(METADATA_SYNC))
        else None,
        "registries": _redacted_for_report(registries),
    }


def _is_balanced(ledger: dict[str, Any], pending: int) -> bool:
    """Check both equations with the shown numbers."""
    count = {
        name: sum(value.values()) if isinstance(value, dict) else value
        for name, value in ledger.items()
    }
    came = count["filtered"] + count["deduplicated"] + count["captured"] + count["waiting"]
    settled = count["written"] + count["quarantined"] + count["evicted"] + count["lost"]
    return count["received"] == came and count["captured"] == settled + pending


def _redacted_for_report(shown: Any) -> Any:
    """Redact text that a server may have repeated, in every string."""
    if isinstance(shown, dict):
        return {key: _redacted_for_report(value) for key, value in shown.items()}
    if isinstance(shown, (list, tuple)):
        return [_redacted_for_report(value) for value in shown]
    return redacted_for_report(shown) if type(shown) is str else shown
