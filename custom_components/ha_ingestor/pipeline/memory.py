"""The limits of the queues in memory.

Before the spool's thread: events in the intake, and events of a reload. Behind it: lines that the
disk refuses. Each place loses its oldest, counted, when there are too many or they are too large.
"""

from typing import Final

# Ten seconds of the busiest home, or half an hour of an ordinary one.
MEMORY_POINTS: Final = 20_000
MEMORY_BYTES: Final = 16 * 1024 * 1024
