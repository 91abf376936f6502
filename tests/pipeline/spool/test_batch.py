"""How lines are cut into frames."""

import pytest

from custom_components.ha_ingestor.pipeline.spool.batch import chunk


class Line(str):
    """A line that notes how often it is encoded."""

    __slots__ = ()
    encoded = 0

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        Line.encoded += 1
        return super().encode(encoding, errors)


@pytest.mark.parametrize(
    "case",
    [
        (["a" * 100] * 3, 3),
        (["a" * 100] * 9, 4),
        (["a" * 1000] * 3, 1),
        (["a" * 100, "b" * 1000], 1),
        (["\u00e9" * 100] * 9, 2),
        ([], 0),
    ],
)
def test_as_many_lines_as_fit_are_joined_and_one_in_any_case(case: tuple[list[str], int]) -> None:
    lines, fitting = case
    count, payload = chunk(lines, 404)
    assert (count, payload) == (fitting, "\n".join(lines[:fitting]).encode())


def test_long_lines_that_do_not_fit_are_not_encoded_for_each_frame() -> None:
    Line.encoded = 0
    count, _ = chunk([Line("x" * 60_000)] * 500, 256 * 1024)
    assert count == 4
    assert Line.encoded <= 5
