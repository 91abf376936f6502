"""What the documentation of `pipeline.line_protocol` promises, said without its code."""

import re
from hashlib import blake2b

from custom_components.ha_ingestor.pipeline.encode.line_protocol import (
    NAME_MAX_BYTES,
    TAG_VALUE_MAX_BYTES,
)


def cut(text: str, limit: int) -> str:
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def spaced(text: str) -> str:
    return re.sub(r"[\x00-\x1f]", " ", text).encode("utf-8", "replace").decode()


def stored_name(name: str) -> str:
    """Apply what the module's documentation promises for a name."""
    name = cut(name, NAME_MAX_BYTES)
    if not name or name[0] in "_#":
        name = "x" + name
    return spaced(name).replace("\\", "/")


def stored_key(key: str) -> str:
    return "time_" if key == "time" else stored_name(key).replace('"', "'")


def stored_field(key: str) -> str:
    """Apply what is promised for the name of a field, which stays one of a text or of a number."""
    if key.endswith("_str"):
        return stored_key(f"{cut(key[:-4], NAME_MAX_BYTES - 4)}_str")
    key = cut(key, NAME_MAX_BYTES)
    return stored_key(f"{cut(key, NAME_MAX_BYTES - 1)}_" if key.endswith("_str") else key)


def marked(stored: str, key: str) -> str:
    """Tell the second of two fields apart whose names became the same; for short names."""
    digits = blake2b(key.encode("utf-8", "replace"), digest_size=4).hexdigest()
    if stored.endswith("_str"):
        return f"{stored[:-4]}~{digits}_str"
    return f"{stored}~{digits}"


def stored_tag(value: str) -> str:
    return spaced(cut(value, TAG_VALUE_MAX_BYTES)).replace("\\", "/")
