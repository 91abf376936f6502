"""What comes at some topics just now, and what would be stored of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback

from ..health.texts.server_text import code
from ..health.texts.words import async_common_words
from ..pipeline.encode.message_shape import PAYLOAD_MAX, MessageShape, Refusal
from ..sources.mqtt import broker
from ..sources.mqtt.capture import raw_payload, shape_of
from .mqtt_clashes import Clash, Stored, clashes_of

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage

# With messages and without.
PREVIEWS: Final = ("preview", "preview_empty")

LISTEN_SECONDS: Final = 3.0
TOPICS_MAX: Final = 20
# What fits a phone without much scrolling.
_TOPIC_SHOWN: Final = 200
_LINE_SHOWN: Final = 300

# The newest payload of a topic, and whether it was retained.
type Seen = tuple[bytes, bool]


async def async_listen(hass: HomeAssistant, shapes: Sequence[MessageShape]) -> Mapping[str, Seen]:
    """Listen for a moment; returns the newest message of each topic.

    Retained messages come at once and show what is there, although they are not recorded.
    """
    seen: dict[str, Seen] = {}
    is_full = asyncio.Event()

    @callback
    def async_receive(message: ReceiveMessage) -> None:
        # One byte more than is recorded, so that it is seen that there is more.
        raw = raw_payload(message)[: PAYLOAD_MAX + 1]
        if message.topic in seen or len(seen) < TOPICS_MAX:
            seen[message.topic] = raw, message.retain
        else:
            is_full.set()

    stops = [
        stop
        for topic_filter in dict.fromkeys(shape.pattern.filter for shape in shapes)
        if (stop := await broker.async_subscribe(hass, topic_filter, async_receive))
    ]
    try:
        async with asyncio.timeout(LISTEN_SECONDS):
            await is_full.wait()
    except TimeoutError:
        pass
    finally:
        for stop in stops:
            stop()
    return seen


async def async_described(
    hass: HomeAssistant,
    messages: Mapping[str, Seen],
    shapes: Sequence[MessageShape],
    *,
    numbers_only: bool,
    more: Sequence[Clash] = (),
) -> str:
    """Write a list in Markdown: topic, and what would be stored, or why nothing would.

    Behind it is what clashes: names that are used for two things, and `more`.
    """
    words = await async_common_words(hass)

    def said(reason: str) -> str:
        return words.get(f"mqtt_{reason}", reason)

    rows: list[str] = []
    stored: list[Stored] = []
    for topic, (payload, is_retained) in sorted(messages.items()):
        if (shape := shape_of(shapes, topic)) is None:
            continue
        if len(payload) > PAYLOAD_MAX:
            text = said(Refusal.TOO_LARGE)
        elif isinstance(found := shape.encode(topic, payload, numbers_only=numbers_only), str):
            text = said(found)
        else:
            stored.append(Stored(topic, shape, *found))
            text = code(_cut(" ".join(found), _LINE_SHOWN))
        mark = f" ({said(Refusal.RETAINED)})" if is_retained else ""
        # Two blanks at the end of a line begin a new one.
        rows.append(f"- **{code(_cut(topic, _TOPIC_SHOWN))}**{mark}  \n  {text}")
    for clash in (*clashes_of(stored), *more):
        names = {name: code(_cut(text, _TOPIC_SHOWN)) for name, text in clash.names.items()}
        rows.append(f"⚠️ {said(clash.key).format(**names)}")
    if any(is_retained for _, is_retained in messages.values()):
        rows.append(said("retained_shown"))
    # With an empty line between them they are set apart.
    return "\n\n".join(rows)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
