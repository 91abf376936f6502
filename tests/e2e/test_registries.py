"""Tags say what the registries said at the moment of the change, and never of ourselves."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from scripts.rig.integration import DOMAIN

from .installation import INDEXED, Destination, Installation, until
from .oracle import Expected, State, change, marker

AREA: Final = 'Attic, "north" = cold'
# Of the one device that every Home Assistant has.
BACKUP: Final = "sensor.backup_backup_manager_state"

INTEGRATION: Final = {"integration": "input_boolean"}
UNRECORDED: Final = {"editable"}
HELPER: Final = INTEGRATION | {"event_category": "general"}


class Actor:
    """An entity of Home Assistant, and the points that its changes have to become."""

    def __init__(self, installation: Installation, entity_id: str) -> None:
        """Follow an entity that there is."""
        self._api = installation.api
        self.entity_id = entity_id
        self.points: list[Expected] = []

    def act(self, action: Callable[[], object], **registered: dict[str, str]) -> None:
        """Do what changes the state; `tags` and `fields` are what the registries say then."""
        old = self._api.state(self.entity_id)
        action()
        new = self._api.state(self.entity_id)
        assert new
        assert new != old
        self._become(new, old, registered)

    def appear(self, **registered: dict[str, str]) -> None:
        """Be there, without having been there before."""
        new = until(lambda: self._api.state(self.entity_id))
        assert new
        self._become(new, None, registered)

    def mark(
        self,
        event_type: str,
        action: Callable[[], object],
        *,
        tags: dict[str, str],
        **fields: str,
    ) -> None:
        """Do what changes the registries, which is a point for itself."""
        point = marker(event_type, self.entity_id, action, tags=tags, fields=fields)
        self.points.append(point)

    def turn(self, state: str, **registered: dict[str, str]) -> None:
        """Turn a helper on or off."""
        call = partial(
            self._api.call_service, "input_boolean", f"turn_{state}", entity_id=self.entity_id
        )
        self.act(call, **registered)

    def updating(self, **fields: str | None) -> Callable[[], object]:
        """Return what changes what the entity registry says."""
        update = "config/entity_registry/update"
        return partial(self._api.ws, update, entity_id=self.entity_id, **fields)

    def _become(self, new: State, old: State | None, registered: dict[str, dict[str, str]]) -> None:
        value = {"on": 1.0, "off": 0.0}.get(new["state"])
        self.points.append(change(new, old, value=value, unrecorded=UNRECORDED, **registered))


def _helper(installation: Installation, name: str) -> Actor:
    """Create an entity that Home Assistant registers."""
    created = installation.api.ws("input_boolean/create", name=name)["id"]
    return Actor(installation, f"input_boolean.{created}")


@pytest.fixture(scope="module")
def area_id(installation: Installation) -> str:
    """Create an area with a name that needs escaping."""
    return str(installation.api.ws("config/area_registry/create", name=AREA)["area_id"])


@pytest.fixture(scope="module")
def moved(installation: Installation) -> list[Expected]:
    """Put an entity into an area, rename the area, delete it."""
    area_id = installation.api.ws("config/area_registry/create", name="Loft")["area_id"]
    actor = _helper(installation, "Moved")
    actor.turn("on", tags=HELPER)
    actor.mark(
        "entity_moved",
        actor.updating(area_id=area_id),
        tags=INTEGRATION | {"area": "Loft"},
        new_area="Loft",
        new_area_id=area_id,
    )
    actor.turn("off", tags=HELPER | {"area_id": area_id, "area": "Loft"})
    installation.api.ws("config/area_registry/update", area_id=area_id, name="Attic")
    actor.turn("on", tags=HELPER | {"area_id": area_id, "area": "Attic"})
    actor.mark(
        "entity_moved",
        partial(installation.api.ws, "config/area_registry/delete", area_id=area_id),
        tags=INTEGRATION,
        old_area="Attic",
        old_area_id=area_id,
    )
    actor.turn("off", tags=HELPER)
    return actor.points


def test_an_area_is_a_tag_from_the_next_point_on(
    moved: list[Expected], destination: Destination
) -> None:
    """Points keep the area that was true when they happened."""
    destination.assert_stored(moved, since_us=moved[0].time_us)


@pytest.fixture(scope="module")
def device(installation: Installation, area_id: str) -> list[Expected]:
    """Put a device into an area and take it out again."""
    entry = installation.api.ws("config/entity_registry/get", entity_id=BACKUP)
    device_id = entry["device_id"]
    devices = installation.api.ws("config/device_registry/list")
    told = next(each for each in devices if each["id"] == device_id)
    names = ("manufacturer", "model", "sw_version")
    fields = {name: told[name] for name in names if told[name]}
    assert fields
    idle = installation.api.state(BACKUP)
    assert idle
    placed = {"integration": "backup", "device_id": device_id}
    tags = placed | {"device_class": "enum"}
    indoors = tags | {"area_id": area_id, "area": AREA}

    actor = Actor(installation, BACKUP)
    # Of a state that is set from outside nobody knows that no history wants its options.
    attributes = {key: each for key, each in idle["attributes"].items() if key != "options"}
    become = partial(installation.set_state, BACKUP, **attributes)
    move = partial(installation.api.ws, "config/device_registry/update", device_id=device_id)
    actor.act(partial(become, "create_backup"), tags=tags, fields=fields)
    actor.mark(
        "entity_moved",
        partial(move, area_id=area_id),
        tags=placed | {"area": AREA},
        new_area=AREA,
        new_area_id=area_id,
    )
    actor.act(partial(become, "blocked"), tags=indoors, fields=fields)
    actor.mark(
        "entity_moved",
        partial(move, area_id=None),
        tags=placed,
        old_area=AREA,
        old_area_id=area_id,
    )
    actor.act(partial(become, "idle"), tags=tags, fields=fields)
    return actor.points


def test_the_area_of_a_device_is_that_of_its_entities(
    device: list[Expected], destination: Destination
) -> None:
    """And manufacturer, model and version go along as fields."""
    destination.assert_stored(device, since_us=device[0].time_us)


@pytest.fixture(scope="module")
def renamed(installation: Installation) -> tuple[list[Expected], str]:
    """Give an entity another id; what it is under the new one, and the old id."""
    actor = _helper(installation, "Before")
    old = actor.entity_id
    actor.turn("on", tags=HELPER)
    entry = installation.api.ws("config/entity_registry/get", entity_id=old)
    rename = actor.updating(new_entity_id="input_boolean.after")
    actor.entity_id = "input_boolean.after"
    actor.mark(
        "entity_renamed",
        rename,
        tags=INTEGRATION,
        old_entity_id=old,
        new_entity_id=actor.entity_id,
        registry_id=entry["id"],
    )
    actor.appear(tags=HELPER)
    actor.turn("off", tags=HELPER)
    actor.turn("on", tags=HELPER)
    return actor.points[1:], old


def test_a_renamed_entity_goes_on_under_its_new_id(
    renamed: tuple[list[Expected], str], destination: Destination
) -> None:
    """Under the old one it was removed."""
    points, old = renamed
    destination.assert_stored(points)
    if not destination.numbers_only:
        *_, last = destination.points(old)
        assert last["tags"]["event_type"] == "entity_removed"
        assert last["tags"]["integration"] == "input_boolean"
        assert last["fields"]["old_state"] == "on"


@pytest.fixture(scope="module")
def removed(installation: Installation, area_id: str) -> str:
    """Delete a registered entity; returns its id."""
    actor = _helper(installation, "Removed")
    actor.updating(area_id=area_id)()
    installation.api.ws("input_boolean/delete", input_boolean_id="removed")
    return actor.entity_id


def test_the_removal_of_an_entity_still_knows_its_area(
    removed: str, area_id: str, destination: Destination
) -> None:
    """The registry has forgotten the entity when its state is removed."""
    destination.settle()
    if destination.numbers_only:
        numbers = [{"value": 0.0}, {"count": 1.0}]

        def stored() -> list[dict[str, Any]]:
            return [each["fields"] for each in destination.points(removed)]

        until(lambda: stored() == numbers, seconds=INDEXED)
        assert stored() == numbers
        return
    first, moved, last = destination.points(removed)
    assert moved["tags"]["event_type"] == "entity_moved"
    assert first["tags"]["event_type"] == "state_changed"
    assert last["tags"] == first["tags"] | {
        "event_type": "entity_removed",
        "area": AREA,
        "area_id": area_id,
    }


@pytest.mark.usefixtures("moved", "device", "renamed", "removed")
def test_our_own_entities_are_no_points(
    installation: Installation, destination: Destination
) -> None:
    """A point about a point would never end."""
    registered = installation.api.ws("config/entity_registry/list")
    own = {each["entity_id"] for each in registered if each["platform"] == DOMAIN}
    assert own
    assert not own & {each["tags"]["entity_id"] for each in destination.points()}
    destination.assert_balanced()
