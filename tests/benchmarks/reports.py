"""The reports of the devices of a busy home."""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

DAY: Final = 86_400.0

type Report = tuple[str, Mapping[str, Any]]
type Say = Callable[[Random, float, Report], Report]


def sun(at: float) -> float:
    return max(math.sin((at / DAY - 0.25) * 2 * math.pi), 0.0)


def walk(step: float, noise: float, low: float, high: float, digits: int = 1) -> Say:
    """Go up and down within bounds; what is rounded away is said again, which is no change."""

    def say(chance: Random, _at: float, last: Report) -> Report:
        level = last[1]["level"] + chance.gauss(0, step)
        level = min(max(level, low), high)
        shown = level + chance.gauss(0, noise)
        return f"{shown:.{digits}f}", {**last[1], "level": level}

    return say


def load(chance: Random, _at: float, last: Report) -> Report:
    """Switch between a rest and a load, with the noise of a meter on it."""
    level = last[1]["level"]
    if chance.random() < 0.01:
        level = chance.choice((0.0, 1.2, 60.0, 900.0, 2000.0))
    noise = 0.01 * level + 0.2
    return f"{max(level + chance.gauss(0, noise), 0):.1f}", {**last[1], "level": level}


def count(chance: Random, _at: float, last: Report) -> Report:
    level = last[1]["level"] + max(chance.gauss(0.002, 0.004), 0)
    return f"{level:.2f}", {**last[1], "level": level}


def light(chance: Random, at: float, last: Report) -> Report:
    level = 40_000 * sun(at) * chance.uniform(0.9, 1.1) + chance.uniform(0, 3)
    return f"{level:.0f}", last[1]


def toggle(_chance: Random, _at: float, last: Report) -> Report:
    return ("off" if last[0] == "on" else "on"), last[1]


def dim(chance: Random, _at: float, last: Report) -> Report:
    if chance.random() < 0.4:
        return toggle(chance, _at, last)
    return last[0], {**last[1], "brightness": chance.randrange(255)}


def heat(chance: Random, at: float, last: Report) -> Report:
    now = round(20 + math.sin(at / DAY * 2 * math.pi) + chance.gauss(0, 0.1), 1)
    return last[0], {**last[1], "current_temperature": now}


def play(chance: Random, at: float, last: Report) -> Report:
    state = chance.choice(("playing", "playing", "playing", "paused", "idle"))
    return state, {**last[1], "media_position": int(at) % 5000, "media_title": f"{int(at) // 240}"}


def wander(chance: Random, _at: float, last: Report) -> Report:
    where = {"latitude": round(chance.gauss(52.3, 0.1), 6), "gps_accuracy": chance.randrange(50)}
    return chance.choice(("home", "home", "not_home")), {**last[1], **where}


def rise(_chance: Random, at: float, last: Report) -> Report:
    elevation = round(50 * math.sin((at / DAY - 0.25) * 2 * math.pi), 2)
    state = "above_horizon" if elevation > 0 else "below_horizon"
    return state, {**last[1], "elevation": elevation, "azimuth": round(at / DAY * 360, 2)}


def repeat(chance: Random, at: float, last: Report) -> Report:
    return last if chance.random() < 0.95 else (f"{int(at) % 7}", last[1])
