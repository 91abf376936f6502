"""The full collections of Python's garbage: there are few, and each goes through all objects."""

import gc
import time
from types import TracebackType
from typing import Final, Self

_OLDEST: Final = 2


class FullCollections:
    """Counts within a `with`, in whichever thread they are; `seconds` are of processor time."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.count = 0
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._collecting)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        gc.callbacks.remove(self._collecting)

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] != _OLDEST:
            return
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.count += 1
            self.seconds += time.thread_time() - self._began
