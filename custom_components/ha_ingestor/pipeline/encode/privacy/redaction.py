r"""Redacts text: secrets in addresses, behind a scheme or an option, and those known by their form.

The caller decides which names are sensitive. The work grows with the length of a text and no
faster: each pattern begins at one sign or where a name begins, and what it looks at it consumes.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from .named import NAME_MAX, without_named

type IsSensitiveName = Callable[[str], bool]

# An address may also leave its scheme to who reads it.
_SCHEME_END: Final = re.compile(r"((?::|(?<![^\s\"'(=,]))(?:\\?/){2})")
_ADDRESS_END: Final = re.compile(r'[\s"<>]')
_AUTHORITY: Final = re.compile(r"[^/?#\\]*")
# A host, told from a name by its dot, and its port.
_HOST: Final = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
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
    r"\b((?i:bearer)\s+(?=\S*[\dA-Z=])|(?i:basic|digest|token)\s+(?=\S*[\d=]))"
    # A name with a value of its own is none: `Token token="…"`.
    r"(?![\w-]+=[\"'][^\s,)}\]\"'])[\w.~+/=-]{6,}"
)
# An option of a command.
_OPTION: Final = re.compile(r"(?<![^\s\"'(\[])--?([A-Za-z][\w.-]*+)\s++(?=[^\s-])")
_OPTION_VALUE: Final = re.compile(r"\"[^\"]*\"?|'[^']*'?|[^\s\"']+")
# Behind these stand a name and a password.
LOGINS: Final = frozenset({"u", "user", "proxy-user"})
# What is a secret wherever it stands: a JSON Web Token, as Home Assistant's own tokens are, what
# large services issue, the codes that join a device of Matter or an app of one-time passwords, and
# a private key.
_KEYS: Final = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)*"
    r"|(?<![\w-])(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-(?=\S{0,64}\d)|AIza)[\w-]{16,}"
    r"|\bMT:[A-Z0-9.-]{15,}+|\botpauth(?:-migration)?://[^\s\"'<>]+"
    r"|(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)(?:(?!-----END ).)*",
    re.DOTALL,
)
KEY_BEGINS: Final = re.compile(
    r"eyJ|PRIVATE KEY|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|AIza|MT:|otpauth"
)
# What a phone reads off a picture to join a network.
_NETWORK: Final = re.compile(
    r"(\bWIFI:(?:[A-OQ-Z]\w*:(?:\\.|[^;\\])*;)*P:)(?:\\.|[^;\\])+", re.IGNORECASE
)
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
    if "@" not in authority[0] and _HOST.fullmatch(authority[0]):
        return rest
    return f"{mark}{rest[at:]}"


def without_parameters(
    text: str, is_sensitive: IsSensitiveName, mark: str, *, deep: bool = True
) -> str:
    """Redact sensitive parameters of addresses, in the query or in the fragment."""

    def hidden(found: re.Match[str]) -> str:
        begin, name, value = found.groups()
        name = unquote(name)[-NAME_MAX:]
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


def without_options(text: str, is_sensitive: IsSensitiveName, mark: str) -> str:
    """Hide the values of sensitive options of a command, such as `--password x`."""
    kept: list[str] = []
    position = 0
    for found in _OPTION.finditer(text) if "-" in text else ():
        if found.start() < position:
            continue
        value = _OPTION_VALUE.match(text, found.end())
        is_login = value is not None and found[1] in LOGINS and ":" in value[0]
        if not (is_login or is_sensitive(found[1][-NAME_MAX:])):
            continue
        kept += (text[position : found.end()], mark)
        position = value.end() if value else found.end()
    return "".join((*kept, text[position:]))


def without_keys(text: str, mark: str) -> str:
    """Hide tokens and keys that are known by their form."""
    if KEY_BEGINS.search(text) is None:
        return text
    return _KEYS.sub(lambda found: f"{found[1] or ''}{mark}", text)


def without_networks(text: str, mark: str) -> str:
    """Hide the password of a network in the text of a QR code."""
    return _NETWORK.sub(rf"\g<1>{mark}", text) if "WIFI:" in text or "wifi:" in text else text


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
