"""The pipeline and its client without Home Assistant, which takes a second to import."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]

if "custom_components.ha_ingestor" not in sys.modules:
    # The package's own __init__ is the part that knows Home Assistant.
    for name in ("custom_components", "custom_components.ha_ingestor"):
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(_ROOT.joinpath(*name.split(".")))]
        sys.modules[name] = module_from_spec(spec)

from custom_components.ha_ingestor.clients.influx.client import InfluxClient  # noqa: E402
from custom_components.ha_ingestor.clients.influx.destination import Destination  # noqa: E402
from custom_components.ha_ingestor.clients.influx.dialect import Dialect  # noqa: E402
from custom_components.ha_ingestor.pipeline.clock import Clocks  # noqa: E402
from custom_components.ha_ingestor.pipeline.files import OsFiles  # noqa: E402

__all__ = ["Clocks", "Destination", "Dialect", "InfluxClient", "OsFiles"]
