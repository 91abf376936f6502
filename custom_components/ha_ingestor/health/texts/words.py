"""Our own words in the language of the home, for what a server or Home Assistant shows as it is."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ...const import DOMAIN
from ...pipeline.export.result import Problem

type Words = Mapping[str, str]


async def async_words(hass: HomeAssistant) -> Words:
    """Return the texts below `common` and `entity` by their keys."""
    return {
        f"{category}.{key}": text
        for category in ("common", "entity")
        for key, text in (await _async_texts(hass, category)).items()
    }


async def async_common_words(hass: HomeAssistant) -> Words:
    """Return the texts below `common` by their keys there."""
    return await _async_texts(hass, "common")


async def _async_texts(hass: HomeAssistant, category: str) -> Words:
    prefix = f"component.{DOMAIN}.{category}."
    found = await async_get_translations(hass, hass.config.language, category, {DOMAIN})
    return {key.removeprefix(prefix): text for key, text in found.items()}


def problem_word(words: Words, problem: str) -> str:
    """Name a problem as the entity does; empty where there is none."""
    if problem == Problem.NONE:
        return ""
    return words.get(f"entity.sensor.current_problem.state.{problem}", problem)


def condition_word(words: Words, condition: str) -> str:
    """Name a status as the entity does."""
    return words.get(f"entity.sensor.status.state.{condition}", condition)


def backfill_content_word(words: Words, content: str) -> str:
    """Name what is written of the history as the entity does."""
    return words.get(f"entity.sensor.backfill.state_attributes.content.state.{content}", content)


def common_word(words: Words, key: str) -> str:
    """Return a text below `common`."""
    return words.get(f"common.{key}", key)
