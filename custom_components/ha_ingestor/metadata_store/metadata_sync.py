"""Keeps the metadata store equal to the registries of all homes; one for all destinations."""

import asyncio
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOCS_URL, DOMAIN, LOGGER, SPOOL_DIRECTORY
from ..registry.remote_homes import RemoteSnapshot, async_instances, async_remote_homes
from ..registry.watch import RegistrySnapshot, async_watch
from .queries import Query
from .store import FILE, MetadataStore, SetAside, StoreState

ISSUE_ERROR: Final = "metadata_error"
PAGE: Final = f"{DOCS_URL}data-api.md#the-metadata-store"
ISSUES_ASIDE: Final = {
    SetAside.DAMAGED: "metadata_damaged",
    SetAside.NEWER: "metadata_newer",
}


class MetadataSync:
    """Syncs with every registry snapshot, and answers queries."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is opened before the first sync or answer."""
        self.users: set[str] = set()
        self._hass = hass
        self._store = MetadataStore(metadata_directory(hass))
        self._executor = ThreadPoolExecutor(1, "ha_ingestor_metadata")
        self._lock = asyncio.Lock()
        self._watch = async_watch(hass)
        self._remotes = async_remote_homes(hass)
        # What the store has of each remote home, and which of them it has at most.
        self._synced: dict[str, RemoteSnapshot] = {}
        self._instances: frozenset[str] | None = None
        self._stops: list[CALLBACK_TYPE] = []
        self._aside: SetAside | None = None

    @property
    def state(self) -> StoreState:
        """How the store is."""
        return self._store.state

    @callback
    def async_start(self) -> None:
        """Follow the registries."""
        self._stops = [
            self._watch.async_subscribe(self._async_snapshot),
            self._remotes.async_subscribe(self._async_remotes_changed),
        ]

    async def async_stop(self) -> None:
        """Close the store, after what it is doing."""
        while self._stops:
            self._stops.pop()()
        async with self._lock:
            await self._run(self._store.close)
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE_ERROR)
        await self._hass.async_add_executor_job(self._executor.shutdown)

    async def async_answer(self, query: Query, connected: Container[str] = ()) -> bytes:
        """Answer in JSON; before the first sync, from the file of an earlier process.

        Rows of remote homes that are not `connected` are marked as stale.
        """
        answer = await self._run(self._store.answer, query, dt_util.utcnow(), connected)
        self._async_show()
        if self.state.synced_at is None:
            self._watch.async_request()  # the file has just turned out to be unreadable
        return answer

    async def _async_snapshot(self, snapshot: RegistrySnapshot) -> None:
        async with self._lock:
            if self._stops:
                await self._run(self._store.sync, snapshot.home, dt_util.utcnow())
                await self._async_sync_remotes()
                self._async_show()

    @callback
    def _async_remotes_changed(self) -> None:
        self._hass.async_create_task(self._async_remotes(), "ha_ingestor remote registries")

    async def _async_remotes(self) -> None:
        async with self._lock:
            if self._stops:
                await self._async_sync_remotes()
                self._async_show()

    async def _async_sync_remotes(self) -> None:
        """Sync the homes that are different, and delete those that are removed."""
        instances = async_instances(self._hass)
        if instances != self._instances:
            await self._run(self._store.keep_only, instances)
            self._instances = instances
            self._synced = {name: self._synced[name] for name in self._synced.keys() & instances}
        for name, snapshot in self._remotes.all.items():
            is_stored = self.state.of(name).synced_at and self._synced.get(name) is snapshot
            if name in instances and not is_stored:
                await self._run(self._store.sync, snapshot.home, snapshot.taken_at, name)
                self._synced[name] = snapshot
        if self.state.synced_at is None:
            self._watch.async_request()  # a new file was begun

    def _run[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        work = partial(function, *args, **kwargs)
        return self._hass.loop.run_in_executor(self._executor, work)

    @callback
    def _async_show(self) -> None:
        """Raise and take back repair issues."""
        state = self.state
        if state.error:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                ISSUE_ERROR,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=ISSUE_ERROR,
                translation_placeholders={"detail": state.error},
                learn_more_url=PAGE,
            )
        else:
            ir.async_delete_issue(self._hass, DOMAIN, ISSUE_ERROR)
        if state.aside in {None, self._aside}:
            return
        self._aside = state.aside
        issue = ISSUES_ASIDE[state.aside]
        LOGGER.warning("The metadata store starts with a new file: the old one is %s", state.aside)
        # It reports a past event, so the user may dismiss it.
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue,
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue,
            translation_placeholders={"file": f"{state.aside}-{FILE}"},
            learn_more_url=PAGE,
        )


METADATA_SYNC: HassKey[MetadataSync] = HassKey(f"{DOMAIN}_metadata")


@callback
def async_keep(hass: HomeAssistant, entry_id: str) -> None:
    """Have the registries kept for as long as this entry or another is loaded."""
    if METADATA_SYNC not in hass.data:
        metadata_sync = hass.data[METADATA_SYNC] = MetadataSync(hass)
        metadata_sync.async_start()
    hass.data[METADATA_SYNC].users.add(entry_id)


async def async_release(hass: HomeAssistant, entry_id: str) -> None:
    """Stop with the last entry; an entry that was released already does not count."""
    if metadata_sync := hass.data.get(METADATA_SYNC):
        metadata_sync.users.discard(entry_id)
        if not metadata_sync.users:
            del hass.data[METADATA_SYNC]
            await metadata_sync.async_stop()


def metadata_directory(hass: HomeAssistant) -> Path:
    """Where the store is: beside the spools, which backups leave out."""
    return Path(hass.config.path(SPOOL_DIRECTORY))
