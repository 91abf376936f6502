"""Texts are left out of lines for a database that would store them as 0."""

import pytest

from custom_components.ha_ingestor.pipeline.export.texts import without_texts

LINES: list[tuple[str, str]] = [
    ('m v=1,s="a" 5', "m v=1 5"),
    ('m s="a",v=1i 5', "m v=1i 5"),
    ('m s="a" 5', ""),
    ('m s="a"', ""),
    ("m v=1 5", "m v=1 5"),
    ('m,t="x" v=1 5', 'm,t="x" v=1 5'),
    (r'm\ a,t=a\ b\,c\=d s="x y,z=1 5\"",v=t,w=-1.5e3 5', r"m\ a,t=a\ b\,c\=d v=t,w=-1.5e3 5"),
    (r'm,t=ü s\ a\=\,="\\",v=1 5', "m,t=ü v=1 5"),
    ('m s="" 5', ""),
    ('m s="never closed,v=1 5', 'm s="never closed,v=1 5'),
    ('m="', 'm="'),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_removing_texts_keeps_numbers_series_and_time(line: str, expected: str) -> None:
    lines, empty = without_texts(line.encode())
    assert lines == [expected.encode()]
    assert bool(empty) is not bool(expected)


def test_lines_without_a_number_are_named_by_their_index() -> None:
    payload = b'm s="a" 1\nm v=1,s="b" 2\nm v=2 3\nm s="c" 4'
    assert without_texts(payload) == ([b"", b"m v=1 2", b"m v=2 3", b""], frozenset({0, 3}))
