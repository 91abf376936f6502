"""The connection to one remote home: made, kept, and made again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ...clients.homeassistant.connection import Connection
from ...clients.homeassistant.errors import HomeAssistantError, Problem
from ...const import LOGGER
from ...health.texts.server_text import plain
from ...pipeline.change_listener import no_listener
from ...pipeline.export.attempts import wait_for
from ...pipeline.export.backoff import backoff
from .capture import RemoteCapture
from .catalog import RemoteHome
from .conversation import Conversation
from .health import RemoteHealth
from .settings import RemoteSettings

# A connection that lasted so long was a good one, and the waits begin anew.
GOOD_SECONDS: Final = 30.0
# The rest of what came is captured before the end, if it does not take longer.
STOP_SECONDS: Final = 5.0

type Open = Callable[[], Awaitable[Connection]]


class RemoteLink:
    """Lives as long as its subentry is the same, also over a reload of the destination.

    Without a capture what comes waits. A refused token is never presented again: Home Assistant
    bans who tries too often.
    """

    def __init__(self, hass: HomeAssistant, settings: RemoteSettings, open_: Open) -> None:
        """Prepare; `open_` makes a connection or raises HomeAssistantError."""
        self.settings = settings
        self.health = RemoteHealth()
        self.home = RemoteHome()
        self.on_change: Callable[[], None] = no_listener
        # Called when the registries there were read.
        self.on_registries: Callable[[], None] = no_listener
        self._hass = hass
        self._open = open_
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._capture: RemoteCapture | None = None
        self._attached = asyncio.Event()
        self._failed = 0
        self._connection: Connection | None = None
        self._is_stopping = False

    @callback
    def async_attach(self, capture: RemoteCapture) -> None:
        """Give what comes, and what waits, to this capture; begin if need be."""
        self._capture = capture
        self._attached.set()
        if self._task is None and not self.health.now.is_given_up:
            self._is_stopping = False
            self._task = self._hass.async_create_background_task(
                self._run(), f"ha_ingestor remote {self.settings.instance}"
            )

    @callback
    def async_detach(self) -> None:
        """Give nothing to the capture any more."""
        self._capture = None
        self._attached.clear()

    @callback
    def async_try_now(self) -> None:
        """Try at once, also when nothing was to be tried any more; but no refused token."""
        if self.health.now.problem is not Problem.INVALID_AUTH:
            self.async_begin_again()

    @callback
    def async_begin_again(self) -> None:
        """Try at once: somebody has just seen that it works."""
        self._failed = 0
        if self.health.now.is_given_up:
            self.health.tries_again()
            self._task = None  # it has ended
            if self._capture:
                self.async_attach(self._capture)
        self._wake.set()

    async def async_stop(self) -> None:
        """End, after what came was captured. Safe to call twice."""
        self._is_stopping = True
        self._wake.set()
        task, self._task = self._task, None
        # Without a connection there is nothing left to capture.
        has_more = self._connection is not None and self._capture is not None
        if self._connection:
            await self._connection.close()
        if task:
            await asyncio.wait([task], timeout=STOP_SECONDS if has_more else 0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def async_capture(self) -> RemoteCapture:
        """Return the capture, or wait for the next one."""
        while self._capture is None:
            await self._attached.wait()
        return self._capture

    def _registries_read(self) -> None:
        self.home.read_at = datetime.now(UTC)
        self.on_registries()

    async def _run(self) -> None:
        while True:
            error = await self._attempt()
            if self._is_stopping:
                return
            if error.problem is Problem.INVALID_AUTH:
                LOGGER.warning("%s refuses the access token", self.settings.instance)
                self.health.gave_up()
                self.on_change()
                return
            self._failed += 1
            if self.settings.attempts and self._failed >= self.settings.attempts:
                LOGGER.warning(
                    "%s could not be reached %s times; nothing more is tried",
                    self.settings.instance,
                    self._failed,
                )
                self.health.gave_up()
                self.on_change()
                return
            seconds = backoff(self._failed, random.random())  # noqa: S311  no secret
            self.health.retry_in(seconds)
            self.on_change()
            self._wake.clear()
            await wait_for(self._wake, seconds)

    async def _attempt(self) -> HomeAssistantError:
        """Connect and follow the home until the connection is lost; returns why."""
        health, began = self.health, self._hass.loop.time()
        health.attempt_began()
        try:
            self._connection = connection = await self._open()
            conversation = Conversation(
                connection, self.home, health, self.async_capture, self._registries_read
            )
            await conversation.async_begin()
            health.connection_made(connection.version, connection.clock_ahead)
            LOGGER.info("%s is connected", self.settings.instance)
            self.on_change()
            await conversation.async_follow()
        except HomeAssistantError as err:
            error = err
        except Exception:  # noqa: BLE001  whatever another home sends must not end this for good
            LOGGER.exception("The connection to %s failed", self.settings.instance)
            error = HomeAssistantError(Problem.PROTOCOL, "an unexpected answer")
        finally:
            if self._connection:
                await self._connection.close()
                self._connection = None
        words = plain(str(error))
        if health.now.connected:
            LOGGER.info("%s is not connected any more: %s", self.settings.instance, words)
            if self._hass.loop.time() - began > GOOD_SECONDS:
                self._failed = 0
        elif health.now.connected is None:
            LOGGER.info("%s cannot be connected: %s", self.settings.instance, words)
        health.connection_failed(error)
        return error
