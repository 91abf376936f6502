"""Only what an integration meant as a number is one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode.numbers import number_of


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("21.5", 21.5),
        ("-3", -3.0),
        ("+7", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("on", 1.0),
        ("off", 0.0),
        ("home", 1.0),
        ("not_home", 0.0),
        ("locked", 1.0),
        ("open", 1.0),
        ("closed", 0.0),
        ("below_horizon", 0.0),
        ("true", 1.0),
        ("True", 1.0),
        ("TRUE", 1.0),
        ("false", 0.0),
        ("False", 0.0),
    ],
)
def test_numbers_and_states_that_mean_yes_or_no_have_a_value(state: str, number: float) -> None:
    assert number_of(state) == number


LOOKALIKES = (
    *("nan", "inf", "-inf", "Infinity", "1_000", "0x10", "1,5", "e5", "1e", "1e999", "", "."),
    *(" 1", "1 ", "1\n", "unknown", "unavailable", "On"),
    # Digits of other scripts, for which str.isdigit() and float() are true.
    *("\u0663", "\uff11", "\u00b2"),
)


@pytest.mark.parametrize("state", LOOKALIKES)
def test_what_only_looks_like_a_number_has_no_value(state: str) -> None:
    assert number_of(state) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_prints_is_read_back(number: float) -> None:
    assert number_of(str(number)) == number


@given(st.text())
def test_no_text_raises_and_every_number_is_finite(text: str) -> None:
    number = number_of(text)

    assert number is None or math.isfinite(number)
