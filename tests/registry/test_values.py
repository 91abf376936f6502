"""Any object becomes a value that JSON has and that databases take."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.registry.values import plain_json, text, texts

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
ANYTHING = st.recursive(
    SCALARS | st.frozensets(SCALARS),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(SCALARS, inner),
)


class Unreadable:
    def __str__(self) -> str:
        raise ValueError


@given(ANYTHING)
def test_anything_becomes_json_without_a_nul(value: Any) -> None:
    encoded = json.dumps(plain_json(value), allow_nan=False)
    assert plain_json(json.loads(encoded)) == json.loads(encoded)
    assert "\0" not in str(json.loads(encoded))
    json.loads(encoded).__repr__().encode()


@given(st.lists(st.text(min_size=1), unique=True))
def test_a_set_always_comes_in_the_same_order(values: list[str]) -> None:
    backwards = values[::-1]
    assert plain_json(set(values)) == plain_json(set(backwards))


@given(SCALARS)
def test_a_text_is_readable_or_none(value: object) -> None:
    found = text(value)
    assert found is None or (found.strip() and "\0" not in found and found.encode())


def test_a_value_without_a_text_is_called_by_its_type() -> None:
    assert text(Unreadable()) == "Unreadable"


def test_texts_come_once_and_without_the_blank_ones() -> None:
    assert texts(["b", " ", "a", None, "b", 1]) == ("b", "a", "1")


def test_a_nul_is_left_out_wherever_it_is() -> None:
    assert text("a\0b") == "ab"
    assert text("\0") is None
    assert plain_json({"a\0": ["\0b"]}) == {"a": ["b"]}
