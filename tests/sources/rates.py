"""The rates of a destination by where its events come from."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.pipeline import rate
from tests.shell import until


def tell_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rate be known after half a second instead of five."""
    monkeypatch.setattr(rate, "SLOT_SECONDS", 0.5)


async def come_from_elsewhere(entry: MockConfigEntry, events: int) -> None:
    """Wait until the rate of this home is that of all events without so many."""

    async def is_told() -> bool:
        snapshot = await entry.runtime_data.pipeline.snapshot()
        found = snapshot.performance
        here = found.received_here_per_minute or 0.0
        wanted = 1 - events / snapshot.ledger["received"]
        return here == pytest.approx(wanted * (found.received_per_minute or -1.0))

    await until(is_told)
