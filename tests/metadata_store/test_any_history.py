"""Whatever happens to the registries of two homes, the store agrees with a plain dictionary."""

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from custom_components.ha_ingestor.metadata_store.changes import stamp
from custom_components.ha_ingestor.metadata_store.store import MetadataStore
from custom_components.ha_ingestor.registry.model import Device, Entity, Home

from .homes import NOON, devices, entities, entity

# Few keys, names and words, so that most syncs add, remove, rename, swap and move at once, and
# find some rows as they were.
NAMES = ["light.a", "light.b", "switch.a", "sensor.c"]
WORDS = st.sampled_from([None, "a", 'quo"te', "back\\slash", "Überraschung", "\N{PILE OF POO}"])
INSTANCES = ("", "cabin")
LABELS = st.sampled_from([(), ("old",), ("battery", "old")])


@st.composite
def homes(draw: st.DrawFn) -> Home:
    """Any registry ids, each with one of the names, on any devices."""
    keys = draw(st.sets(st.sampled_from("1234")))
    names = draw(st.permutations(NAMES))
    return Home(
        devices=tuple(
            Device(device_id=key, name=f"Device {key}", area_id=draw(WORDS))
            for key in sorted(draw(st.sets(st.sampled_from("12"))))
        ),
        entities=tuple(
            entity(
                name,
                key,
                device_id=draw(st.sampled_from("12")),
                name=draw(WORDS),
                labels=draw(LABELS),
            )
            for key, name in zip(sorted(keys), names, strict=False)
        ),
    )


@dataclass(slots=True)
class Memory:
    """What is right about one entity."""

    row: Entity
    first_seen: datetime
    changed_at: datetime
    renamed_from: list[str]
    last_seen: datetime | None = None
    removed_at: datetime | None = None


class History(RuleBasedStateMachine):
    """Syncs of homes that have little to do with each other, and starts in between."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.store = MetadataStore(Path(self.directory.name))
        self.now = NOON
        self.homes = dict.fromkeys(INSTANCES, Home())
        self.known: dict[str, dict[str, Memory]] = {instance: {} for instance in INSTANCES}

    @rule(home=homes(), minutes=st.integers(1, 60 * 24), instance=st.sampled_from(INSTANCES))
    def sync(self, home: Home, minutes: int, instance: str) -> None:
        self.now += timedelta(minutes=minutes)
        seen = self.store.state.of(instance).synced_at
        self.store.sync(home, self.now, instance)
        self.homes[instance] = home
        present = {row.registry_id: row for row in home.entities}
        for key, row in present.items():
            known = self.known[instance].setdefault(key, Memory(row, self.now, self.now, []))
            if known.row.entity_id != row.entity_id:
                known.renamed_from.append(known.row.entity_id)
            if known.row != row or known.removed_at:
                known.changed_at = self.now
            known.row, known.removed_at = row, None
        for key, known in self.known[instance].items():
            if key not in present and known.removed_at is None:
                # A process that just began knows only what the last one wrote down.
                known.last_seen, known.removed_at = seen, self.now

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = MetadataStore(Path(self.directory.name))

    @invariant()
    def they_agree(self) -> None:
        for instance, home in self.homes.items():
            of = ("instance", instance)
            present = {row["registry_id"]: row["entity_id"] for row in entities(self.store, of)}
            assert present == {row.registry_id: row.entity_id for row in home.entities}
            found = entities(self.store, of, ("include_removed", "true"))
            assert len(found) == len(self.known[instance])
            for row in found:
                known = self.known[instance][row["registry_id"]]
                assert row["name"] == known.row.name
                assert row["labels"] == list(known.row.labels)
                assert row["previous_entity_ids"] == known.renamed_from
                assert row["first_seen"] == stamp(known.first_seen)
                assert row["timestamp"] == stamp(known.changed_at)
                assert row["removed_at"] == (stamp(known.removed_at) if known.removed_at else None)
                if known.removed_at and known.last_seen:
                    assert row["last_seen"] == stamp(known.last_seen)
            on = [row.device_id for row in home.entities]
            counts = {row["device_id"]: row["entity_count"] for row in devices(self.store, of)}
            assert counts == {key.device_id: on.count(key.device_id) for key in home.devices}
        assert (self.store.state.error, self.store.state.aside) == ("", None)

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
