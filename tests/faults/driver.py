"""What the model needs of the pipeline, disk and database that it is checked against."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .steps import Answers


class KilledError(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Deliveries:
    """Points that the database may have although the process does not know it."""

    unacknowledged: set[int] = field(default_factory=set)
    _recent: set[int] = field(default_factory=set)
    _older: set[int] = field(default_factory=set)

    def sent(self, numbers: Iterable[int]) -> None:
        """They are on their way."""
        self.unacknowledged.update(numbers)

    def acknowledged(self, numbers: Iterable[int]) -> None:
        """The database stored them, and its answer is on its way back."""
        self.unacknowledged.difference_update(numbers)
        self._recent.update(numbers)

    def noted(self) -> None:
        """The process noted the answers; the newest may still be on their way."""
        self._older, self._recent = self._recent, set()

    def killed(self) -> None:
        """The process may not have noted the last answers."""
        self.unacknowledged |= self._recent | self._older


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
