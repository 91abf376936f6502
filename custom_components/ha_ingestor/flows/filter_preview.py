"""The words of the preview of a filter: numbers and names for the sentences of its step."""

from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant

from ..health.filter_preview import FilterPreview
from ..health.home_entities import name_of
from ..health.server_text import markdown

# With rates, and while too little was measured for them.
PREVIEWS: Final = ("filter_preview", "filter_preview_unmeasured")
SAVE: Final = "filter_save"
# Offered instead where nothing would be recorded, or something fits nothing.
SAVE_ANYWAY: Final = "filter_save_anyway"

_NOTHING: Final = "\N{EN DASH}"
_SHOWN_MAX: Final = 10
_MINUTES: Final = 60


def step_of(preview: FilterPreview) -> str:
    """Choose the sentences."""
    return PREVIEWS[preview.points_per_hour is None]


def save_of(preview: FilterPreview) -> str:
    """Choose how it is saved."""
    return SAVE if preview.captured and not preview.unfit else SAVE_ANYWAY


def placeholders(hass: HomeAssistant, preview: FilterPreview) -> Mapping[str, str]:
    """Complete the sentences."""
    return {
        "captured": _number(preview.captured),
        "total": _number(preview.total),
        "rate": _number(preview.points_per_hour or 0),
        "rate_now": _number(preview.points_per_hour_now or 0),
        "hours": f"{preview.measured_hours:.1f}",
        "minutes": _number(preview.measured_hours * _MINUTES),
        "top": _listed(f"{entity_id} ({_number(rate)})" for entity_id, rate in preview.top),
        "added": _listed(preview.added),
        "added_count": _number(len(preview.added)),
        "added_active": _number(preview.added_active),
        "removed": _listed(preview.removed),
        "removed_count": _number(len(preview.removed)),
        "unfit": _listed(name_of(hass, each) for each in preview.unfit),
    }


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _listed(names: Iterable[str]) -> str:
    texts = [markdown(name) for name in names]
    more = len(texts) - _SHOWN_MAX
    shown = ", ".join(texts[:_SHOWN_MAX]) or _NOTHING
    return f"{shown} \N{HORIZONTAL ELLIPSIS} (+ {_number(more)})" if more > 0 else shown
