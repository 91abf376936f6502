"""The file of what was last written of each entity: for the next process."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from ..files import Files

FILE: Final = "recollection.json"


class ResumedState(NamedTuple):
    """What an earlier process wrote: the state, its date, and a digest of the point.

    `starts` counts how often Home Assistant has started since without the entity.
    """

    state: str
    since: float
    digest: str
    starts: int = 0


def store_states(files: Files, last_seq: int, states: Mapping[str, ResumedState]) -> None:
    """Store what is known, true as long as nothing follows `last_seq`; raises OSError."""
    content = {"seq": last_seq, "states": states}
    files.remove(FILE)
    fd = files.create(FILE)
    try:
        files.write(fd, json.dumps(content).encode(), 0)
        files.sync(fd)
    finally:
        files.close(fd)


def load_states(files: Files, last_seq: int) -> dict[str, ResumedState]:
    """Read what was stored; nothing where it cannot be read, or something was written since."""
    try:
        if FILE not in files.names():
            return {}
        stored = b""
        while part := files.read(FILE, len(stored), 1 << 20):
            stored += part
        content = json.loads(stored)
        if content["seq"] != last_seq:
            return {}
        return {
            str(entity_id): ResumedState(str(state), float(since), str(point_digest), *starts)
            for entity_id, (state, since, point_digest, *starts) in content["states"].items()
        }
    except OSError, ValueError, TypeError, KeyError, AttributeError:
        return {}  # then all states are new
