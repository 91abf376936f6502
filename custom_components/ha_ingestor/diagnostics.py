"""What a bug report needs, without private data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .connection import ADDRESS_PROBLEMS
from .const import CONF_CA_CERTIFICATE, DOMAIN, SPOOL_DIRECTORY
from .coordinator import HaIngestorConfigEntry, IngestorRuntimeData
from .flows.options import PAGES
from .health.condition import condition_of, problem_of
from .health.self_test import SelfTestReport
from .health.texts.server_text import redacted_for_report, redacted_line
from .metadata_store.metadata_sync import METADATA_SYNC
from .pipeline.encode.privacy.secrets import is_secret
from .pipeline.snapshot import Snapshot

# The title and the unique id repeat the address, and so do the placeholders of repairs.
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
    """Return the redacted entry, what it is doing, and what became of every point.

    Of one that is not loaded that is its entry, why it is not, and its files.
    """
    # Before the first wait: the entry may be unloaded meanwhile.
    runtime = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
    metadata_sync = hass.data.get(METADATA_SYNC)
    spool = Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))
    known: dict[str, Any] = {
        "entry": _redacted(async_redact_data(entry.as_dict(), TO_REDACT)),
        "state": _state(entry),
        # Also what is nowhere stored, because it is the default.
        "options": _redacted({key: page.read(entry.options) for key, page in PAGES.items()}),
        "repairs": sorted(
            issue_id.replace(entry.entry_id, "entry")
            for domain, issue_id in ir.async_get(hass).issues
            if domain == DOMAIN and entry.entry_id in issue_id
        ),
        "metadata": _redacted(asdict(metadata_sync.state)) if metadata_sync else None,
        "spool": await hass.async_add_executor_job(_files, spool),
    }
    return known | (await _running(runtime) if runtime else {})


def _state(entry: HaIngestorConfigEntry) -> dict[str, Any]:
    """Say whether it is loaded, and why not."""
    reason = entry.reason or ""
    for named in (entry.title, entry.data[CONF_URL]):
        reason = reason.replace(named, REDACTED) if named else reason
    return {
        "state": entry.state.value,
        "disabled_by": entry.disabled_by,
        "reason": entry.error_reason_translation_key or redacted_for_report(reason) or None,
    }


async def _running(runtime: IngestorRuntimeData) -> dict[str, Any]:
    """Return what only a loaded entry knows."""
    snapshot = await runtime.coordinator.async_snapshot()
    self_test = runtime.self_test.last
    return {
        "server_version": runtime.coordinator.remembered.server_version,
        "ledger": _ledger(snapshot),
        "health": _redacted(_health(snapshot)),
        "last_self_test": _redacted(_self_test(self_test)) if self_test else None,
        "chatty_entities": _redacted((await runtime.pipeline.reports.top()).as_dict()),
        "sample_points": [redacted_line(line) for line in runtime.pipeline.sample],
        "registries": _redacted(_registries(runtime)),
    }


def _ledger(snapshot: Snapshot) -> dict[str, Any]:
    return {
        **snapshot.ledger,
        "pending": snapshot.pending,
        "balanced": _is_balanced(snapshot.ledger, snapshot.pending),
        "unbalanced": snapshot.unbalanced,
    }


def _health(snapshot: Snapshot) -> dict[str, Any]:
    health = asdict(snapshot)
    for shown in (health["export"], *health["history"]):
        if shown["problem"] in ADDRESS_PROBLEMS:
            shown["detail"] = REDACTED  # it names hosts, resolved or redirected to
    for repeated in ("ledger", "unbalanced"):
        health.pop(repeated)
    if snapshot.rejection:
        line = snapshot.rejection.line
        health["rejection"]["line"] = redacted_line(line)
        # Some servers repeat the line that they refuse.
        health["rejection"]["reason"] = snapshot.rejection.reason.replace(line, REDACTED)
    return {"condition": condition_of(snapshot), "problem": problem_of(snapshot), **health}


def _self_test(report: SelfTestReport) -> dict[str, Any]:
    shown = report.as_dict()
    if report.problem in ADDRESS_PROBLEMS:
        shown["detail"] = REDACTED
    return shown


def _registries(runtime: IngestorRuntimeData) -> dict[str, Any] | None:
    if (synced := runtime.registries) is None:
        return None
    registries = asdict(synced.sync.state)
    if registries["problem"] in ADDRESS_PROBLEMS:
        registries["detail"] = REDACTED
    return registries


def _files(spool: Path) -> dict[str, int]:
    """List the files of a spool with their sizes."""
    try:
        return {file.name: file.stat().st_size for file in sorted(spool.iterdir())}
    except OSError:
        return {}


def _is_balanced(ledger: dict[str, Any], pending: int) -> bool:
    """Check both equations with the shown numbers."""
    count = {
        name: sum(value.values()) if isinstance(value, dict) else value
        for name, value in ledger.items()
    }
    came = count["filtered"] + count["deduplicated"] + count["captured"] + count["waiting"]
    settled = count["written"] + count["quarantined"] + count["evicted"] + count["lost"]
    return count["received"] == came and count["captured"] == settled + pending


def _redacted(shown: Any) -> Any:
    """Redact what has the name of a secret, and what a server may have repeated in a text."""
    if isinstance(shown, dict):
        return {
            key: REDACTED if value and is_secret(str(key)) else _redacted(value)
            for key, value in shown.items()
        }
    if isinstance(shown, (list, tuple)):
        return [_redacted(value) for value in shown]
    return redacted_for_report(shown) if type(shown) is str else shown
