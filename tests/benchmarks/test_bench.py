"""The benchmark runs; what it finds is nobody's failure."""

import subprocess
import sys

from scripts.rig.configuration import CHECKOUT


def test_the_stages_can_be_measured() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "stages", "metadata", "scrape", "day"]
    command += ["--hours", "0.02", "--events", "16", "--no-server"]
    done = subprocess.run(  # noqa: S603
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "our capture callback" in done.stdout
    assert "with the defaults" in done.stdout
    assert "every one of the entities" in done.stdout
    assert "scraped every 15 s" in done.stdout
