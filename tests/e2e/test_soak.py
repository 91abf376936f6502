"""A short soak: the steps of the state machine with real processes and a real InfluxDB 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.rig.databases import Unavailable, binary

from . import summary


def test_a_short_soak_accounts_for_every_point(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if isinstance(missing := binary("influxdb2"), Unavailable):
        request.node.user_properties.append((summary.MISSING, ("influxdb2", missing.reason)))
        pytest.skip(f"influxdb2: {missing.reason}")
    steps = tmp_path / "steps.jsonl"
    done = subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "tests.faults.soak"),
            *("--minutes", "0.4", "--seed", "20261125", "--log", str(steps)),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert steps.stat().st_size > 0
