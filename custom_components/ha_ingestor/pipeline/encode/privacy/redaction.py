r"""Redacts text: values behind sensitive names, and secrets in addresses.

The caller decides which names are sensitive. The work grows with the length of a text and no
faster: each pattern begins at one sign or where a name begins, and what it looks at it consumes.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

type IsSensitive = Callable[[str], bool]

# Of a name only its end counts, however long it is.
_NAME_MAX: Final = 64
_VALUE_SHOWN: Final = 64

# An address may also leave its scheme to who reads it.
_SCHEME_END: Final = re.compile(r"((?::|(?<![^\s\"'(=,]))(?:\\?/){2})")
_ADDRESS_END: Final = re.compile(r'[\s"<>]')
_AUTHORITY: Final = re.compile(r"[^/?#\\]*")
_PARAMETER: Final = re.compile(r"([?&;#]([^?&;#=\s\"'<>]+)=)([^?&;#\s\"'<>]*)")
# What is a secret as a parameter of an address, and may be anything elsewhere.
_SECRET_PARAMETER: Final = re.compile(
    r"(?:.*[-_.])?(?:key|sig|signature|appid|sid|session|hmac|ticket|pw|hash|nonce|sas|code|pin|loginpas)"
    r"|.*key|.*signature",
    re.IGNORECASE,
)
# The rest of such a path is a key: knowing it is enough to use it.
_SECRET_PATH: Final = re.compile(
    r"(/(?:web)?hooks?/|//hooks\.[\w.]{1,64}/|\.slack\.com/services/|/bot(?=\d+(?::|%3A))"
    r"|/api/(?:hls|tts_proxy|hassio_ingress)/|/with/key/)[^\s?#\"'<>)]+",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(
    r"\b((?i:bearer)\s+(?=\S*[\dA-Z=])|(?i:basic|digest|token)\s+(?=\S*[\d=]))[\w.~+/=-]{6,}"
)
# In a pair both are quoted: `('token', '…')`. In an index the name is: `login['token'] = '…'`.
_NAMED: Final = re.compile(
    r"(?<![\w.%-])([\w.%-]+)"
    r"(\\*[\"'`*]{0,3}(?:\[\d{0,8}\]|\])?\s*(?:=>|->|[:=\uff1a\uff1d])\s*|[\"']\s*,\s*(?=[\"']))"
    r"(?:[|>][+-]?\s*\n\s*)?"
)
# An option of a command.
_OPTION: Final = re.compile(r"(?<![^\s\"'(\[])--?([A-Za-z][\w.-]*+)\s++(?=[^\s-])")
_OPTION_VALUE: Final = re.compile(r"\"[^\"]*\"?|'[^']*'?|[^\s\"']+")
# Behind these stand a name and a password.
_LOGINS: Final = frozenset({"u", "user", "proxy-user"})
# What is a secret wherever it stands: a JSON Web Token, as Home Assistant's own tokens are, and a
# private key.
_KEYS: Final = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)*"
    r"|(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)(?:(?!-----END ).)*",
    re.DOTALL,
)
# What a phone reads off a picture to join a network.
_NETWORK: Final = re.compile(r"(\bWIFI:(?:[A-OQ-Z]\w*:(?:\\.|[^;\\])*;)*P:)(?:\\.|[^;\\])+")
# Or two, where the second joins it to the name: `mot de`, `clé d`.
_WORD_BEFORE: Final = re.compile(
    r"([^\W\d_]+(?:[ ](?:d[aei]|del|do)(?=[ ])|[ ]d(?=['\u2019]))?)[ '\u2019]\Z", re.IGNORECASE
)
_ELEMENT: Final = re.compile(r"(<([\w:.-]+)(?:\s[^<>]*)?>)[^<]+")
_IN_ATTRIBUTE: Final = re.compile(r"=[\"']([\w .-]{1,64})[\"']")
_QUOTED: Final = re.compile(
    r"\\*\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)"
    r"|(?:[bBuUrRfF]{1,2})?'(?:[^'\\]|\\.)*'"
    # Cut behind its beginning; otherwise a quote in front of a sign is the end of something.
    r"|(?:[bBuUrRfF]{1,2})?'(?![:,;)\]}\s]|\Z).*",
    re.DOTALL,
)
_WITH_SCHEME: Final = r"(?:(?:basic|bearer|token|digest|negotiate|apikey)\s+)?"
_WORD: Final = re.compile(_WITH_SCHEME + r"(?:\\[ ,=]|[^\s,;&(){}\[\]\"'\\])*", re.IGNORECASE)
_END: Final = r"(?![,;)}\]'\"](?:[\s,;:)}\]'\"]|\Z))"
_LONG_WORD: Final = re.compile(rf"{_WITH_SCHEME}(?:{_END}[^\s&()\[\]{{}}])*", re.IGNORECASE)
_LINE: Final = re.compile(rf"(?:{_END}[^\r\n(\[{{])*")
_HEADER_LINE: Final = re.compile(r"[^\r\n']*")
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_BRACKETS: Final = re.compile(r"[(\[{]|([)\]}])")

_PAIR: Final = re.compile(
    r"[-+]?\b\d{1,3}\.\w+\s*(?:,|;|/|\+|\||%2C|%20|%7C)\s*[-+]?\d{1,3}(?:\.\w+)?", re.IGNORECASE
)
_EXACT_PAIR: Final = re.compile(r"[-+]?\b\d{1,3}\.\d{4,}(?:\s*[,;/]\s*|\s+)[-+]?\d{1,3}\.\d{4,}")
_GEO: Final = re.compile(r"\b(geo:)[^\s\"'<>)]+", re.IGNORECASE)
_MAP_PATH: Final = re.compile(
    r"(/maps/|maps\.app\.goo\.gl/|\bwhat3words\.com/|\bw3w\.co/|!(?:3d|4d|2d|1d))[^\s?#\"'<>)!]+",
    re.IGNORECASE,
)
_MAP_PARAMETER: Final = re.compile(
    r"m?lat|m?lon|m?lng|s?ll|cbll|center|centre|[sd]addr|cp|pt|loc|marker|markers|viewpoint|q|query"
    r"|origin|destination|near|map|where|address",
    re.IGNORECASE,
)
_MAP_HOST: Final = re.compile(r"map|waze|geo|osm|nav", re.IGNORECASE)


def without_users(text: str, mark: str) -> str:
    """Hide who is named in addresses: up to the last `@`, as a password may have any sign."""
    if "@" not in text:
        return text
    parts = _SCHEME_END.split(text)
    parts[2::2] = [_without_user(part, mark) for part in parts[2::2]]
    return "".join(parts)


def _without_user(rest: str, mark: str) -> str:
    end = _ADDRESS_END.search(rest)
    at = rest.rfind("@", 0, end.start() if end else len(rest))
    authority = _AUTHORITY.match(rest)
    # A colon in front of a slash may be that of a password with a slash in it.
    if at < 0 or authority is None or not ("@" in authority[0] or ":" in authority[0]):
        return rest
    return f"{mark}{rest[at:]}"


def without_parameters(
    text: str, is_sensitive: IsSensitive, mark: str, *, deep: bool = True
) -> str:
    """Redact sensitive parameters of addresses, in the query or in the fragment."""

    def hidden(found: re.Match[str]) -> str:
        begin, name, value = found.groups()
        name = unquote(name)[-_NAME_MAX:]
        if is_sensitive(name) or _SECRET_PARAMETER.fullmatch(name):
            return f"{begin}{mark}"
        if deep and "%" in value:
            # An address in an address, or JSON.
            inner = unquote(value)
            inside = without_users(without_parameters(inner, is_sensitive, mark, deep=False), mark)
            inside = without_named(inside, lambda name, _before, _value: is_sensitive(name), mark)
            return found[0] if inside == inner else f"{begin}{mark}"
        return found[0]

    return _PARAMETER.sub(hidden, text) if "=" in text else text


def without_paths(text: str, mark: str) -> str:
    """Hide the keys that are part of a path."""
    return _SECRET_PATH.sub(rf"\g<1>{mark}", text) if "/" in text else text


def without_schemes(text: str, mark: str) -> str:
    """Hide the credentials behind a scheme of authorization."""
    return _SCHEME.sub(rf"\g<1>{mark}", text) if " " in text or "\t" in text else text


def without_options(text: str, is_sensitive: IsSensitive, mark: str) -> str:
    """Hide the values of sensitive options of a command, such as `--password x`."""
    kept: list[str] = []
    position = 0
    for found in _OPTION.finditer(text) if "-" in text else ():
        if found.start() < position:
            continue
        value = _OPTION_VALUE.match(text, found.end())
        is_login = value is not None and found[1] in _LOGINS and ":" in value[0]
        if not (is_login or is_sensitive(found[1][-_NAME_MAX:])):
            continue
        kept += (text[position : found.end()], mark)
        position = value.end() if value else found.end()
    return "".join((*kept, text[position:]))


def without_keys(text: str, mark: str) -> str:
    """Hide tokens and keys that are known by their form."""
    if "eyJ" not in text and "PRIVATE KEY" not in text:
        return text
    return _KEYS.sub(lambda found: f"{found[1] or ''}{mark}", text)


def without_networks(text: str, mark: str) -> str:
    """Hide the password of a network in the text of a QR code."""
    return _NETWORK.sub(rf"\g<1>{mark}", text) if "WIFI:" in text else text


def without_named(
    text: str,
    is_sensitive: Callable[[str, str, str], bool],
    mark: str,
    *,
    is_line_protocol: bool = False,
) -> str:
    """Redact values behind sensitive names: in JSON, in YAML, in a query, in line protocol.

    `is_sensitive` is asked with the word in front of a name and the beginning of its value. Words
    behind a colon are hidden to the end of the line, but not in what a server repeats of
    `is_line_protocol`.
    """
    if "<" in text:
        text = _ELEMENT.sub(
            lambda found: (
                f"{found[1]}{mark}"
                # An element may be named by itself, or by one of its attributes.
                if any(
                    is_sensitive(name[-_NAME_MAX:], "", "")
                    for name in (found[2], *_IN_ATTRIBUTE.findall(found[1]))
                )
                else found[0]
            ),
            text,
        )
    kept: list[str] = []
    position = start = 0
    while found := _NAMED.search(text, position):
        position = found.end()
        name = found[1][-_NAME_MAX:]
        # A time of day or a date is no name.
        if name[:2].isdigit():
            continue
        before = _WORD_BEFORE.search(text, max(0, found.start() - 24), found.start())
        value = text[position : position + _VALUE_SHOWN]
        if not is_sensitive(name, before[1] if before else "", value):
            continue
        words = _WORD if is_line_protocol else _LONG_WORD if "=" in found[2] else _LINE
        if name.lower() in _HEADERS and found[2][:1] == ":":
            words = _HEADER_LINE
        elif found[2].lstrip("\\")[:1] in {'"', "'"}:
            words = _WORD
        end = _value_end(text, position, words)
        if end > position:
            kept += (text[start:position], mark)
            position = start = end
    return "".join((*kept, text[start:])) if kept else text


def _value_end(text: str, position: int, words: re.Pattern[str]) -> int:
    """Find the end of a value: of what is quoted, in brackets, or words."""
    if quoted := _QUOTED.match(text, position):
        return quoted.end()
    found = words.match(text, position)
    end = found.end() if found else position
    # A backslash may stand in front of a bracket, in JSON within a text.
    while text[end : end + 1] == "\\" and end == position:
        position = end = end + 1
    return _bracket_end(text, end) if text[end : end + 1] in {"(", "[", "{"} else end


def _bracket_end(text: str, position: int) -> int:
    depth = 0
    for found in _BRACKETS.finditer(text, position):
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return len(text)


def without_places(text: str, mark: str) -> str:
    """Hide coordinates and what is looked for on a map."""
    text = _GEO.sub(rf"\g<1>{mark}", text)
    if "/" in text or "%" in text:
        text = _MAP_PATH.sub(rf"\g<1>{mark}", text)
        is_map = _MAP_HOST.search(text) is not None
        text = _PARAMETER.sub(
            lambda found: (
                f"{found[1]}{mark}" if is_map and _MAP_PARAMETER.fullmatch(found[2]) else found[0]
            ),
            text,
        )
        text = _PAIR.sub(mark, text)
    return _EXACT_PAIR.sub(mark, text)
