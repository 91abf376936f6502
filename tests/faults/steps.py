"""What may happen to a pipeline, as data: the state machine and `scripts/soak` choose from it."""

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

DAY: Final = 86_400.0

type Entities = Literal["plain", "excluded", "ruled"]
type During = Literal["", "commit", "deliver", "replay", "purge"]
type Full = Literal["oldest", "newest"]
type Answers = Literal[
    "up", "down", "busy", "locked", "reset", "page", "gateway", "stores and fails", "rough"
]

# What one request may meet; "rough" is any of them, for each request anew.
ANSWERS: Final[Sequence[Answers]] = (
    *("up", "down", "busy", "locked", "reset", "page", "gateway", "stores and fails"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A new home with an empty disk, and a spool of so many bytes.

    When it is `full` it gives up these points.
    """

    max_bytes: int
    full: Full = "oldest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Let things change; each change has a number of its own."""

    count: int
    of: Entities = "plain"
    is_old: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Let one entity say again what it said last, which is no number of its own."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Let a user write points of their own; each has a number as a change has."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Bring to the disk what was offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Let the exporter go on until it has to wait, a few times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTime:
    """Let time pass, and do what is due then."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock:
    """Set the clock on the wall, forward or back."""

    jump: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the database answers from now on."""

    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Let an operation fail on the files that the pattern names, until the disk is healed."""

    operation: str
    name: str
    error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Let somebody else take what is left of the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """Mend the disk, and make room on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """Stop, and go on in the same process with other options."""

    max_age: float
    max_bytes: int
    full: Full
    rules: int
    window: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Stop in order, and begin a new process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Deliver the quarantine once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """Delete the quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let nothing be sent until it is resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Let points be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """End the process with -9, if it does something then at an operation on a file of it.

    The next one is offered so many before it opens its spool.
    """

    during: During
    at: int
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPower:
    """End everything; the disk keeps what was synced, and some of the rest."""

    seed: int


type Step = (
    Begin
    | Offer
    | Repeat
    | Write
    | Commit
    | Deliver
    | PassTime
    | SetClock
    | Server
    | Break
    | Fill
    | Heal
    | Reload
    | Restart
    | Replay
    | Purge
    | Pause
    | Resume
    | Kill
    | CutPower
)

# What each step may be chosen with. Twice the same is to choose it twice as often.
CHOICES: Final[Mapping[type[Step], Mapping[str, Sequence[Any]]]] = {
    Begin: {"max_bytes": (1 << 30, 20_000), "full": ("oldest", "newest")},
    Offer: {
        "count": range(1, 41),
        "of": ("plain", "plain", "excluded", "ruled"),
        "is_old": (False, False, False, True),
    },
    Repeat: {"count": range(1, 6)},
    Write: {"count": (1, 7)},
    Commit: {},
    Deliver: {},
    PassTime: {"seconds": (0.25, 6.0, 61.0, 301.0)},
    SetClock: {"jump": (3600.0, -3600.0, 21 * DAY, -21 * DAY, -1e10)},
    Server: {"answers": (*ANSWERS, "rough", "up", "up", "up")},
    Break: {
        "operation": (
            *("names", "read", "create", "open", "open_to_sync", "write", "truncate", "sync"),
            *("sync_directory", "close", "remove", "lock", "free_bytes"),
        ),
        "name": ("*", "*.seg", "cursor", "quarantine*", "recollection*", "*1-000000.seg"),
        "error": (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES),
    },
    Fill: {},
    Heal: {},
    Reload: {
        "max_age": (3600.0, 7 * DAY),
        "max_bytes": (8_000, 1 << 30),
        "full": ("oldest", "newest"),
        "rules": range(4),
        "window": (0.0, 60.0),
    },
    Restart: {},
    Replay: {},
    Purge: {},
    Pause: {},
    Resume: {},
    Kill: {
        "during": ("", "commit", "deliver", "replay", "purge"),
        "at": range(1, 26),
        "offers": (0, 0, 7),
    },
    CutPower: {"seed": range(2**32)},
}
_BY_NAME: Final = {kind.__name__: kind for kind in CHOICES}


def chosen(kind: type[Step], choose: Callable[[Sequence[Any]], Any]) -> Step:
    """Make a step of that kind."""
    arguments = {name: choose(choices) for name, choices in CHOICES[kind].items()}
    return kind(**arguments)


def to_json(step: Step) -> str:
    """Write a step as one line."""
    return json.dumps({"step": type(step).__name__, **asdict(step)})


def from_json(line: str) -> Step | None:
    """Read a step; None for a line that tells something else."""
    content = json.loads(line)
    name = content.pop("step", None)
    return _BY_NAME[name](**content) if name else None
