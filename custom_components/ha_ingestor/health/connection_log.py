"""One line in the log when a database is lost, and one when it is back."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from ..const import LOGGER
from ..pipeline.export.export_state import ExportState, Status
from .texts.server_text import plain


class _Loss(NamedTuple):
    since: float
    written: int


class ConnectionLog:
    """Remembers what was logged last.

    Both lines are warnings: Home Assistant shows nothing less important unless it is told to.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Log nothing yet."""
        self._clock = clock
        self._loss: _Loss | None = None

    def note(self, title: str, state: ExportState, *, written: int, waiting: int) -> None:
        """Log that points are not accepted, or that they are again; `written` so far."""
        if state.connected is False and self._loss is None:
            self._loss = _Loss(self._clock(), written)
            LOGGER.warning(
                "%s does not accept points, which wait on disk: %s (%s)",
                title,
                state.problem,
                plain(state.detail),
            )
        elif state.status is Status.OK and self._loss:
            loss, self._loss = self._loss, None
            LOGGER.warning(
                "%s accepts points again after %s: %s delivered, %s waiting",
                title,
                timedelta(seconds=round(self._clock() - loss.since)),
                written - loss.written,
                waiting,
            )
