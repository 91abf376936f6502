"""Ctrl-C and the other ways to be told to end: processes that were started are stopped first."""

import signal
from typing import Final

_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_in_order() -> None:
    """Turn each of these signals into a KeyboardInterrupt, once."""
    for number in _STOPS:
        signal.signal(number, _stop)


def _stop(_number: int, _frame: object) -> None:
    """End in order; whoever is impatient and asks again must not leave processes behind."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
