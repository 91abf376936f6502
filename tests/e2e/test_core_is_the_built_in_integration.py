"""In the Home Assistant that is supported, the `core` profile is its own `influxdb` integration."""

import asyncio
import json
from typing import Final

import pytest

from scripts.rig.configuration import CHECKOUT
from scripts.rig.home_assistant import HASS

CONFIGS: Final = 200
CHANGES: Final = 50


# It compares 200 settings in a process of its own, which is slow on a busy machine.
@pytest.mark.timeout(400)
@pytest.mark.skipif(not HASS.exists(), reason="there is no Home Assistant: run scripts/setup")
async def test_changes_are_stored_as_by_the_converter_and_clients_installed_with_it() -> None:
    program = [
        str(HASS.parent / "python"),
        "-m",
        "tests.pipeline.encode.profiles.built_in",
        str(CONFIGS),
        str(CHANGES),
    ]
    process = await asyncio.create_subprocess_exec(
        *program, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    compared = json.loads(output)
    assert compared["version"].startswith("2026.11.")
    assert compared["changes"] == CONFIGS * CHANGES
    # The others have names or values that the profile documents as stored differently.
    assert compared["alike_v2"] > compared["changes"] / 3
    assert compared["alike_v1"] > compared["changes"] / 3
