"""The folder of a destination's spool."""

from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from homeassistant.core import HomeAssistant

from ..const import SPOOL_DIRECTORY
from ..coordinator import HaIngestorConfigEntry
from ..pipeline.files import OsFiles
from ..pipeline.spool.waiting import quarantined_points, waiting_points


def spool_folder(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> Path:
    """Where it is; also what else is stored for the destination lies there."""
    return Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))


def delete(folder: Path) -> tuple[int, int]:
    """Delete a spool; return how many points waited there, and how many were in quarantine."""
    files = OsFiles(folder)
    held = (waiting_points(files), quarantined_points(files)) if folder.is_dir() else (0, 0)
    rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()  # refused while another destination's spool is in it
    return held
