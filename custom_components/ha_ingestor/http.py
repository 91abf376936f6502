"""Devices and entities over HTTP, for every user."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .metadata_store.metadata_sync import METADATA_SYNC
from .metadata_store.queries import DEVICES, ENTITIES, Listing, QueryError, parse

# Home Assistant's own numbers: below the first it does not pay, above the second it takes a thread.
COMPRESS_BYTES: Final = 1024
THREAD_BYTES: Final = 32768


class MetadataView(HomeAssistantView):
    """A list of the metadata store."""

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
        metadata_sync = request.app[KEY_HASS].data.get(METADATA_SYNC)
        if metadata_sync is None:
            return self.json_message("No destination is loaded", HTTPStatus.SERVICE_UNAVAILABLE)
        body = await metadata_sync.async_answer(query)
        response = web.Response(
            body=body, content_type=CONTENT_TYPE_JSON, zlib_executor_size=THREAD_BYTES
        )
        if len(body) > COMPRESS_BYTES:
            response.enable_compression()
        return response


@callback
def async_setup_views(hass: HomeAssistant) -> None:
    """Register the views, which cannot be taken back."""
    for listing in (DEVICES, ENTITIES):
        hass.http.register_view(MetadataView(listing))
