"""The remote homes of one destination, and their connections."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey

from ...clients.homeassistant.connection import Connection
from ...connection import async_ssl
from ...const import CONF_CA_CERTIFICATE, DOMAIN, SUBENTRY_REMOTE
from ...enrich.attribution import Attribution
from ...health.issues.remote import async_forget_remote
from ...options.events import event_types
from ...options.filter import entity_filter
from ...options.history import gap_days
from ...options.noise import rule_table
from ...pipeline.model import EntityContext, is_here, parts_of
from ...pipeline.pipeline import Pipeline
from ...registry.remote_homes import async_remote_homes
from ..kept_link import KeptLink
from .capture import RemoteCapture
from .coordinator import RemoteCoordinator
from .link import RemoteLink
from .registries import RemoteRegistries
from .settings import RemoteSettings
from .watermarks import async_watermarks

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry

_DAY: Final = 86_400.0

# By subentry.
REMOTE_LINKS: HassKey[dict[str, KeptLink[RemoteLink]]] = HassKey(f"{DOMAIN}_remote_links")


class Contexts(Mapping[str, EntityContext]):
    """The descriptions of the entities of all homes as they are now, by their keys."""

    def __init__(self, here: Mapping[str, EntityContext]) -> None:
        """Start with this home."""
        self._here = here
        self.remotes: Mapping[str, RemoteCapture] = {}

    def __getitem__(self, key: str) -> EntityContext:
        """Look up what is described already: another thread must not describe."""
        if is_here(key):
            context = self._here.get(key)
        else:
            name, entity_id = parts_of(key)
            capture = self.remotes.get(name)
            catalog = capture.catalog if capture else None
            context = catalog.get(entity_id) if catalog is not None else None
        if context is None:
            raise KeyError(key)
        return context

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys of this home, which are all that anybody asks for."""
        return iter(self._here)

    def __len__(self) -> int:
        """Count the keys of this home."""
        return len(self._here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One remote home of a destination."""

    subentry: ConfigSubentry
    link: RemoteLink
    capture: RemoteCapture
    coordinator: RemoteCoordinator
    registries: RemoteRegistries


class Remotes:
    """Starts and stops with the pipeline; the connections stay over a reload."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HaIngestorConfigEntry,
        pipeline: Pipeline,
        contexts: Contexts,
        attribution: Attribution,
    ) -> None:
        """Prepare a capture for each remote home, and find its connection or make one."""
        self._hass = hass
        self._links = hass.data.setdefault(REMOTE_LINKS, {})
        self._entry_id = entry.entry_id
        self._entry = entry
        self._pipeline = pipeline
        self._attribution = attribution
        self.all = tuple(map(self._remote, entry.get_subentries_of_type(SUBENTRY_REMOTE)))
        contexts.remotes = {each.link.settings.instance: each.capture for each in self.all}

    def _remote(self, subentry: ConfigSubentry) -> Remote:
        options, link = self._entry.options, self._link(subentry)
        capture = RemoteCapture(
            self._hass,
            self._pipeline,
            name=link.settings.instance,
            entity_filter=entity_filter(subentry.data),
            rules=rule_table(options),
            event_types=event_types(options),
            attribution=self._attribution,
            gap_seconds=gap_days(options) * _DAY,
        )
        coordinator = RemoteCoordinator(
            self._hass, self._entry, subentry, link, name=link.settings.instance
        )
        registries = RemoteRegistries(
            self._hass, link, entry_id=self._entry_id, subentry_id=subentry.subentry_id
        )
        return Remote(
            subentry=subentry,
            link=link,
            capture=capture,
            coordinator=coordinator,
            registries=registries,
        )

    def _link(self, subentry: ConfigSubentry) -> RemoteLink:
        settings = RemoteSettings.of(subentry)
        kept = self._links.get(subentry.subentry_id)
        if kept and kept.link.settings == settings:
            return kept.link
        link = RemoteLink(self._hass, settings, partial(_async_open, self._hass, settings))
        if kept and kept.link.settings.instance == settings.instance:
            link.home = kept.link.home
        return link

    async def async_start(self) -> None:
        """End the connections of remote homes that are not there any more, and begin the others."""
        if not (self.all or self._links):
            return
        watermarks = await async_watermarks(self._hass)
        wanted = {each.subentry.subentry_id: each.link for each in self.all}
        for subentry_id, kept in list(self._links.items()):
            if kept.entry_id == self._entry_id and wanted.get(subentry_id) is not kept.link:
                del self._links[subentry_id]
                await _async_end(kept)
                async_remote_homes(self._hass).async_drop(subentry_id)
                is_removed = subentry_id not in wanted
                await watermarks.async_leave(subentry_id, is_removed=is_removed)
                if is_removed:
                    async_forget_remote(self._hass, self._entry_id, subentry_id)
        for each in self.all:
            new = KeptLink(link=each.link, entry_id=self._entry_id)
            self._links.setdefault(each.subentry.subentry_id, new).async_cancel_end()
            home, subentry_id = each.link.home, each.subentry.subentry_id
            if home.newest is None:
                home.newest = watermarks.newest(subentry_id)
                home.entities.load(watermarks.entities(subentry_id))
            home.removals = watermarks.removals(subentry_id)
            home.store_new = watermarks.async_store_new
            watermarks.async_follow(
                subentry_id, partial(getattr, home, "captured_until"), home.stored_entities
            )
            each.coordinator.async_start()
            each.registries.async_start()
            each.link.async_attach(each.capture)

    async def async_stop(self, *, hand_over: bool) -> None:
        """Capture nothing more. Safe to call twice.

        The connections wait for the next set-up, or end after what came is captured.
        """
        ended = []
        for each in self.all:
            subentry_id = each.subentry.subentry_id
            kept = self._links.get(subentry_id)
            each.coordinator.async_stop()
            each.registries.async_stop()
            if kept is None or kept.link is not each.link:
                continue
            if not hand_over:
                del self._links[subentry_id]
                ended.append(_async_end(kept))
            elif not kept.is_ending:
                each.link.async_detach()
                kept.async_end_later(self._hass, partial(self._async_expire, subentry_id))
        await asyncio.gather(*ended)
        if ended:
            watermarks = await async_watermarks(self._hass)
            for each in self.all:
                await watermarks.async_leave(each.subentry.subentry_id)

    @callback
    def async_try_now(self) -> None:
        """Try to connect at once."""
        for each in self.all:
            each.link.async_try_now()

    @callback
    def async_begin_again(self, subentry_id: str) -> None:
        """Try to connect to one home at once, also with a token that was refused before."""
        for each in self.all:
            if each.subentry.subentry_id == subentry_id:
                each.link.async_begin_again()

    async def _async_expire(self, subentry_id: str, _now: object) -> None:
        # What is known of the home stays: later it tells what happened meanwhile.
        if kept := self._links.get(subentry_id):
            kept.async_cancel_end()
            await kept.link.async_stop()


async def async_forget_remotes(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """End the connections of a destination that is removed."""
    links = hass.data.get(REMOTE_LINKS, {})
    for subentry_id, kept in list(links.items()):
        if kept.entry_id == entry.entry_id:
            del links[subentry_id]
            await _async_end(kept)
    for subentry in entry.get_subentries_of_type(SUBENTRY_REMOTE):
        watermarks = await async_watermarks(hass)
        await watermarks.async_leave(subentry.subentry_id, is_removed=True)
        async_remote_homes(hass).async_drop(subentry.subentry_id)


async def _async_end(kept: KeptLink[RemoteLink]) -> None:
    kept.async_cancel_end()
    await kept.link.async_stop()


async def _async_open(hass: HomeAssistant, settings: RemoteSettings) -> Connection:
    ssl = await async_ssl(
        hass,
        {
            CONF_CA_CERTIFICATE: settings.ca_certificate,
            CONF_VERIFY_SSL: settings.verify_ssl,
        },
    )
    return await Connection.open(
        async_get_clientsession(hass), settings.url, settings.token, ssl=ssl
    )
