"""How the work grows with the length of a text: compared with itself, not with a clock's limit."""

from collections.abc import Callable, Iterable
from time import thread_time
from typing import Final

FEW: Final = 500
TIMES: Final = 4
# The work grows fourfold where it is linear, and sixteenfold where it is quadratic.
TOO_MUCH: Final = 9


def _cost(work: Callable[[str], object], text: str) -> float:
    """Take the least of several runs: whatever else the machine does only adds to it."""
    costs = []
    for _ in range(7):
        start = thread_time()
        work(text)
        costs.append(thread_time() - start)
    return min(costs)


def is_linear(work: Callable[[str], object], unit: str, few: int = FEW) -> bool:
    """Whether a text of many such units costs about as much for each as one of few."""
    short = unit * (few // len(unit))
    # So short a work is no measure of anything.
    known = max(_cost(work, short), 20e-6)
    return any(_cost(work, short * TIMES) < TOO_MUCH * known for _ in range(3))


# What a pattern may begin with, or go on with, again and again.
UNITS: Final[Iterable[str]] = (
    *("x", "-", ".", "1", " ", "\\", '"', "'", "[", "{", "(", "<", "@", ":", "=", "?", "#", "&"),
    *("a=[", "a={", 'a="', "a='", 'a=\\"', "password=[", "password={", 'password=\\"', "pin='"),
    *("password:", "token ", "token\t", "://", "a://", "://a:b", "/?a.b", "#a", "?a", "&a;", "%41"),
    *(
        "1.123 ",
        "1.123",
        "1.123,",
        "<a",
        "<a ",
        "</a",
        "a.b-",
        "a\\,",
        "\\,",
        "a,",
        "a\\=",
        "$",
        ">",
    ),
    *(
        '{"a":',
        '{"password":',
        "bearer x",
        "/webhook/",
        "geo:",
        "maps/",
        "a b: ",
        "\n",
        "\ufeff",
        "é=",
    ),
)
