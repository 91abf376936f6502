"""The buttons of a destination and of its data-api: the actions that need no further input."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.button import ButtonEntityDescription
from homeassistant.const import EntityCategory

from ..actions.delivery import async_flush, async_pause, async_resume, async_resync
from ..actions.quarantine import async_purge, async_replay
from ..actions.self_test import async_self_test_with_notification
from ..coordinator import HaIngestorConfigEntry
from ..pipeline.export.export_state import Status


@dataclass(frozen=True, kw_only=True)
class IngestorButtonDescription(ButtonEntityDescription):
    """The description of a button; it is unavailable where its press would change nothing."""

    press_fn: Callable[[HaIngestorConfigEntry], Coroutine[Any, Any, object]]
    available_fn: Callable[[HaIngestorConfigEntry], bool] = lambda _entry: True


def _is_paused(entry: HaIngestorConfigEntry) -> bool:
    return entry.runtime_data.pipeline.export_state.status is Status.PAUSED


BUTTONS: Final[tuple[IngestorButtonDescription, ...]] = (
    IngestorButtonDescription(
        key="flush",
        entity_category=EntityCategory.DIAGNOSTIC,
        press_fn=async_flush,
        available_fn=lambda entry: not _is_paused(entry),
    ),
    IngestorButtonDescription(
        key="pause",
        entity_category=EntityCategory.CONFIG,
        press_fn=async_pause,
        available_fn=lambda entry: not _is_paused(entry),
    ),
    IngestorButtonDescription(
        key="resume",
        entity_category=EntityCategory.CONFIG,
        press_fn=async_resume,
        available_fn=_is_paused,
    ),
    IngestorButtonDescription(
        key="self_test",
        entity_category=EntityCategory.DIAGNOSTIC,
        press_fn=async_self_test_with_notification,
    ),
    IngestorButtonDescription(
        key="replay_quarantine",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press_fn=async_replay,
    ),
    IngestorButtonDescription(
        key="purge_quarantine",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press_fn=async_purge,
    ),
)

DATA_API_BUTTONS: Final[tuple[IngestorButtonDescription, ...]] = (
    IngestorButtonDescription(
        key="resync_registries",
        entity_category=EntityCategory.DIAGNOSTIC,
        press_fn=async_resync,
    ),
)
