"""The text of anything."""


def text_of(value: object) -> str:
    """Return the value's text, or its type's name when it has none. Never raises."""
    try:
        text = str(value)
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        text = type(value).__name__
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def has_truth(value: object) -> bool:
    """Whether a value is not empty; an object without a truth value counts as not empty."""
    try:
        return bool(value)
    except BaseException:  # noqa: BLE001  arrays, for one, refuse the question
        return True
