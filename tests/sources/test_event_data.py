"""The data of events are copied."""

from typing import Any

from custom_components.ha_ingestor.sources.event_data import copied


def test_data_that_hold_themselves_are_copied_to_an_end() -> None:
    data: dict[str, Any] = {"name": "a"}
    data["itself"] = data
    found = copied(data)
    data["name"] = "b"
    assert found["name"] == found["itself"]["itself"]["name"] == "a"
