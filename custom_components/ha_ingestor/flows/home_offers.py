"""What the home has, for the pages that offer it."""

from collections import Counter
from typing import Final

from homeassistant.core import HomeAssistant

from ..const import DOMAIN as OURS
from ..enrich.catalog import Catalog
from ..options.selectors import ATTRIBUTES, DEVICE_CLASSES, DOMAINS, INTEGRATIONS, Offers
from ..pipeline.encode.privacy.secrets import is_secret
from ..tasks.slices import async_slices

# No home has so many that somebody wants to choose from; integrations invent any number.
_NAMES_MAX: Final = 2_000


async def async_offers(hass: HomeAssistant) -> Offers:
    """Count the entities of each domain, device class, integration and attribute."""
    catalog = Catalog(hass)
    counts: dict[str, Counter[str]] = {
        kind: Counter() for kind in (DOMAINS, DEVICE_CLASSES, INTEGRATIONS, ATTRIBUTES)
    }
    async for state in async_slices(hass.states.async_all()):
        traits = catalog.traits(state.entity_id)
        if traits.integration == OURS:
            continue
        counts[DOMAINS][traits.domain] += 1
        counts[DEVICE_CLASSES][traits.device_class] += 1
        counts[INTEGRATIONS][traits.integration] += 1
        names = map(str, state.attributes)
        counts[ATTRIBUTES].update(name for name in names if not is_secret(name))
    return {
        kind: {name: count for name, count in found.most_common(_NAMES_MAX) if name}
        for kind, found in counts.items()
    }
