"""Why a spool has to give up points, so that new ones find room."""

import errno
from collections.abc import Callable
from typing import Final

from ..files import Files
from .segments.segments import Segments
from .settings import TOO_OLD, ClockReadings, SpoolSettings, WhenFull

DISK_LOW: Final = "disk_low"


class SpoolFullError(OSError):
    """There is no room for new points, and older ones are not to be given up for them."""


class Room:
    """Judges by the bounds of a spool and by the room on the disk. Methods may raise OSError.

    `clock` is monotonic, `steady` dates frames, and `wall_clock` says what time it is.
    """

    def __init__(
        self,
        files: Files,
        segments: Segments,
        settings: SpoolSettings,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """Prepare; `opened` says since when points are stored."""
        self._files = files
        self._segments = segments
        self._settings = settings
        self._clock = clock
        self._steady = steady
        self._wall_clock = wall_clock
        self._opened_at = 0.0

    @property
    def keeps_oldest(self) -> bool:
        """Whether a full spool gives up the newest points."""
        return self._settings.full is WhenFull.NEWEST

    def opened(self) -> None:
        """Note that the spool is open."""
        self._opened_at = self._clock()

    def excess(self, acked: int, size: int) -> str:
        """Why the oldest segment has to go before `size` bytes come; empty when it may stay.

        Raises SpoolFullError when the newest points are the ones to give up.
        """
        segments, settings = self._segments, self._settings
        if (oldest := segments.oldest(acked)) and (
            reason := settings.excess(oldest, segments.size + size, self._now)
        ):
            return self._for_new_points(reason)
        if segments.disk_error and segments.size + size > settings.max_bytes:
            raise OSError(errno.ENOSPC, f"The spool cannot remove its files: {segments.disk_error}")
        return ""

    def _now(self) -> ClockReadings:
        return ClockReadings(
            steady=self._steady(),
            open_for=self._clock() - self._opened_at,
            wall=self._wall_clock(),
        )

    def shortage(self, acked: int) -> str:
        """Why the oldest segment has to go because of what else is on the disk, or empty.

        The disk belongs to Home Assistant first: while it is low, the spool goes on in the space
        that it has. Raises SpoolFullError as `excess` does.
        """
        segments = self._segments
        is_low = segments.needs_file and self._files.free_bytes() < self._settings.min_free_bytes
        return self._for_new_points(DISK_LOW) if is_low and segments.oldest(acked) else ""

    def _for_new_points(self, reason: str) -> str:
        if self.keeps_oldest and reason != TOO_OLD:
            raise SpoolFullError(errno.ENOSPC, "The spool is full")
        return reason
