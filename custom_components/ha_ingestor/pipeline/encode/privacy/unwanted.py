"""Which names are left out, of attributes and of what lies in them, as the user wants it."""

from collections.abc import Callable

from .location import is_location
from .media import is_media
from .secrets import is_secret

type Unwanted = Callable[[str], bool]


def unwanted_names(*, coordinates: bool, media: bool) -> Unwanted:
    """Tell which names are left out: secrets, and what is not to be kept of the rest."""

    def is_unwanted(name: str) -> bool:
        return (
            is_secret(name)
            or (not coordinates and is_location(name))
            or (not media and is_media(name))
        )

    return is_unwanted


def hides_places(unwanted: Unwanted) -> bool:
    """Whether coordinates are left out, however they are spelled."""
    return unwanted("coordinates")
