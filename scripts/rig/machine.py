"""What a measurement ran on, so that its numbers can be compared."""

import os
import platform
from pathlib import Path


def processor() -> str:
    """Name the processor and count its cores."""
    path = Path("/proc/cpuinfo")
    info = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def load() -> str:
    """Say how busy it is already."""
    return f"load {os.getloadavg()[0]:.1f}"
