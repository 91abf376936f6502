"""What changes the description of thousands of entities at once does not block Home Assistant."""

from collections.abc import Callable

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.enrich.catalog import Catalog
from custom_components.ha_ingestor.enrich.describe import Describer
from tests.emulator import Emulator
from tests.shell import deliver, points, set_up, until

COUNT = 1000
# So many are described within 5 ms, also on a slow machine.
AT_ONCE = 100


@pytest.fixture(name="described")
def _described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which entities were described, in their order."""
    names: list[str] = []
    describe = Describer.describe

    def noted(self: Describer, entity_id: str) -> object:
        names.append(entity_id)
        return describe(self, entity_id)

    monkeypatch.setattr(Describer, "describe", noted)
    return names


@pytest.fixture(name="furnish")
def _furnish(hass: HomeAssistant) -> Callable[[str], None]:
    """Put many entities into one area of one floor, with one label; rename one of these."""
    floors, areas, labels = fr.async_get(hass), ar.async_get(hass), lr.async_get(hass)
    floor, label = floors.async_create("Ground"), labels.async_create("Loud")
    area = areas.async_create("Hall", floor_id=floor.floor_id)
    entities = er.async_get(hass)
    for number in range(COUNT):
        entities.async_get_or_create(
            "sensor", "demo", f"s{number}", suggested_object_id=f"s{number}"
        )
        entities.async_update_entity(f"sensor.s{number}", area_id=area.id, labels={label.label_id})

    def rename(what: str) -> None:
        if what == "floor":
            floors.async_update(floor.floor_id, name="New")
        elif what == "area":
            areas.async_update(area.id, name="New")
        else:
            labels.async_update(label.label_id, name="New")

    return rename


@pytest.mark.parametrize(
    ("what", "read"),
    [
        ("floor", lambda context: context.floor),
        ("area", lambda context: context.area),
        ("label", lambda context: context.labels[0]),
    ],
)
async def test_a_new_name_is_known_at_once_of_who_speaks_and_soon_of_all(
    hass: HomeAssistant,
    described: list[str],
    furnish: Callable[[str], None],
    what: str,
    read: Callable[[object], str],
) -> None:
    catalog = Catalog(hass)
    await catalog.async_start()
    described.clear()
    furnish(what)
    assert len(described) <= AT_ONCE
    assert read(catalog.as_of_now("sensor.s999")) == "New"
    await until(lambda: {read(context) for context in catalog.values()} == {"New"})
    assert sorted(described) == sorted(f"sensor.s{number}" for number in range(COUNT))
    catalog.async_stop()


async def test_points_have_the_name_that_an_area_has_when_their_state_changes(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    furnish: Callable[[str], None],
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.s999", "before")
    furnish("area")
    hass.states.async_set("sensor.s999", "after")
    hass.states.async_set("sensor.s0", "1")
    er.async_get(hass).async_remove("sensor.s0")
    hass.states.async_remove("sensor.s0")
    await deliver(hass, entry)
    stored = [
        (point.tags["event_type"], point.tags["area"])
        for name in ("sensor.s999", "sensor.s0")
        for point in points(database, name)
    ]
    assert stored == [
        *(("state_changed", "Hall"), ("state_changed", "New")),
        *(("state_changed", "New"), ("entity_removed", "New")),
    ]
