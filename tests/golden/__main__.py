"""Write the lines of all profiles anew: `python -m tests.golden`."""

from .lines import PROFILES, lines, stored

for name in PROFILES:
    stored(name).write_text(lines(name), encoding="utf-8")
