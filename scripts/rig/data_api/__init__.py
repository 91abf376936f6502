"""A data-api of HomeIQ as its contract has it, for whoever has none."""

from .background import in_background
from .era import Era
from .server import API_KEY_REQUIRED, DataApi, Fault, Seen
from .tables import Tables

__all__ = ["API_KEY_REQUIRED", "DataApi", "Era", "Fault", "Seen", "Tables", "in_background"]
