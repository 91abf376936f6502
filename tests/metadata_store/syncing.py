"""For each line that it reads, a process that syncs two homes in turn until it is killed."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from custom_components.ha_ingestor.metadata_store.store import MetadataStore
from tests.faults import bare  # noqa: F401  it spares us Home Assistant

from .homes import burst


def live(directory: Path) -> None:
    """Begin a life, and say so once there is something in the store."""
    store = MetadataStore(directory)
    homes = burst(400, "a"), burst(400, "b")
    store.sync(homes[0], datetime.now(UTC))
    say(f"{os.getpid()}")
    while True:
        for home in reversed(homes):
            if error := store.sync(home, datetime.now(UTC)).error:
                sys.exit(error)


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for _ in sys.stdin:
        if not (child := os.fork()):
            live(Path(sys.argv[1]))
        os.waitpid(child, 0)
        say("ended")
