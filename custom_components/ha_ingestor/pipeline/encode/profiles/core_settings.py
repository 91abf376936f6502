"""The settings of the `core` profile, named and defaulted as the built-in integration's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from ...model import EntityContext

type MeasurementAttr = Literal["unit_of_measurement", "domain__device_class", "entity_id"]

MEASUREMENT_ATTRS: Final[tuple[MeasurementAttr, ...]] = get_args(MeasurementAttr.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreOverride:
    """The override of an entity, a domain or a glob; None is not set, empty means "none"."""

    override_measurement: str | None = None
    ignore_attributes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """What the points look like; an empty measurement is one that was not set."""

    measurement_attr: MeasurementAttr = "unit_of_measurement"
    default_measurement: str = ""
    override_measurement: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    tags_attributes: frozenset[str] = frozenset()
    ignore_attributes: frozenset[str] = frozenset()
    component_config: Mapping[str, CoreOverride] = field(default_factory=dict)
    component_config_domain: Mapping[str, CoreOverride] = field(default_factory=dict)
    component_config_glob: Mapping[str, CoreOverride] = field(default_factory=dict)

    def of(self, entity: EntityContext) -> tuple[str, frozenset[str]]:
        """Return an entity's own measurement, empty when it has none, and what it leaves out."""
        measurement = ""
        ignored: frozenset[str] = frozenset()
        for said in self._matching_overrides(entity):
            if said.override_measurement is not None:
                measurement = said.override_measurement
            if said.ignore_attributes is not None:
                ignored = said.ignore_attributes
        return measurement or self.override_measurement, ignored | self.ignore_attributes

    def _matching_overrides(self, entity: EntityContext) -> Iterator[CoreOverride]:
        """Yield the least specific first: later ones win."""
        if said := self.component_config_domain.get(entity.domain):
            yield said
        for glob, said in self.component_config_glob.items():
            if fnmatchcase(entity.entity_id, glob):
                yield said
        if said := self.component_config.get(entity.entity_id):
            yield said
