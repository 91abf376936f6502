"""What one pipeline of a destination leaves to the next."""

from dataclasses import dataclass

from .filter.filters import NoiseFilterMemory
from .filter.intake import Intake
from .ledger import Ledger
from .rate import Rates
from .spool.recovery import SpoolPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the memory of a stopped pipeline holds, for the next one of the same destination."""

    intake: Intake
    ledger: Ledger
    held: list[str]
    position: SpoolPosition | None
    noise_filter: NoiseFilterMemory
    is_paused: bool | None
    rates: Rates
