"""Texts that are typed as passwords are: dots on the screen, and nothing in a database."""

from typing import Final

from ..model import SAYS_NOTHING, Capture, StateLike

# Why such a change gives no point, for the ledger.
MASKED: Final = "secret"

TEXTS: Final = frozenset({"input_text", "text"})


def unmasked(capture: Capture) -> Capture | None:
    """Return a capture without the secret that was the state before; None where it is one now."""
    if capture.entity.domain not in TEXTS:
        return capture
    is_masked = capture.old is not None and _is_masked(capture.old)
    if _is_masked(capture.new) if capture.new is not None else is_masked:
        return None
    return capture._replace(old=None) if is_masked else capture


def _is_masked(state: StateLike) -> bool:
    mode = state.attributes.get("mode")
    return isinstance(mode, str) and mode == "password" and state.state not in SAYS_NOTHING
