"""Steps that are alike: Home Assistant finds each by the name of a method."""

from collections.abc import Callable, Mapping
from functools import partialmethod
from typing import Any


def add_steps(flow: type, method: Callable[..., Any], steps: Mapping[str, str]) -> None:
    """Give a dialogue these steps, by name; each is the method, called with what belongs to it."""
    for name, argument in steps.items():
        setattr(flow, f"async_step_{name}", partialmethod(method, argument))
