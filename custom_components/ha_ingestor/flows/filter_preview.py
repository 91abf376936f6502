"""The words of the preview of a filter: numbers and names for the sentences of its step."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant

from ..health.filter_preview import FilterPreview
from ..health.home_entities import name_of
from .shown import async_sentences, listed, number

# With rates, and while too little was measured for them.
PREVIEWS: Final = ("filter_preview", "filter_preview_unmeasured")
SAVE: Final = "filter_save"
# Offered instead where nothing would be recorded, or something fits nothing.
SAVE_ANYWAY: Final = "filter_save_anyway"

_MINUTES: Final = 60


def step_of(preview: FilterPreview) -> str:
    """Choose the sentences."""
    return PREVIEWS[preview.points_per_hour is None]


def save_of(preview: FilterPreview) -> str:
    """Choose how it is saved."""
    return SAVE if preview.captured and not preview.unfit else SAVE_ANYWAY


async def async_placeholders(hass: HomeAssistant, preview: FilterPreview) -> Mapping[str, str]:
    """Complete the sentences."""
    return {
        "captured": number(preview.captured),
        "total": number(preview.total),
        "rate": number(preview.points_per_hour or 0),
        "rate_now": number(preview.points_per_hour_now or 0),
        "hours": f"{preview.measured_hours:.1f}",
        "minutes": number(preview.measured_hours * _MINUTES),
        "changes": "\n\n".join(await async_sentences(hass, _changes(hass, preview))),
    }


def _changes(hass: HomeAssistant, preview: FilterPreview) -> dict[str, dict[str, str]]:
    """Say what is new or gone, as far as there is any."""
    found: dict[str, dict[str, str]] = {}
    if preview.top:
        rates = (f"{entity_id} ({number(rate)})" for entity_id, rate in preview.top)
        found["preview_top"] = {"top": listed(rates)}
    if preview.added:
        found["preview_added"] = {
            "added": listed(preview.added),
            "added_count": number(len(preview.added)),
            "added_active": number(preview.added_active),
        }
    if preview.removed:
        found["preview_removed"] = {
            "removed": listed(preview.removed),
            "removed_count": number(len(preview.removed)),
        }
    if preview.unfit:
        found["preview_unfit"] = {"unfit": listed(name_of(hass, each) for each in preview.unfit)}
    return found
