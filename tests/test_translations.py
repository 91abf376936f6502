"""The keys of the translations are those that Home Assistant's validation takes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from custom_components.ha_ingestor.options.core import PAGE
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import MEASUREMENT_ATTRS

from .pages import WORDS

KEY = re.compile(r"^(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])$")


def keys(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every key with the path to it."""
    if isinstance(words, dict):
        for key, value in words.items():
            yield path, key
            yield from keys(value, f"{path}.{key}")


@pytest.mark.parametrize(("path", "key"), keys(WORDS))
def test_every_key_is_a_translation_key(path: str, key: str) -> None:
    assert KEY.fullmatch(key), f"{path}.{key}"


def test_the_measurements_that_have_no_translation_have_a_label() -> None:
    options = PAGE.schema.schema["measurement_attr"].config["options"]
    assert tuple(option["value"] for option in options) == MEASUREMENT_ATTRS
    assert all(option["label"] != option["value"] for option in options)
