"""Devices and entities over HTTP, for everybody who may log in."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .metadata_store.answers import DEVICES, ENTITIES, Listing, QuestionError, ask
from .metadata_store.keeper import KEEPER

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
        """Answer what is asked for, or say what is wrong with it."""
        try:
            question = ask(self._listing, request.query.items())
        except QuestionError as err:
            return self.json_message(str(err), HTTPStatus.BAD_REQUEST)
        keeper = request.app[KEY_HASS].data.get(KEEPER)
        if keeper is None:
            return self.json_message("No destination is loaded", HTTPStatus.SERVICE_UNAVAILABLE)
        body = await keeper.async_answer(question)
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
