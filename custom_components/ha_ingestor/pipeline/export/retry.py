"""What an answer means that comes again and again, and how long to wait after it."""

import traceback
from dataclasses import dataclass
from typing import Final

from .attempts import Attempts
from .result import Cause, Problem, Result

# A proxy with a body limit may cut the connection instead of saying so.
LARGE_BODY: Final = 64 * 1024
# No line of ours comes near any limit, so a single one that is too large is first seen as
# transient.
TOO_LARGE_ATTEMPTS: Final = 3
# Ten failures at the same points, and each of them a backoff apart, are no transient error.
STUCK_ATTEMPTS: Final = 10


@dataclass(slots=True, kw_only=True)
class RetryPolicy:
    """Remembers the last answer, and how often in a row it came."""

    attempts: Attempts
    _last_answer: tuple[Problem, int] = (Problem.NONE, 0)
    _in_a_row: int = 0
    _is_stuck: bool = False
    _last_error: str = ""

    def accepted(self, points: int) -> None:
        """Note that the database stored points."""
        self._is_stuck = self._is_stuck and points == 1
        self._last_error = ""
        self.set_aside()

    def set_aside(self) -> None:
        """Note that points are out of the way; that they were refused shows a sound server."""
        self._in_a_row = 0
        self.attempts.succeeded()

    def kept(self, result: Result) -> float:
        """Note that points were kept; return the seconds to wait."""
        self._in_a_row = self._repeated(result) + 1
        self._last_answer = result.problem, result.code
        return self.attempts.kept(result)

    def blocked(self) -> float:
        """Note that the database takes no points at all; return the seconds to wait."""
        self._in_a_row = 0
        return self.attempts.blocked()

    def is_too_large(self, result: Result) -> bool:
        """Whether a single line is too large, as it was answered so often enough."""
        return self._repeated(result) >= TOO_LARGE_ATTEMPTS

    def is_too_much(self, result: Result) -> bool:
        """Whether the same points took too long, or the connection was cut, once more."""
        is_late = result.problem is Problem.TIMEOUT or result.cause is Cause.GATEWAY_TIMEOUT
        is_cut = result.cause is Cause.CONNECTION_CUT
        return (is_late or is_cut) and self._repeated(result) > 0

    def is_cut_off(self, result: Result, length: int) -> bool:
        """Whether a body of so many bytes may be too large for somebody in between."""
        return result.cause is Cause.CONNECTION_CUT and length > LARGE_BODY

    def is_stuck(self, result: Result) -> bool:
        """Whether to look for one point that the database fails at, instead of rejecting it."""
        if result.cause is not Cause.DATABASE_FAILED:
            return False
        if self._repeated(result) >= STUCK_ATTEMPTS:
            self._is_stuck = True
        return self._is_stuck

    def is_new(self, err: BaseException) -> bool:
        """Whether the last error of ours was another one: the log shows each once."""
        known = self._last_error
        self._last_error = f"{type(err).__name__} {traceback.extract_tb(err.__traceback__)[-1]}"
        return self._last_error != known

    def _repeated(self, result: Result) -> int:
        """How often in a row the last attempts were answered like this."""
        return self._in_a_row if self._last_answer == (result.problem, result.code) else 0
