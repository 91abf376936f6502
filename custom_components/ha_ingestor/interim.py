"""What is in memory of a destination between an unload and the next setup."""

from collections.abc import Callable

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .pipeline.pipeline import Handover, Pipeline
from .sources.causes import Causes
from .sources.gap import Gap
from .sources.local import LocalSource

type Build = Callable[[Handover | None, Gap | None], tuple[Pipeline, LocalSource]]


class Interim:
    """Holds what the next pipeline goes on with, and what happens until then.

    When Home Assistant stops before there is one, it goes to the disk by `build`, as the
    destination was set up before.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        gap: Gap,
        handover: Handover,
        causes: Causes,
        build: Build | None,
    ) -> None:
        """Wait for a setup or the end; without `build` nothing is worth keeping until the end."""
        self.gap = gap
        self.handover = handover
        self.causes = causes
        self.is_over = False
        self._build = build
        self._stop: CALLBACK_TYPE | None = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_FINAL_WRITE, self.async_final_write
        )

    @callback
    def async_take(self) -> None:
        """Hold nothing any more, because a source takes over."""
        if self._stop:
            self._stop()
            self._stop = None

    @callback
    def async_drop(self) -> None:
        """Hold nothing any more, because the destination is removed."""
        self.async_take()
        self.gap.async_end()
        self.causes.async_stop()

    async def async_final_write(self, _event: Event | None = None) -> None:
        """Bring everything to the disk, because no setup comes any more."""
        self.async_take()
        self.is_over = True
        if not self._build:
            self.gap.async_end()
            return
        pipeline, source = self._build(self.handover, self.gap)
        pipeline.start()
        try:
            await source.async_start()
            source.async_stop()
        finally:
            await pipeline.stop()


INTERIMS: HassKey[dict[str, Interim]] = HassKey(f"{DOMAIN}_interims")
