"""The step that chooses what a point looks like, before the first one is written."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult

from ..options.core import CORE
from ..options.points import CONF_PROFILE, HOMEIQ, POINTS, TIDY
from .place import PlaceFlow
from .steps import add_steps

PROFILES: Final = (HOMEIQ, TIDY, CORE)
PREFIX: Final = "profile_"


class ProfileFlow(PlaceFlow):
    """A menu, whose entries say what each profile costs and who reads it."""

    async def _async_with_profile(self, profile: str) -> ConfigFlowResult:
        """Go on once the profile is known."""
        raise NotImplementedError

    def _has_built_in(self) -> bool:
        """Whether the built-in integration is set up here."""
        raise NotImplementedError

    async def async_step_profile(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which profile it shall be; the one that is suggested is the first."""
        has_built_in = self._has_built_in()
        profiles = (CORE, HOMEIQ, TIDY) if has_built_in else PROFILES
        return self.async_show_menu(
            step_id="profile_beside_built_in" if has_built_in else "profile",
            menu_options=[*(PREFIX + name for name in profiles), "choose", "change_address"],
        )

    async_step_profile_beside_built_in = async_step_profile

    async def _async_profile(
        self, profile: str, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return await self._async_with_profile(profile)


def profile_options(profile: str) -> dict[str, Any]:
    """Return options that choose a profile."""
    return {POINTS: {CONF_PROFILE: profile}}


add_steps(
    ProfileFlow,
    ProfileFlow._async_profile,  # noqa: SLF001
    {f"{PREFIX}{profile}": profile for profile in PROFILES},
)
