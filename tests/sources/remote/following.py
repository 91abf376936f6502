"""What the connection to a remote home has done so far."""

import asyncio
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.shell import until


def link_of(entry: MockConfigEntry, number: int = 0) -> Any:
    return entry.runtime_data.remotes.all[number].link


async def connected(entry: MockConfigEntry, successes: int = 1) -> None:
    health = link_of(entry).health
    await until(lambda: health.state.connected and health.state.successes >= successes)


async def captured(entry: MockConfigEntry, count: int) -> None:
    """Wait until so many events came in, and that nothing else comes."""
    health = link_of(entry).health
    await until(lambda: health.events >= count)
    await asyncio.sleep(0.05)
    assert health.events == count


async def balanced(entry: MockConfigEntry) -> dict[str, Any]:
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    ledger: dict[str, Any] = snapshot.ledger
    # Those of this home.
    ledger["received"] -= ledger["filtered"].pop("own_entity", 0)
    return ledger
