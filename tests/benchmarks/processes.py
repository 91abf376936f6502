"""The threads of a process as the kernel counts them, which costs that process nothing."""

import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

MAIN: Final = "main"

_POOL_NUMBER: Final = re.compile(r"[-_]\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What a thread has used since it began; a wake-up is a wait that ended."""

    name: str
    seconds: float = 0.0
    wake_ups: int = 0


type Threads = dict[str, Thread]


def threads(pid: int) -> Threads:
    """Return the threads of a process by their ids."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            name = _POOL_NUMBER.sub("", (task / "comm").read_text().strip())
            status = (task / "status").read_text().partition("\nvoluntary_ctxt_switches:")[2]
            found[task.name] = Thread(
                name=MAIN if task.name == str(pid) else name,
                seconds=int((task / "schedstat").read_text().split()[0]) / 1e9,
                wake_ups=int(status.split()[0]),
            )
    return found


def since(before: Threads, after: Threads) -> Threads:
    """Return what was used in between, by name; those that ended meanwhile are not in it."""
    used: Threads = defaultdict(lambda: Thread(name=""))
    for number, thread in after.items():
        was, so_far = before.get(number, Thread(name="")), used[thread.name]
        used[thread.name] = replace(
            so_far,
            name=thread.name,
            seconds=so_far.seconds + thread.seconds - was.seconds,
            wake_ups=so_far.wake_ups + thread.wake_ups - was.wake_ups,
        )
    return dict(used)


def beyond(used: Threads, bare: Threads) -> Threads:
    """Leave out what the threads of the same name use in another process."""
    return {
        name: replace(
            thread,
            seconds=thread.seconds - (bare[name].seconds if name in bare else 0.0),
            wake_ups=thread.wake_ups - (bare[name].wake_ups if name in bare else 0),
        )
        for name, thread in used.items()
    }


def whole(used: Threads) -> Thread:
    """Add the threads up."""
    return Thread(
        name="all threads",
        seconds=sum(thread.seconds for thread in used.values()),
        wake_ups=sum(thread.wake_ups for thread in used.values()),
    )
