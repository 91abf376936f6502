"""Keeps the metadata store equal to the registries: one for all destinations."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.json import json_dumps
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from homeassistant.util.event_type import EventType
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER, SPOOL_DIRECTORY
from .metadata import Services
from .metadata_store.answers import Question
from .metadata_store.store import FILE, Aside, MetadataStore, StoreState
from .registry_snapshot import async_snapshot

# What a user does once is many events, and an integration that starts fires thousands.
COOLDOWN_SECONDS: Final = 2.0
# Actions come and go without an event of a registry, and what is there is seen now and then.
REFRESH: Final = timedelta(minutes=30)

REGISTRIES: Final[tuple[EventType[Any], ...]] = (
    ar.EVENT_AREA_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
    lr.EVENT_LABEL_REGISTRY_UPDATED,
)

ISSUE_ERROR: Final = "metadata_error"
ISSUES_ASIDE: Final = {
    Aside.DAMAGED: "metadata_damaged",
    Aside.NEWER: "metadata_newer",
}


class MetadataKeeper:
    """Syncs after every change of a registry, and answers in between.

    Which change it was does not matter: each sync reads everything, so none can be missed.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is opened before the first sync or answer."""
        self.users: set[str] = set()
        self._hass = hass
        self._store = MetadataStore(metadata_directory(hass), json_dumps)
        self._executor = ThreadPoolExecutor(1, "ha_ingestor_metadata")
        self._lock = asyncio.Lock()
        self._stops: list[CALLBACK_TYPE] = []
        self._timer: CALLBACK_TYPE | None = None
        self._aside: Aside | None = None

    @property
    def state(self) -> StoreState:
        """How the store is."""
        return self._store.state

    @callback
    def async_start(self) -> None:
        """Follow the registries."""
        listen = self._hass.bus.async_listen
        self._stops = [
            *(listen(event, self._async_request) for event in REGISTRIES),
            async_at_started(self._hass, self._async_request),
            async_track_time_interval(
                self._hass, self._async_request, REFRESH, cancel_on_shutdown=True
            ),
        ]
        self._async_request()

    async def async_stop(self) -> None:
        """Close the store, after what it is doing."""
        while self._stops:
            self._stops.pop()()
        if self._timer:
            self._timer()
            self._timer = None
        async with self._lock:
            await self._run(self._store.close)
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE_ERROR)
        await self._hass.async_add_executor_job(self._executor.shutdown)

    async def async_answer(self, question: Question) -> bytes:
        """Answer in JSON, also before the first sync if there was one in an earlier life."""
        answer = await self._run(self._store.answer, question, dt_util.utcnow())
        self._async_show()
        if self.state.synced_at is None:
            self._async_request()  # the file has just turned out to be unreadable
        return answer

    async def async_sync(self) -> None:
        """Make the store equal to the registries."""
        async with self._lock:
            if not self._stops:
                return
            home = await async_snapshot(self._hass)
            services: Services = {
                domain: {name: {} for name in names}
                for domain, names in self._hass.services.async_services().items()
            }
            home = replace(home, services=services)
            await self._run(self._store.sync, home, dt_util.utcnow())
            self._async_show()

    @callback
    def _async_request(self, _cause: object = None) -> None:
        if self._timer is None and self._stops:
            job = HassJob(self._async_due, "ha_ingestor metadata", cancel_on_shutdown=True)
            self._timer = async_call_later(self._hass, COOLDOWN_SECONDS, job)

    async def _async_due(self, _now: object) -> None:
        # From here on a change asks for another sync: this one may have read the registries.
        self._timer = None
        await self.async_sync()

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
            )
        else:
            ir.async_delete_issue(self._hass, DOMAIN, ISSUE_ERROR)
        if state.aside in {None, self._aside}:
            return
        self._aside = state.aside
        issue = ISSUES_ASIDE[state.aside]
        LOGGER.warning("The metadata store began anew: its file is %s", state.aside)
        # It tells of something that is over: who has read it may put it away.
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue,
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue,
            translation_placeholders={"file": f"{state.aside}-{FILE}"},
        )


KEEPER: HassKey[MetadataKeeper] = HassKey(f"{DOMAIN}_metadata")


@callback
def async_keep(hass: HomeAssistant, entry_id: str) -> None:
    """Have the registries kept for as long as this entry or another is loaded."""
    if KEEPER not in hass.data:
        keeper = hass.data[KEEPER] = MetadataKeeper(hass)
        keeper.async_start()
    hass.data[KEEPER].users.add(entry_id)


async def async_release(hass: HomeAssistant, entry_id: str) -> None:
    """Stop with the last entry; an entry that was released already does not count."""
    if keeper := hass.data.get(KEEPER):
        keeper.users.discard(entry_id)
        if not keeper.users:
            del hass.data[KEEPER]
            await keeper.async_stop()


def metadata_directory(hass: HomeAssistant) -> Path:
    """Where the store is: beside the spools, which backups leave out."""
    return Path(hass.config.path(SPOOL_DIRECTORY))
