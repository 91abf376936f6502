"""Process hosts as their parent sees them: spawned, asked, and ended with kill -9."""

import json
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from .driver import KilledError
from .host import State
from .process_host import Order

_ROOT: Final = Path(__file__).parents[2]
# No step takes so long, whatever the disk and the server do.
ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process host; at the end of a block it is killed."""

    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def ask(self, what: str, **how: Any) -> Any:
        """Let it do something; raises OSError, and KilledError when it is dead."""
        return self.say({"what": what, "how": how})

    def state(self) -> State:
        """What it tells of itself."""
        return State(**self.ask("state"))

    def say(self, content: dict[str, Any]) -> Any:
        """Write one line, and return what it answers."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin
        assert stdout
        with suppress(BrokenPipeError):
            stdin.write(json.dumps(content).encode() + b"\n")
        assert select.select([stdout], [], [], ANSWER_SECONDS)[0], f"{content} never ends"
        line = stdout.readline()
        if not line.endswith(b"\n"):
            raise KilledError
        told = json.loads(line)
        if "os_error" in told:
            raise OSError(*told["os_error"])
        if "failed" in told:
            raise AssertionError(told["failed"])
        return told["answer"]

    def kill(self) -> None:
        """End it, if it is not dead yet."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


def spawn(log: Path | None = None) -> Spawned:
    """Start a process that waits for its order; what it logs goes to the end of a file."""
    with open(log or "/dev/null", "ab") as file:  # noqa: PTH123
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.process_host"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            cwd=_ROOT,
            start_new_session=True,
        )
    return Spawned(process)


def begin(order: Order, spawned: Spawned | None = None) -> Spawned:
    """Let a process begin to run a pipeline."""
    spawned = spawned or spawn()
    spawned.say(asdict(order))
    return spawned
