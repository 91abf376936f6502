"""Values of any type are read in one way, wherever they come from."""

import math
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from homeassistant.components.light import LightEntityFeature

from custom_components.ha_ingestor.pipeline.encode.plain import (
    as_finite_number,
    as_json,
    as_number,
)


class Two(IntEnum):
    TWO = 2


class Word(StrEnum):
    ON = "on"


class Odd:
    def __float__(self) -> float:
        raise RuntimeError

    def __str__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((21.5, 21.5), (3, 3.0), (True, 1.0), (False, 0.0)),
        *((Decimal("1.5"), 1.5), (Fraction(1, 2), 0.5), (np.float32(0.5), 0.5)),
        *((np.array(4.0), 4.0), (Two.TWO, 2.0), (LightEntityFeature(36), 36.0)),
    ],
)
def test_numbers_of_any_type_are_read(value: object, number: float) -> None:
    assert as_number(value) == number
    assert as_finite_number(value) == number


@pytest.mark.parametrize(
    "value",
    ["21", "", b"21", None, [], {}, Word.ON, np.array([4.0]), Odd(), 10**400, Decimal("1e400")],
)
def test_a_value_that_no_float_comes_near_is_no_number(value: object) -> None:
    assert as_number(value) is None
    assert as_finite_number(value) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_not_finite_is_a_number_and_none_that_can_be_stored(value: float) -> None:
    assert isinstance(as_number(value), float)
    assert as_finite_number(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": {1, 2}, 3: (Two.TWO, math.nan)}, {"a": [1, 2], "3": [2, None]}),
        ([Word.ON, Decimal("1.5"), 2**70, True], ["on", 1.5, 2**70, True]),
        (Odd(), "odd"),
    ],
)
def test_anything_becomes_what_json_has(value: Any, expected: Any) -> None:
    assert as_json(value) == expected


def test_values_nested_too_deep_become_text() -> None:
    assert as_json([["deep"]], depth=1) == ["['deep']"]


@pytest.mark.parametrize("words", permutations(("on", "off", "auto")))
def test_the_order_of_a_set_depends_on_its_content_only(words: tuple[str, ...]) -> None:
    assert as_json(set(words)) == ["auto", "off", "on"]
