"""The memory of a destination between an unload and the next setup."""

from collections.abc import Awaitable, Callable

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..enrich.attribution import Attribution
from ..pipeline.handover import Handover
from ..pipeline.pipeline import Pipeline
from ..tasks.shielded import SharedTask
from .local import LocalSource
from .present_states import PresentStates
from .reload_buffer import ReloadBuffer

type Build = Callable[[Handover | None, ReloadBuffer | None], tuple[Pipeline, LocalSource]]


class ReloadHandover:
    """Holds the handover for the next pipeline, and the buffer of new events.

    When Home Assistant stops before there is one, it goes to the disk by `build`, as the
    destination was set up before.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        reload_buffer: ReloadBuffer,
        stop: Callable[[], Awaitable[Handover]],
        attribution: Attribution,
        build: Build | None,
        *,
        present: PresentStates | None,
        capture: Callable[[Pipeline], Awaitable[None]],
    ) -> None:
        """Wait for a setup or the end; without `build` nothing is worth keeping until the end.

        `stop` ends the pipeline before, and may be called again while it does. `present` are the
        states that a gap ends with. `capture` gives a pipeline what other sources have in memory.
        """
        self.reload_buffer = reload_buffer
        self.attribution = attribution
        self.present = present
        self.is_over = False
        # Called once this is of no more use.
        self.when_taken: CALLBACK_TYPE | None = None
        self._stop_pipeline = stop
        self._build = build
        self._capture = capture
        self._write = SharedTask[None]()
        self._stop: CALLBACK_TYPE | None = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_FINAL_WRITE, self.async_final_write
        )

    async def async_handover(self) -> Handover:
        """Return what the pipeline before left in memory, as soon as that has ended."""
        return await self._stop_pipeline()

    @callback
    def async_take(self) -> None:
        """Release everything, because a source takes over."""
        if self._stop:
            self._stop()
            self._stop = None
        if self.when_taken:
            self.when_taken()
            self.when_taken = None

    @callback
    def async_drop(self) -> None:
        """Release everything, because the destination is removed."""
        self.async_take()
        self.reload_buffer.async_end()
        self.attribution.async_stop()

    async def async_final_write(self, event: Event | None = None) -> None:
        """Store everything on disk, because Home Assistant stops."""
        if event:
            self._stop = None  # a one-time listener removes itself
        self.async_take()
        self.is_over = True
        await self._write.async_run(self._async_write)

    async def async_store(self) -> None:
        """Store everything on disk, because the destination was disabled meanwhile."""
        self.async_take()
        await self._write.async_run(self._async_write)
        self.attribution.async_stop()

    async def _async_write(self) -> None:
        handover = await self.async_handover()
        if not self._build:
            self.reload_buffer.async_end()
            return
        pipeline, source = self._build(handover, self.reload_buffer)
        pipeline.start()
        try:
            await source.async_start()
            await source.async_stop()
            await self._capture(pipeline)
        finally:
            await pipeline.stop()


RELOAD_HANDOVERS: HassKey[dict[str, ReloadHandover]] = HassKey(f"{DOMAIN}_reload_handovers")
