"""What the entities of a data-api have in common, and how they are added."""

from collections.abc import Callable, Iterable
from typing import Any

from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..coordinator import HaIngestorConfigEntry
from ..data_api.coordinator import RegistryCoordinator
from ..data_api.sync import SyncState
from ..entity import service_device
from ..health.server_text import plain

# Lists of rows are for looking at, not for keeping.
UNRECORDED = frozenset({"next_retry", "rows"})


class RegistryEntity(CoordinatorEntity[RegistryCoordinator]):
    """One reading of how the sync is going, on the data-api's service device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: RegistryCoordinator, description: EntityDescription) -> None:
        """Attach to the data-api's device."""
        super().__init__(coordinator)
        subentry = coordinator.subentry
        self.entity_description = description
        self._attr_unique_id = f"{subentry.subentry_id}_{description.key}"
        self._attr_device_info = service_device(subentry.subentry_id, subentry.title, "data-api")


def add_registry_entities[D: EntityDescription](
    entry: HaIngestorConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    build: Callable[[RegistryCoordinator, D], Entity],
    descriptions: Iterable[D],
) -> None:
    """Add these, if the destination has a data-api."""
    if coordinator := entry.runtime_data.registries:
        add(
            [build(coordinator, description) for description in descriptions],
            config_subentry_id=coordinator.subentry.subentry_id,
        )


def rejected_rows(state: SyncState) -> dict[str, Any]:
    """Name the first rows that the server does not take."""
    return {"rows": {rejection.key: plain(rejection.reason) for rejection in state.rejections}}


def lingering_rows(state: SyncState) -> dict[str, Any]:
    """Name the first rows that the server has too many."""
    return {"rows": list(state.lingering), "renamed": state.entities_renamed}


def connection(state: SyncState) -> dict[str, Any]:
    """Say what is wrong, in one word, and when it is tried again."""
    return {"problem": state.problem, "next_retry": state.next_retry}
