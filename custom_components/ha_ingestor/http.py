"""The HTTP API, for every user: devices and entities, health and metrics."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, override

from aiohttp import web
from aiohttp.hdrs import CONTENT_TYPE
from homeassistant.components.http import KEY_HASS, KEY_HASS_USER, HomeAssistantView
from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .health.http import api, metrics
from .health.readings import (
    Reading,
    UnknownDestinationError,
    async_readings,
    async_why_none,
)
from .metadata_store.listings import DEVICES, ENTITIES, Listing, QueryError
from .metadata_store.metadata_sync import METADATA_SYNC
from .metadata_store.queries import parse
from .sources.remote.states_view import StatesView, async_connected

# Home Assistant's own numbers: below the first it does not pay, above the second it takes a thread.
COMPRESS_BYTES: Final = 1024
THREAD_BYTES: Final = 32768

PARAMETER: Final = "config_entry_id"

# When the integration was started, by the monotonic clock.
_STARTED: HassKey[float] = HassKey(f"{DOMAIN}_started")


class MetadataView(HomeAssistantView):
    """A list of the metadata store; what is of other homes is for administrators."""

    requires_auth = True

    def __init__(self, listing: Listing) -> None:
        """Answer for one of the lists."""
        self.url = f"/api/{DOMAIN}/{listing.table}"
        self.name = f"api:{DOMAIN}:{listing.table}"
        self._listing = listing

    async def get(self, request: web.Request) -> web.Response:
        """Answer a query, or return what is wrong with it."""
        try:
            query = parse(self._listing, request.query.items())
        except QueryError as err:
            return self.json_message(str(err), HTTPStatus.BAD_REQUEST)
        hass = request.app[KEY_HASS]
        if query.instance and not request[KEY_HASS_USER].is_admin:
            raise Unauthorized  # as of the states of another home
        metadata_sync = hass.data.get(METADATA_SYNC)
        if metadata_sync is None:
            return self.json_message("No destination is loaded", HTTPStatus.SERVICE_UNAVAILABLE)
        body = await metadata_sync.async_answer(query, async_connected(hass))
        response = web.Response(
            body=body, content_type=CONTENT_TYPE_JSON, zlib_executor_size=THREAD_BYTES
        )
        if len(body) > COMPRESS_BYTES:
            response.enable_compression()
        return response


class HealthView(HomeAssistantView):
    """What is known of all destinations, or of the one that is named.

    No answer has a server's words, an address, or a value of the home: each may be read by every
    user.
    """

    requires_auth = True

    async def get(self, request: web.Request) -> web.Response:
        """Read the destinations and answer, or return what is wrong with the query."""
        hass = request.app[KEY_HASS]
        if set(request.query) - {PARAMETER} or len(request.query) > 1:
            return self.json_message(f"Only {PARAMETER} is possible", HTTPStatus.BAD_REQUEST)
        try:
            readings = await async_readings(hass, request.query.get(PARAMETER) or None)
        except UnknownDestinationError:
            return self.json_message(f"No destination has this {PARAMETER}", HTTPStatus.NOT_FOUND)
        return await self.async_answer(hass, readings)

    async def head(self, request: web.Request) -> web.Response:
        """Answer with the status alone, which is enough for many a monitor."""
        return await self.get(request)

    async def async_answer(self, hass: HomeAssistant, readings: Sequence[Reading]) -> web.Response:
        """Answer with what is known."""
        raise NotImplementedError


class SummaryView(HealthView):
    """How everything is."""

    url = f"/api/{DOMAIN}/health"
    name = f"api:{DOMAIN}:health"

    @override
    async def async_answer(self, hass: HomeAssistant, readings: Sequence[Reading]) -> web.Response:
        uptime = time.monotonic() - hass.data[_STARTED]
        found = api.health(
            readings,
            why_none=async_why_none(hass),
            version=_version(hass),
            uptime=uptime,
            now=dt_util.utcnow(),
        )
        return self.json(found)


class DependenciesView(HealthView):
    """How everything is that the integration depends on."""

    url = f"/api/{DOMAIN}/health/dependencies"
    name = f"api:{DOMAIN}:health:dependencies"

    @override
    async def async_answer(self, hass: HomeAssistant, readings: Sequence[Reading]) -> web.Response:
        return self.json(api.dependencies(readings, now=dt_util.utcnow()))


class ReadyView(HealthView):
    """Whether every destination accepts points now."""

    url = f"/api/{DOMAIN}/ready"
    name = f"api:{DOMAIN}:ready"

    @override
    async def async_answer(self, hass: HomeAssistant, readings: Sequence[Reading]) -> web.Response:
        is_ready, found = api.ready(readings, why_none=async_why_none(hass))
        return self.json(found, HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)


class MetricsView(HealthView):
    """Everything as numbers, for Prometheus."""

    url = f"/api/{DOMAIN}/metrics"
    name = f"api:{DOMAIN}:metrics"

    @override
    async def async_answer(self, hass: HomeAssistant, readings: Sequence[Reading]) -> web.Response:
        body = await hass.async_add_executor_job(metrics.metrics, readings, _version(hass))
        response = web.Response(body=body, headers={CONTENT_TYPE: metrics.CONTENT_TYPE})
        response.enable_compression()
        return response


@callback
def async_setup_views(hass: HomeAssistant) -> None:
    """Register the views, which cannot be taken back."""
    hass.data[_STARTED] = time.monotonic()
    for listing in (DEVICES, ENTITIES):
        hass.http.register_view(MetadataView(listing))
    for view in (SummaryView, DependenciesView, ReadyView, MetricsView, StatesView):
        hass.http.register_view(view)


def _version(hass: HomeAssistant) -> str:
    return str(async_get_loaded_integration(hass, DOMAIN).version)
