"""The panel in the sidebar: its files, and when it is shown."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, NAME, PANEL_PATH

ELEMENT: Final = "ha-ingestor-panel"
FILES: Final = Path(__file__).parent / "frontend"

_ROOT: HassKey[str] = HassKey(f"{DOMAIN}_panel")


async def async_serve(hass: HomeAssistant) -> None:
    """Serve the files, which cannot be taken back.

    Their content is part of the path: a file of an older version is never taken for a newer one,
    whatever a browser keeps.
    """
    digest = await hass.async_add_executor_job(_digest)
    hass.data[_ROOT] = root = f"/{DOMAIN}/frontend/{digest}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(root, str(FILES), cache_headers=True)]
    )


async def async_show(hass: HomeAssistant) -> None:
    """Show the panel as long as there is a destination that is not disabled.

    It stays while one is reloaded: an open page would be left otherwise.
    """
    if not hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False):
        frontend.async_remove_panel(hass, PANEL_PATH, warn_if_unknown=False)
    elif not frontend.async_panel_exists(hass, PANEL_PATH):
        root = hass.data[_ROOT]
        await panel_custom.async_register_panel(
            hass,
            frontend_url_path=PANEL_PATH,
            webcomponent_name=ELEMENT,
            module_url=f"{root}/panel.js",
            sidebar_title=NAME,
            sidebar_icon="mdi:database-arrow-right",
            require_admin=True,
            handle_safe_area=True,
            config={"modules": root},
        )


def _digest() -> str:
    digest = sha256()
    for file in sorted(FILES.rglob("*.js")):
        digest.update(file.relative_to(FILES).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
