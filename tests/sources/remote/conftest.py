"""A remote home, and a destination that follows it."""

from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any

import pytest
from homeassistant.config_entries import ConfigSubentry
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.sources.remote import (
    conversation,
    link,
    recovery,
    registry_reader,
)
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import new_entry


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for milliseconds where a home would have seconds."""
    monkeypatch.setattr(registry_reader, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(conversation, "START_POLL_SECONDS", 0.05)
    monkeypatch.setattr(link, "backoff", lambda *_: 0.05)
    monkeypatch.setattr(recovery, "LAG_SECONDS", 0.1)
    monkeypatch.setattr(recovery, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(recovery, "RETRY_SECONDS", 0.05)


@pytest.fixture(name="home")
async def _home(socket_enabled: None) -> AsyncIterator[Home]:
    async with Home() as home:
        yield home


def remote(home: Home, name: str = "cabin", **more: Any) -> ConfigSubentry:
    """Describe a remote home as the dialogue would have stored it."""
    data = {"url": home.url, "token": home.token, "name": name, "verify_ssl": True, **more}
    return ConfigSubentry(
        data=MappingProxyType(data), subentry_type="remote", title=name.title(), unique_id=name
    )


def entry_with(database: Emulator, *remotes: ConfigSubentry, **options: Any) -> MockConfigEntry:
    """Make a destination with remote homes."""
    entry = new_entry(database.url)
    return MockConfigEntry(
        domain=entry.domain,
        title=entry.title,
        data=dict(entry.data),
        options=options,
        subentries_data=[each.as_dict() for each in remotes],
    )
