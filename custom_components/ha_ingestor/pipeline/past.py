"""Events of a span of the past, which are filtered and encoded apart from the live ones."""

from dataclasses import dataclass

from .encode.encoder import Encoder
from .filter.recovered import RecoveredFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is remembered from one event of the span to the next.

    With an encoder of its own the same span gives the same points whenever it is read, also where
    they are as old as live ones. `is_elsewhere` says that it is the past of another home.
    """

    recovered_filter: RecoveredFilter
    encoder: Encoder
    is_elsewhere: bool
