"""The page with every message that a user can meet, in the words that are shown."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from scripts.rig.configuration import CHECKOUT

PAGE: Final = CHECKOUT / "docs" / "messages.md"
TRANSLATIONS: Final = CHECKOUT / "custom_components/ha_ingestor/translations/en.json"

type Messages = Iterator[tuple[str, str]]

_BEGIN: Final = """\
# Messages

Every message of the dialogues, the repairs and the actions, in the words that are shown, to be
searched. `…` stands for a name, a number, or the words of the server. What to do is in the message,
and in [Troubleshooting](troubleshooting.md).

<!-- Made by scripts/documents of translations/en.json -->
"""


def _flow(words: Mapping[str, Any]) -> Messages:
    """Yield what a dialogue refuses, and why it ends."""
    for part in ("error", "abort"):
        yield from words.get(part, {}).items()


def _issues(words: Mapping[str, Any]) -> Messages:
    """Yield title and text of the repairs, with what their dialogues may say."""
    for key, issue in words.items():
        steps = issue.get("fix_flow", {}).get("step", {"": issue})
        texts = [step["description"] for step in steps.values() if "description" in step]
        yield key, f"**{issue['title']}** {' '.join(texts)}"
        yield from ((f"{key}, {name}", text) for name, text in _flow(issue.get("fix_flow", {})))


def _problems(words: Mapping[str, Any]) -> Messages:
    states = words["sensor"]["status"]["state_attributes"]["problem"]["state"]
    yield from ((key, text) for key, text in states.items() if key != "none")


def sections(words: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return key and text of every message, by the heading of its section."""
    subentries = {
        f"Set-up of {_of(flow['entry_type'])}": list(_flow(flow))
        for flow in words["config_subentries"].values()
    }
    return {
        "Set-up of a destination": list(_flow(words["config"])),
        **subentries,
        "Options": list(_flow(words["options"])),
        "Problems of delivery": list(_problems(words["entity"])),
        "Repairs": list(_issues(words["issues"])),
        "Reasons in a message": [
            (key, text) for key, text in words["common"].items() if key.startswith("reason_")
        ],
        "Actions": [(key, each["message"]) for key, each in words["exceptions"].items()],
    }


def _of(kind: str) -> str:
    article = "an" if kind[0].lower() in "aeiou" else "a"
    return f"{article} {kind}"


def _shown(text: str) -> str:
    """Write a message as a cell of a table: on one line, and what is filled in as an ellipsis.

    A link that leads into somebody's Home Assistant is its words only.
    """
    words = re.sub(r"\[([^\]]+)\]\(\{\w+\}\)", r"\1", text)
    line = " ".join(re.sub(r"\{\w+\}", "…", words).split())
    return line.replace("|", "\\|")


def page() -> str:
    """Return the page as the translations make it."""
    words = json.loads(TRANSLATIONS.read_text())
    parts = [_BEGIN]
    for heading, messages in sections(words).items():
        rows = "".join(f"| `{key}` | {_shown(text)} |\n" for key, text in messages)
        parts.append(f"\n## {heading}\n\n| key | message |\n| --- | --- |\n{rows}")
    return "".join(parts)
