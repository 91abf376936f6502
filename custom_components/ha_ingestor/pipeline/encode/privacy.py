"""What is left out of attributes and events: secrets always, the rest where the user wants it.

Names are compared by their words, so `accessToken`, `Access Token` and `ACCESS_TOKEN` are one name,
and at any depth. Words that only say which form it has do not count: `token_value`, `api_key_v2`.
Texts are looked into where they are JSON or addresses.

A `code` or a `pin` is what somebody types in, and never kept, but for one exception: an attribute
may be the code of the weather or the pin of a microcontroller. It is kept where its value is a
number below 1000, or any number of a weather entity, and where nothing in the entity's id says that
it is about a lock, an alarm, a door or a keypad.

A value that another member names is left out with it, as in `{"name": "password", "value": …}` and
`[["Authorization", …]]`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, Final

from .redaction import (
    without_named,
    without_parameters,
    without_paths,
    without_places,
    without_schemes,
    without_users,
)
from .text import text_of

_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z]+")
_NUMBERED: Final = re.compile(r"[_0-9]+$")

# What form a thing has, and which of several it is: nothing of what it is.
_FORMS: Final = frozenset(
    {
        *("value", "values", "str", "string", "text", "raw", "hex", "hash", "header", "headers"),
        *("b64", "base64", "encoded", "plain", "v", "current", "new", "old", "last"),
    }
)
_VERSION: Final = re.compile(r"v?[0-9]+")

_SECRET_WORDS: Final = frozenset(
    {
        *("password", "passwords", "passwd", "pwd", "passphrase", "passcode", "passcodes", "pword"),
        *("pswd", "passwort", "kennwort", "wachtwoord", "contrasena", "senha", "haslo", "heslo"),
        *("secret", "secrets", "credential", "credentials", "authorization", "bearer", "jwt"),
        *("cookie", "cookies", "psk", "totp", "otp", "puk", "authsig", "apikey", "bindkey"),
        *("csrf", "xsrf", "dsk", "pem"),
    }
)
# Without their underscores, because `accesstoken` is one too. `token_count` is none.
_SECRET_ENDS: Final = re.compile(
    r".*(?:tokens?|password|passphrase|passcode|secret|credentials?"
    r"|(?:api|access|accesscontrol|private|secret|encryption|decryption|encrypt|network|security"
    r"|auth|authentication|authenticated|unauthenticated|authorization|ssh|license|local|wep|wpa"
    r"|wifi|shared|link|session|master|app|client|consumer|aes|signing|user|bind|pairing|legacy"
    r"|owner|pass|device)keys?"
    r"|(?:user|pin|lock|alarm|door|gate|access|entry|unlock|disarm|arm|keypad|guest|master|security"
    r"|pass|pairing|setup|auth|activation|backup|recovery|verification|qr|install|login)codes?"
    r"|(?:user|admin|login|db|smtp|mqtt|ftp|imap|wifi|mail|proxy)pass|(?:user|lock|alarm|door)pin"
    r"|sess(?:ion)?id|authsig|webhookid|webhookurl|cloudhookurl|hookurl|webhooks?)"
    # A picture's address carries a token.
    r"|entitypicture(?:local)?|(?:o|basic|http|x)?auth|pass|irk|motdepasse"
)
# By the last word: what goes before it where it is a secret.
_SECRET_AFTER: Final[Mapping[str, frozenset[str]]] = {
    "code": frozenset(
        {
            *("action", "pair", "pairing", "setup", "up", "auth", "authorization", "oauth", "link"),
            *("authentication", "activation", "backup", "recovery", "verification", "mfa", "2fa"),
            *("tfa", "factor", "qr", "fob", "rolling", "homekit", "matter", "manual", "login"),
            *("invite", "invitation", "reset", "sms", "temporary", "visitor", "admin", "duress"),
            *("panic", "emergency", "installer", "install", "registration", "confirmation", "safe"),
            *("private", "wifi", "nfc", "rfid", "card", "badge", "owner", "slot", "intercom"),
            *("garage", "parental", "child", "sim", "commissioning", "provisioning", "claim"),
            *("enrollment", "sharing", "bypass", "house"),
        }
    ),
    "key": frozenset(
        {
            *("mesh", "net", "beacon", "ble", "gateway", "root", "server", "account", "login"),
            *("verification", "backup", "recovery", "crypto", "cipher", "hub", "secure", "unlock"),
            *("s0", "s2", "tls", "ssl", "hmac", "host", "lan", "identity", "join", "install"),
        }
    ),
}
# By the last word: what goes before it where it is none, of all that may.
_SECRET_UNLESS_AFTER: Final[Mapping[str, frozenset[str]]] = {
    "pin": frozenset(
        {
            *(
                "gpio",
                "led",
                "data",
                "reset",
                "relay",
                "input",
                "output",
                "clock",
                "clk",
                "trigger",
            ),
            *("echo", "sda", "scl", "tx", "rx", "cs", "dc", "busy", "switch", "analog", "digital"),
            *("adc", "pwm", "i2c", "spi", "uart", "io", "board", "button", "power", "sensor"),
            *("available", "used", "free", "enable", "interrupt", "int", "bowling"),
        }
    ),
    "pass": frozenset(
        {
            *("low", "high", "band", "all", "by", "first", "second", "next", "previous", "over"),
            *("iss", "satellite", "ski", "season", "boarding", "test", "under", "mountain"),
        }
    ),
    "auth": frozenset({"requires", "required", "needs", "has", "is", "no", "without", "factor"}),
}
# Alone, or as the last of several words.
_SECRET_LAST: Final = frozenset({"pw", "signature", "signatures", "sig", "ltk", "csrk", "oauth"})
_OF_A_SLOT: Final = re.compile(r"(?:.*_)?(?:code|pin)_?slot_?[0-9]+")

_TYPED_IN: Final = frozenset({"code", "codes", "pin", "pins", "code_number", "pin_number"})
_TYPED_INTO: Final = frozenset(
    {
        *("lock", "locks", "doorlock", "smartlock", "alarm", "alarms", "door", "gate", "garage"),
        *("keypad", "intercom", "safe", "code", "codes", "pin", "pins", "security", "panel"),
    }
)
# No code for people has fewer than four digits.
_CODES_BEGIN: Final = 1000

# Members that name what others of the same mapping hold.
_NAMING: Final = frozenset(
    {
        *("name", "key", "field", "header", "property", "property_name", "property_key_name"),
        *("attribute", "param", "parameter", "option", "variable", "setting", "label"),
        *("command_class_name",),
    }
)
_NAMED: Final = frozenset(
    {
        *("value", "values", "val", "content", "data", "text", "value_raw", "new_value"),
        *("new_value_raw", "prev_value", "prev_value_raw", "old_value", "event_data"),
    }
)

_COORDINATE_WORDS: Final = frozenset(
    {
        *("latitude", "longitude", "lat", "lon", "lng", "latlng", "latlon", "latlong", "altitude"),
        *("gps", "coordinate", "coordinates", "coord", "coords", "location", "locations"),
        *("geolocation", "geohash", "geocode", "geocoded", "geo", "street", "thoroughfare"),
        *("postcode", "zipcode", "locality", "whereabouts", "geojson", "w3w", "neighbourhood"),
        *("neighborhood", "suburb", "hamlet", "municipality"),
    }
)
_COORDINATE_NAMES: Final = re.compile(
    r"long|.*(?:vertical|horizontal)_accuracy|.*maps?_(?:link|url|uri|image)|.*google_maps?"
    r"|.*(?:post|postal|zip|plus)_code|.*what_?3_?words"
    r"|(?:.*_)?(?:administrative_area|areas?_of_interest|house_(?:number|name|no)|display_name)"
    r"|(?:.*_)?(?:city|town|village|borough|county|road|zip)(?:_(?:name|district))?"
    r"|(?:formatted_)?place(?:_name)?|bounding_?box"
    r"|(?:.*_)?(?:(?:formatted|street|home|current|full|postal)_)?address(?:_line)?"
)
_NO_WHEREABOUTS: Final = re.compile(
    r".*(?:ip|ipv|mac|email|mail|bluetooth|hardware|bd)_\d*_?address"
)

# Where something is, if more than one number says it: a cover's position is one.
_POSITION: Final = re.compile(r"(?:.*_)?positions?")
_TWO_NUMBERS: Final = re.compile(r"[0-9]\.[0-9]+[^0-9]+[0-9]+\.[0-9]")

_MEDIA_WORDS: Final = frozenset(
    {"media", "artist", "artists", "album", "song", "episode", "playlist", "podcast", "track"}
)
_MEDIA_NAMES: Final = re.compile(
    r"(?:.*_)?app|(?:.*_)?app_(?:id|name|title|icon|package|package_name)|(?:.*_)?title|now_playing"
)

# How deep, and how many values in all: more than there is room for in a field.
_DEPTH_MAX: Final = 32
_VALUES_MAX: Final = 20_000
_CUT: Final = "..."
_JSON: Final = frozenset('{["')
_JSON_MAX: Final = 64 * 1024
# Twice as much as a field has room for, so that what is too long stays so.
_TEXT_MAX: Final = 128 * 1024
_TIME: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ]?)?(?:\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
)
_SPACE: Final = re.compile("[\\s\ufeff]*")
_DECODER: Final = json.JSONDecoder()
# Which codes and pins of a text nobody types in.
_NOT_TYPED: Final = frozenset(
    {
        *("error", "status", "response", "exit", "return", "result", "reason", "event", "fault"),
        *("http", "country", "language", "area", "postal", "zip", "color", "colour", "weather"),
        *("diagnostic", "trouble", "failure", "source", "gpio", "input", "output", "data", "reset"),
    }
)
_PLAIN: Final = (bool, int, float, NoneType)
_FLAT: Final = frozenset(_PLAIN)

type Unwanted = Callable[[str], bool]


def _spelled(name: str) -> str:
    return _WORD_BREAK.sub("_", name).strip("_").lower()


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    """Write a name as words in small letters with underscores; a number at its end goes."""
    text = _spelled(name)
    return _NUMBERED.sub("", text) or text


def _thing(name: str) -> list[str]:
    """Return the words that say what it is, without those that say in which form."""
    words = _words(name).split("_")
    first, end = 0, len(words)
    while first < end and (words[end - 1] in _FORMS or _VERSION.fullmatch(words[end - 1])):
        end -= 1
    while first < end and words[first] in _FORMS:
        first += 1
    return words[first:end] or words


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether an attribute of this name is never kept, whatever a user wants."""
    thing = _thing(name)
    return (
        not _SECRET_WORDS.isdisjoint(_words(name).split("_"))
        or _SECRET_ENDS.fullmatch("".join(thing)) is not None
        or _is_secret_by_its_end(thing)
        or _OF_A_SLOT.fullmatch(_spelled(name)) is not None
    )


def _is_secret_by_its_end(thing: list[str]) -> bool:
    last = thing[-1]
    if last in _SECRET_LAST:
        return True
    # Of `slot_1_pin` the word before is `slot`.
    before = [word for word in thing[:-1] if not word.isdigit()][-1:]
    last = last if last == "pass" else last.removesuffix("s")
    unless = _SECRET_UNLESS_AFTER.get(last)
    if unless is not None:
        return bool(before) and unless.isdisjoint(before)
    return not _SECRET_AFTER.get(last, frozenset()).isdisjoint(before)


@lru_cache(maxsize=4096)
def is_typed_in(name: str) -> bool:
    """Whether it is what somebody types into a lock or an alarm panel: no `error_code` is."""
    return "_".join(_thing(name)) in _TYPED_IN


def is_harmless_code(value: Any, entity_id: str) -> bool:
    """Whether an attribute that is called as what is typed in is something else: see above."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if not _TYPED_INTO.isdisjoint(_words(entity_id).split("_")):
        return False
    return abs(value) < _CODES_BEGIN or entity_id.startswith("weather.")


def _is_named_secret(name: object, is_unwanted: Unwanted) -> bool:
    return isinstance(name, str) and is_unwanted(name)


@lru_cache(maxsize=4096)
def is_whereabouts(name: str) -> bool:
    """Whether it tells where somebody or something is."""
    words = _words(name)
    return not _COORDINATE_WORDS.isdisjoint(words.split("_")) or (
        _COORDINATE_NAMES.fullmatch(words) is not None and not _NO_WHEREABOUTS.fullmatch(words)
    )


@lru_cache(maxsize=4096)
def is_position(name: str) -> bool:
    """Whether it may tell where something is, which only the value shows."""
    return _POSITION.fullmatch(_words(name)) is not None


def is_place(value: Any) -> bool:
    """Whether the value of a position is a place, and not how far open a cover is."""
    if isinstance(value, str):
        return _TWO_NUMBERS.search(value) is not None
    return isinstance(value, (Mapping, list, tuple)) and len(value) > 1


@lru_cache(maxsize=4096)
def is_played(name: str) -> bool:
    """Whether it tells what somebody listens to or watches, and with what."""
    words = _words(name)
    return not _MEDIA_WORDS.isdisjoint(words.split("_")) or bool(_MEDIA_NAMES.fullmatch(words))


def unwanted_names(*, coordinates: bool, media: bool) -> Unwanted:
    """Tell which names are left out, of attributes and of what lies in them."""

    def is_unwanted(name: str) -> bool:
        return (
            is_secret(name)
            or (not coordinates and is_whereabouts(name))
            or (not media and is_played(name))
        )

    return is_unwanted


def cleaned(data: Any, unwanted: Unwanted) -> Any:
    """Copy data without the unwanted members. Never raises.

    What has no end, or lies too deep to be looked into, is cut.
    """
    return _Copy(unwanted).of(data, 0)


class _Copy:
    """One copy: how much there was so far, and which containers the current one lies in."""

    def __init__(self, unwanted: Unwanted) -> None:
        self._unwanted = unwanted
        self._hides_places = unwanted("coordinates")
        self._values = 0
        self._around: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        """Copy a value."""
        self._values += 1
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, str):
            return self._text(value, depth)
        try:
            value = _opened(value)
            if isinstance(value, (Mapping, list, tuple, set, frozenset)):
                return self._container(value, depth)
            # It is stored as its text.
            is_bytes = isinstance(value, (bytes, bytearray))
            text = value.decode("utf-8", "replace") if is_bytes else text_of(value)
            copy = self._text(text, depth)
        except Exception:  # noqa: BLE001  foreign objects may raise anything
            return type(value).__name__
        return value if copy == text else copy

    def _container(self, value: Any, depth: int) -> Any:
        if depth == _DEPTH_MAX or self._values > _VALUES_MAX or id(value) in self._around:
            return _CUT
        self._around.add(id(value))
        try:
            if isinstance(value, tuple) and (names := getattr(value, "_fields", None)):
                return [
                    self.of(item, depth + 1)
                    for name, item in zip(names, value, strict=True)
                    if not self._is_unwanted(text_of(name))
                ]
            if not isinstance(value, Mapping):
                return [self.of(self._pair(item), depth + 1) for item in list(value)]
            members = list(value.items())
            hidden = self._named_by_others(members)
            return {
                key: self.of(item, depth + 1)
                for key, item in members
                if not self._is_unwanted(text_of(key))
                and text_of(key) not in hidden
                and not (self._hides_places and is_position(text_of(key)) and is_place(item))
            }
        finally:
            self._around.discard(id(value))

    def _is_unwanted(self, name: str) -> bool:
        return self._unwanted(name) or is_typed_in(name)

    def _pair(self, item: Any) -> Any:
        """Cut the second of a list's pairs where the first names something unwanted."""
        is_pair = isinstance(item, (list, tuple)) and len(item) == len(("name", "value"))
        return [item[0], _CUT] if is_pair and _is_named_secret(item[0], self._is_unwanted) else item

    def _named_by_others(self, members: list[tuple[Any, Any]]) -> set[str]:
        """Return the members whose name is the value of another member, and unwanted."""
        if any(
            _is_named_secret(item, self._is_unwanted) and _words(text_of(key)) in _NAMING
            for key, item in members
        ):
            return {name for name in (text_of(key) for key, _ in members) if _words(name) in _NAMED}
        return set()

    def _text(self, text: str, depth: int) -> str:
        """Look into a text: the JSON at its beginning, and whatever else may lie in it."""
        if is_plain(text) or (text[:1].isdigit() and _TIME.fullmatch(text)):
            return text
        text = text[:_TEXT_MAX]
        if text[:1].isalpha():
            return _without_unwanted(text, self._unwanted)
        kept: list[str] = []
        start = _space_end(text, 0)
        kept.append(text[:start])
        while len(text) <= _JSON_MAX and depth < _DEPTH_MAX and text[start : start + 1] in _JSON:
            try:
                content, end = _DECODER.raw_decode(text, start)
            except ValueError, RecursionError:
                break
            behind = _space_end(text, end)
            # A name with what it is the name of.
            if text[behind : behind + 1] in {":", "="}:
                break
            copy = self.of(content, depth + 1)
            kept += (text[start:end] if copy == content else json.dumps(copy), text[end:behind])
            start = behind
        return "".join((*kept, _without_unwanted(text[start:], self._unwanted)))


def _space_end(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _opened(value: Any) -> Any:
    """Return what `dumps` writes of an object that it knows how to write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    return value.as_dict() if hasattr(value, "as_dict") else value


def is_plain(value: Any) -> bool:
    """Whether nothing can lie in a value: most are numbers, words, or lists of them."""
    kind = type(value)
    if kind is str:
        return (
            ":" not in value
            and "=" not in value
            and "/" not in value
            and "[" not in value
            and ("." not in value or "," not in value)
            and "earer " not in value
        )
    if kind is list or kind is tuple:
        for item in value:
            if type(item) not in _FLAT and (type(item) is not str or not is_plain(item)):
                return False
        return True
    return kind in _FLAT


def is_telling(name: str, before: str, unwanted: Unwanted) -> bool:
    """Whether what stands behind a name in a text is left out; `before` is the word before it."""
    if unwanted(name) or (before and unwanted(f"{before} {name}")):
        return True
    return is_typed_in(name) and before.lower() not in _NOT_TYPED


def _without_unwanted(text: str, unwanted: Unwanted) -> str:
    """Hide in a text what is unwanted, by its name or by where it stands in an address."""
    if "/" in text or "=" in text:
        text = without_users(text, _CUT)
        text = without_paths(without_parameters(text, unwanted, _CUT), _CUT)
    # An option to leave coordinates out covers every spelling of them.
    if unwanted("coordinates"):
        text = without_places(text, _CUT)
    return without_named(
        without_schemes(text, _CUT),
        lambda name, before, _value: is_telling(name, before, unwanted),
        _CUT,
    )
