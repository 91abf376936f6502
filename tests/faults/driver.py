"""What the model needs of the pipeline, disk and database that it is checked against."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Protocol

from .steps import Answers


class KilledError(BaseException):
    """The process ends here."""


class Deliveries:
    """Points that the database may have although the process does not know it.

    `slack` is for how many states that the process tells an answer may still be on its way. While
    the disk is broken an answer cannot be accounted for, if some of its points go into quarantine.
    """

    def __init__(self, slack: int = 1) -> None:
        self.unacknowledged: set[int] = set()
        self.is_disk_broken: Callable[[], bool] = lambda: False
        self._recent: deque[set[int]] = deque([set()], maxlen=slack)
        self._processes = 0
        self._lock = Lock()

    def sent(self, numbers: Iterable[int]) -> int:
        """They are on their way, in the process that is returned."""
        with self._lock:
            self.unacknowledged.update(numbers)
            return self._processes

    def acknowledged(self, numbers: Iterable[int], process: int) -> None:
        """The database stored them, and its answer is on its way back."""
        with self._lock:
            if process == self._processes and not self.is_disk_broken():
                self.unacknowledged.difference_update(numbers)
                self._recent[-1].update(numbers)

    def noted(self) -> None:
        """The process told its state, so that it knows of older answers."""
        with self._lock:
            self._recent.append(set())

    def killed(self) -> None:
        """The process may not have noted the last answers."""
        with self._lock:
            self.unacknowledged.update(*self._recent)
            self._processes += 1


class Driver(Protocol):
    """Processes of one home, one at a time, with their disk, database and clocks."""

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def is_broken(self) -> bool:
        """Whether anything fails on the disk."""

    @property
    def is_durable(self) -> bool:
        """Whether a power cut would take nothing from the disk."""

    def begin(self, options: dict[str, Any]) -> None:
        """Begin a process."""

    def ask(self, what: str, **how: Any) -> Any:
        """Let the process do something (see `host`); raises OSError and KilledError."""

    def arm(self, at: int) -> None:
        """Let the process die at that operation on a file."""

    def kill(self) -> None:
        """End the process, if it is not dead yet."""

    def cut_power(self, seed: int) -> None:
        """End everything, where that is possible."""

    def break_files(self, pattern: str, error: int) -> None:
        """Let operations fail that look like "operation name"."""

    def fill_disk(self) -> None:
        """Leave no room."""

    def heal_disk(self) -> None:
        """Let everything succeed again."""

    def answer(self, answers: Answers) -> None:
        """Let the database answer like this."""

    def pass_time(self, seconds: float, jump: float) -> None:
        """Let time pass, and set the clock on the wall."""

    def held(self) -> Counter[int]:
        """Numbers in the database, and how many points each has."""

    def close(self) -> None:
        """End everything."""
