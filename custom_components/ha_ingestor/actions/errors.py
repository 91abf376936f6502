"""The errors of actions and buttons, in the words of the translations."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import plain
from ..pipeline.files import disk_error_text

# What the pipeline raises once it has stopped.
_UNLOADED: Final = frozenset({errno.ECANCELED, errno.ESHUTDOWN})


def wrong_input(key: str, **placeholders: str) -> ServiceValidationError:
    """Make the error for what the caller has to change."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def failure(key: str, **placeholders: str) -> HomeAssistantError:
    """Make the error for what did not work."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


@contextmanager
def disk_errors(hass: HomeAssistant, title: str) -> Iterator[None]:
    """Say of which destination the spool is that cannot be used."""
    try:
        yield
    except OSError as err:
        if err.errno in _UNLOADED:
            raise failure("unloaded_meanwhile", title=plain(title)) from err
        detail = plain(async_said(hass, disk_error_text(err)))
        raise failure("spool_error", title=plain(title), detail=detail) from err
