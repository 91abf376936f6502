"""The attributes that are in no history are those that Home Assistant's own classes name."""

import inspect
from importlib import import_module

import pytest
from homeassistant.helpers.entity import Entity

from custom_components.ha_ingestor.enrich.unrecorded import UNRECORDED, state_info

# They need packages that are not installed for tests.
NOT_HERE = {"camera"}


@pytest.mark.parametrize("domain", sorted(UNRECORDED.keys() - NOT_HERE))
def test_the_unrecorded_attributes_of_a_domain_are_those_of_its_classes(domain: str) -> None:
    package = f"homeassistant.components.{domain}"
    found: set[str] = set()
    for name in (package, f"{package}.entity"):
        try:
            module = import_module(name)
        except ModuleNotFoundError:
            continue
        for each in vars(module).values():
            is_entity = inspect.isclass(each) and issubclass(each, Entity)
            if is_entity and each.__module__.startswith(package):
                found |= getattr(each, "_entity_component_unrecorded_attributes", frozenset())
                found |= getattr(each, "_unrecorded_attributes", frozenset())
    assert set(UNRECORDED[domain].split()) == set(map(str, found))


def test_unrecorded_attributes_have_the_form_of_state_info() -> None:
    assert state_info("select.mode") == {"unrecorded_attributes": frozenset({"options"})}
    assert state_info("zone.home") is None
