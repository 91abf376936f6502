"""The file of the gaps."""

from pathlib import Path

import pytest

from custom_components.ha_ingestor.sources.recorder.gaps import Gap, Gaps
from custom_components.ha_ingestor.sources.recorder.page import Position


def test_stored_gaps_are_loaded_again(tmp_path: Path) -> None:
    gaps = Gaps(path=tmp_path / "new")
    gaps.open = [Gap(until=2.5, position=Position(1.25, 7)), Gap(until=4.0, position=Position(3.0))]
    gaps.unfillable = 3
    gaps.save()
    again = Gaps(path=tmp_path / "new")
    again.load()
    assert again == gaps


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "7", '{"gaps": 1}', '{"gaps": [[]]}', '{"gaps": [{"until": 1}]}'),
        *('{"gaps": [{"until": "x", "after": 1}]}', '{"unfillable": []}', '{"gaps": [null]}'),
        '{"gaps": [{"until": "inf", "after": 1}]}',
    ],
)
def test_a_gaps_file_with_other_content_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "gaps.json").write_text(content)
    gaps = Gaps(path=tmp_path)
    gaps.load()
    assert gaps.open == []


def test_only_the_newest_gaps_are_kept(tmp_path: Path) -> None:
    gaps = Gaps(path=tmp_path)
    gaps.open = [Gap(until=float(number), position=Position(0.0)) for number in range(30)]
    gaps.save()
    assert [gap.until for gap in gaps.open] == [float(number) for number in range(10, 30)]


def test_a_file_that_cannot_be_written_raises_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r".+"):
        Gaps(path=tmp_path / "file" / "spool").save()
