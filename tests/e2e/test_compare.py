"""The comparison with the built-in integration runs, and leaves nothing running behind it."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from scripts.rig.configuration import CHECKOUT
from scripts.rig.databases import Unavailable, binary, version_of
from scripts.rig.home_assistant import HASS

from . import summary
from .installation import until

COMMAND: Final = (HASS.with_name("python"), "-m", "scripts.rig.compare", "--influxdb", "2")


@pytest.fixture(autouse=True)
def _database(request: pytest.FixtureRequest) -> None:
    noted = request.node.user_properties
    if isinstance(found := binary("influxdb2"), Unavailable):
        noted.append((summary.MISSING, ("influxdb2", found.reason)))
        pytest.skip(f"influxdb2: {found.reason}")
    noted.append((summary.EXERCISED, ("influxdb2", version_of(found))))


@pytest.mark.timeout(300)
def test_both_integrations_get_new_credentials_and_ours_loses_nothing() -> None:
    """Every dialogue of both is gone through, and every change is counted."""
    done = subprocess.run(  # noqa: S603
        [*COMMAND, "--markdown", "credentials"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(line for line in done.stdout.splitlines() if "a new one entered" in line)
    assert line.startswith("| Token deleted, a new one entered | 250 |")
    assert line.endswith("| 250 | 0 | 0 |")
    assert "HA Ingestor lost nothing uncounted." in done.stdout


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked for in /proc")
@pytest.mark.timeout(300)
def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    """Whoever stops it while both homes start is not left with homes and a database."""
    told = tmp_path / "told"
    with told.open("w") as output:
        rig = subprocess.Popen(COMMAND, cwd=CHECKOUT, stderr=output)  # noqa: S603
    try:
        assert until(lambda: len(children(rig.pid)) == 3), told.read_text()
        started = children(rig.pid)
        rig.send_signal(signal.SIGINT)
        assert rig.wait(200) == 130, told.read_text()
    finally:
        rig.terminate()
    assert "Stopped." in told.read_text()
    # One that was told to stop may take a moment; one that is left stays.
    assert until(lambda: not any(map(is_running, started)))


def children(parent: int) -> set[int]:
    """Return the processes that a process started, and that still run."""
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return {pid for pid in map(int, told.split()) if is_running(pid)}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
