"""Two real Home Assistants, and what interrupts them while states change in both."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from scripts.rig.api import ApiError
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN
from scripts.rig.servers import Server

from ..e2e.installation import MEASUREMENT
from ..e2e.relay import Relay
from .comparison import differences
from .recorded import Differences, Losses, heard_moments, history_in, moment_of

# What the other home is called here.
NAME: Final = "cabin"
CONNECTED: Final = "remote_connected"
ENTITIES: Final = 12
SWITCHES: Final = ("input_boolean.one", "input_boolean.two")
# So long something is away.
AWAY_SECONDS: Final = (0.0, 1.0, 6.0)
# Events are kept in memory for a minute after an entry was disabled.
DISABLED_SECONDS: Final = (1.0, 5.0, 65.0)
# Home Assistant stores a second later that it is enabled: a kill before that would disable it.
STORED_SECONDS: Final = 2.0


@dataclass(slots=True, kw_only=True)
class Changes:
    """Changes states of a home for ever; each state of a sensor is another one."""

    home: HomeAssistant
    rng: random.Random
    pause: float
    told: set[tuple[str, str]] = field(default_factory=set)
    kills: list[int] = field(default_factory=list)
    _number: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Change states as long as the block lasts."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def kill(self) -> None:
        """Kill the home."""
        self.home.kill()
        self.kills.append(time.time_ns() // 1000)

    def _run(self) -> None:
        while not self._stopping.wait(self.rng.uniform(0, 2 * self.pause)):
            with suppress(ApiError):  # it is away
                self._change()

    def _change(self) -> None:
        api, chance = self.home.api, self.rng.random()
        name = f"sensor.made_{self.rng.randrange(ENTITIES)}"
        if chance < 0.1:
            api.call_service("input_boolean", "toggle", entity_id=self.rng.choice(SWITCHES))
        elif chance < 0.12:
            api.remove_state(name)
        else:
            if chance < 0.8 or not self._number:
                self._number += 1
            state = str(self._number)
            self.told.add((name, state))
            api.set_state(name, state, step=chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that can be interrupted."""

    server: Server
    relay: Relay
    here: Changes
    there: Changes
    entry_id: str
    # When everything was set up, in microseconds since 1970.
    since: int

    def cut(self, _seconds: float) -> None:
        """Break the connection; it may be made again at once."""
        self.relay.cut()

    def separate(self, seconds: float) -> None:
        """Let there be no way between the homes for a while."""
        self.relay.is_broken = True
        self.relay.cut()
        time.sleep(seconds)
        self.relay.is_broken = False

    def kill_there(self, seconds: float) -> None:
        """Kill the other home."""
        self.there.kill()
        time.sleep(seconds)
        self.there.home.start()

    def kill_here(self, seconds: float) -> None:
        """Kill this home."""
        self.here.kill()
        time.sleep(seconds)
        self.here.home.start()

    def kill_here_again(self, seconds: float) -> None:
        """Kill this home, and once more while it starts."""
        self.here.kill()
        self.here.home.launch()
        time.sleep(seconds)
        self.kill_here(0.0)

    def kill_both(self, seconds: float) -> None:
        """Kill both homes."""
        self.here.kill()
        self.kill_there(seconds)
        self.here.home.start()

    def restart_there(self, seconds: float) -> None:
        """Stop the other home in order."""
        self.there.home.stop()
        time.sleep(seconds)
        self.there.home.start()

    def restart_here(self, seconds: float) -> None:
        """Stop this home in order."""
        self.here.home.stop()
        time.sleep(seconds)
        self.here.home.start()

    def take_database(self, _seconds: float) -> None:
        """Take the database away, or bring it back."""
        if self.server.is_alive:
            self.server.kill()
        else:
            self.server.start()

    def reload(self, _seconds: float) -> None:
        """Reload the destination."""
        self.here.home.api.reload(self.entry_id)

    def disable(self, seconds: float) -> None:
        """Disable the destination for a while."""
        api = self.here.home.api
        api.disable(self.entry_id)
        time.sleep(DISABLED_SECONDS[AWAY_SECONDS.index(seconds)])
        api.disable(self.entry_id, disabled=False)
        time.sleep(STORED_SECONDS)

    def ledger(self) -> dict[str, Any]:
        """Return the counts; raises ApiError while it is not loaded."""
        told: dict[str, Any] = self.here.home.api.diagnostics(self.entry_id)["data"]
        health = told["health"]
        return {
            **told["ledger"],
            "recovery": health["recovery"]["status"],
            "is_open": health["is_open"],
        }

    def compare(self) -> tuple[Differences, Differences, int]:
        """Compare both recorders with the database, which holds so many points."""
        points = self.server.query_points(MEASUREMENT)
        registered = self.here.home.api.ws("config/entity_registry/list")
        own = {each["entity_id"] for each in registered if each["platform"] == DOMAIN}
        local = [each for each in points if "instance" not in each["tags"]]
        remote = [each for each in points if each["tags"].get("instance") == NAME]
        (here, mine), (there, other) = (
            (each, history_in(each.home.directory)) for each in (self.here, self.there)
        )
        # What was recovered has no context.
        fresh = (moment_of(each) for each in remote if each["fields"].get("context_id"))
        connection = next(
            each["entity_id"] for each in registered if each["unique_id"].endswith(CONNECTED)
        )
        of_here = Losses(starts=mine.starts, kills=here.kills, forgets=here.kills)
        of_there = Losses(
            starts=other.starts,
            kills=there.kills,
            follower_kills=here.kills,
            heard=heard_moments(fresh, mine.rows.get(connection, ()), here.kills),
        )
        return (
            differences(mine, local, of_here, told=here.told, since=self.since, without=own),
            differences(other, remote, of_there, told=there.told, since=self.since),
            len(points),
        )


INTERRUPTIONS: Final[dict[Callable[[Scene, float], None], int]] = {
    Scene.cut: 4,
    Scene.separate: 4,
    Scene.kill_there: 4,
    Scene.kill_here: 5,
    Scene.kill_here_again: 2,
    Scene.kill_both: 1,
    Scene.restart_there: 2,
    Scene.restart_here: 2,
    Scene.take_database: 3,
    Scene.reload: 2,
    Scene.disable: 2,
}
