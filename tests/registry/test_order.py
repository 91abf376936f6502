"""Devices after those they name, whatever the registry says."""

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.registry.model import Device
from custom_components.ha_ingestor.registry.order import topological_order

IDS = st.sampled_from([*"abcdefgh"])
MAYBE = st.none() | IDS | st.just("nobody")
DEVICES = st.lists(
    st.builds(Device, device_id=IDS, name=IDS, via_device_id=MAYBE, parent_device_id=MAYBE)
)


@given(DEVICES)
def test_each_device_comes_once_and_after_its_via_device_and_its_parent(
    devices: list[Device],
) -> None:
    seen: set[str] = set()
    for device in topological_order(devices):
        assert device.device_id not in seen
        assert {device.via_device_id, device.parent_device_id} - {None} <= seen
        seen.add(device.device_id)
    assert seen == {device.device_id for device in devices}


@given(DEVICES, st.data())
def test_the_order_depends_on_nothing_but_the_devices(
    devices: list[Device], data: st.DataObject
) -> None:
    unique = list({device.device_id: device for device in devices}.values())
    shuffled = data.draw(st.permutations(unique))
    assert topological_order(shuffled) == topological_order(unique)


def test_a_device_via_itself_loses_its_via_device() -> None:
    (device,) = topological_order([Device(device_id="a", name="A", via_device_id="a")])
    assert device.via_device_id is None


def test_a_cycle_of_via_devices_is_cut_at_one_device_only() -> None:
    circle = [
        Device(device_id="a", name="A", via_device_id="c"),
        Device(device_id="b", name="B", via_device_id="a"),
        Device(device_id="c", name="C", via_device_id="b"),
    ]
    vias = [device.via_device_id for device in topological_order(circle)]
    assert vias.count(None) == 1


def test_a_device_via_a_device_that_is_gone_loses_its_via_device() -> None:
    (device,) = topological_order([Device(device_id="a", name="A", via_device_id="gone")])
    assert device.via_device_id is None


def test_a_chain_may_be_longer_than_pythons_stack() -> None:
    chain = [
        Device(device_id=f"{n:05}", name="X", via_device_id=f"{n + 1:05}") for n in range(5000)
    ]
    devices = topological_order([*chain, Device(device_id="05000", name="root")])
    assert devices[0].name == "root"
    assert devices[-1].device_id == "00000"


def test_the_first_of_two_devices_with_one_id_is_kept() -> None:
    (device,) = topological_order(
        [Device(device_id="a", name="1"), Device(device_id="a", name="2")]
    )
    assert device.name == "1"
