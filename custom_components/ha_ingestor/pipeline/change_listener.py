"""Who is told of changes, which is known only once a pipeline starts."""

from collections.abc import Callable


def no_listener() -> None:
    """Do nothing."""


class ChangeListener:
    """Is called by the parts of a pipeline, in the event loop, and calls the listener."""

    def __init__(self) -> None:
        """Start without a listener."""
        self.listener: Callable[[], None] = no_listener

    def __call__(self) -> None:
        """Tell of a change of the status or of the disk."""
        self.listener()
