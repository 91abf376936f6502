"""Every error that a user can meet is in the documentation, in the words that are shown."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from scripts.rig.documents import messages
from tests.pages import WORDS

from .reading import rows, text


def errors(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every error, reason to stop, repair and exception, with the path to it."""
    if not isinstance(words, Mapping):
        return
    for key, value in words.items():
        where = f"{path}.{key}".removeprefix(".")
        if key in {"error", "abort"} and "step" in words:
            yield from ((f"{where}.{name}", told) for name, told in value.items())
        elif path == "exceptions":
            yield where, value["message"]
        elif path == "issues":
            yield where, value["title"]
            yield from errors(value, where)
        else:
            yield from errors(value, where)


ERRORS: Final = dict(errors(WORDS))


def test_the_list_of_messages_is_made_of_the_translations() -> None:
    assert messages.page() == text("messages.md"), "run scripts/documents"


@pytest.mark.parametrize("where", ERRORS)
def test_every_error_that_a_user_can_meet_is_in_the_list(where: str) -> None:
    shown = " ".join(row[1] for row in rows(text("messages.md")))
    # What stands between the names that are filled in.
    for part in _between(ERRORS[where]):
        assert part in shown


def _between(told: str) -> list[str]:
    parts = told.replace("}", "{").split("{")[::2]
    return [" ".join(part.split()) for part in parts if len(part.split()) > 1]


def test_the_search_for_errors_finds_those_of_every_kind() -> None:
    kinds = {where.partition(".")[0] for where in ERRORS}
    assert kinds == {"config", "options", "config_subentries", "issues", "exceptions"}
    assert len(ERRORS) > 80
