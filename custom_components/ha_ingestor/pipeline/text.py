"""The text of anything."""


def text_of(value: object) -> str:
    """Return the value's text, or its type's name when it has none. Never raises."""
    try:
        text = str(value)
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        text = type(value).__name__
    text = exact(text)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def exact(text: str) -> str:
    """Return what a text holds: one of a class of its own may say anything else of itself."""
    return text if type(text) is str else str.__str__(text)


def has_truth(value: object) -> bool:
    """Whether a value is not empty; an object without a truth value counts as not empty."""
    try:
        return bool(value)
    except BaseException:  # noqa: BLE001  arrays, for one, refuse the question
        return True
