r"""Redacts in a text what stands behind sensitive names, however they are joined.

The caller decides which names are sensitive. The work grows with the length of a text and no
faster: each pattern begins where a name begins, and what it looks at is bounded or consumed.
"""

import re
from collections.abc import Callable
from typing import Final

from .words import NAMED, NAMING, words_of

# Of a name only its end counts, however long it is.
NAME_MAX: Final = 64
_VALUE_SHOWN: Final = 64

# In a pair both are quoted: `('token', '…')`. In an index the name is: `login['token'] = '…'`.
_JOINED: Final = re.compile(
    r"(?<![\w.%-])([\w.%-]+)"
    r"(\\*[\"'`*]{0,3}(?:\[\d{0,8}\]|\])?[?!]?\s*(?:=>|->|\u2192|[:=\uff1a\uff1d]+)\s*"
    # What is a name again is no value: `{'name': 'token', 'value': …}`.
    r"|[\"']\s*,\s*(?=[\"'](?![\w .-]{1,64}[\"']\s*:)))"
    r"(?:[|>][+-]?\s*\n\s*)?"
)
# What it is the name of may stand in between: `password (new): …`, `Passwort für WLAN: …`.
_WHOSE: Final = (
    r"(?:[ ]?[(\[][\w .-]{1,24}[)\]]"
    r"|[ ](?:for|of|f\u00fcr|fuer|vom?|pour|para|voor|van)(?:[ ][\w.-]{1,24}){1,3}?)"
)
# A sentence may say it: `the password is …`. Only what looks like a secret is taken for one: what
# is quoted, four digits without a unit, or a word with small letters and digits.
_UNLIKE_WORDS: Final = (
    r"(?=[\"'`\u201c\u201e\u00ab]\S|\d{4,12}(?![\w.,:]*\w)(?!\s*(?:bit|byte|s\b|sec|min|day|hour|char))"
    r"|(?=\S{0,64}(?-i:[a-z]))(?=\S{0,64}\d)\S{6})"
)
_PHRASED: Final = re.compile(
    rf"(?<![\w.%-])([\w.%-]++)(?:{_WHOSE}([ ]?[:=]\s*)"
    rf"|{_WHOSE}?([ ](?:is|ist|lautet|est|es)[ ])(?:now[ ]|jetzt[ ])?{_UNLIKE_WORDS})",
    re.IGNORECASE,
)
SAYS: Final = re.compile(
    rf" (?:is|ist|lautet|est|es) (?:now |jetzt )?{_UNLIKE_WORDS}", re.IGNORECASE
)
# Much faster than to look at each word.
_MAY_BE_PHRASED: Final = re.compile(
    r" (?:is|ist|lautet|est|es|for|of|f\u00fcr|fuer|vom?|pour|para|voor|van) |[)\]] ?[:=]",
    re.IGNORECASE,
)
# A line that names something else, where the value before it is empty.
_NEXT_NAME: Final = re.compile(r"[\w .\"'-]{1,64}:(?=\s)")
# Or two, where the second joins it to the name: `mot de`, `clé d`.
_WORD_BEFORE: Final = re.compile(
    r"([^\W\d_]+(?:[ ](?:d[aei]|del|do)(?=[ ])|[ ]d(?=['\u2019]))?)[ '\u2019]\Z", re.IGNORECASE
)
_ELEMENT: Final = re.compile(
    r"(<([\w:.-]+)(?:\s[^<>]*)?>)(?:<!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>)?|[^<])+", re.DOTALL
)
_IN_ATTRIBUTE: Final = re.compile(r"=[\"']([\w .-]{1,64})[\"']")
_QUOTED: Final = re.compile(
    r"\\*\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)"
    r"|(?:[bBuUrRfF]{1,2})?'(?:[^'\\]|\\.)*'"
    # Cut behind its beginning; otherwise a quote in front of a sign is the end of something.
    r"|(?:[bBuUrRfF]{1,2})?'(?![:,;)\]}\s]|\Z).*"
    r"|[\u201c\u201e][^\u201c\u201d\n]*[\u201c\u201d]|\u00ab[^\u00bb\n]*\u00bb",
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
# What a member is called that names another: `name: password`.
_CALLED: Final = re.compile(r"[\\\"'`*]{0,4}([\w.-]{1,64}(?:[ ][\w.-]{1,64}){0,3})")

type IsSensitiveValue = Callable[[str, str, str], bool]


def without_named(
    text: str, is_sensitive: IsSensitiveValue, mark: str, *, is_line_protocol: bool = False
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
                    is_sensitive(name[-NAME_MAX:], "", "")
                    for name in (found[2], *_IN_ATTRIBUTE.findall(found[1]))
                )
                else found[0]
            ),
            text,
        )
    text = _hidden(text, _JOINED, is_sensitive, mark, is_line_protocol=is_line_protocol)
    if is_line_protocol or _MAY_BE_PHRASED.search(text) is None:
        return text
    return _hidden(text, _PHRASED, is_sensitive, mark)


def _hidden(
    text: str,
    pattern: re.Pattern[str],
    is_sensitive: IsSensitiveValue,
    mark: str,
    *,
    is_line_protocol: bool = False,
) -> str:
    kept: list[str] = []
    position = start = 0
    # The member that named the secret whose value comes next, until it names something else.
    named_by = ""
    while found := pattern.search(text, position):
        value_at, name, joint = found.end(), found[1][-NAME_MAX:], found[found.lastindex or 1]
        # The name of another may stand in between.
        position = value_at if pattern is _JOINED else found.end(1)
        # A time of day or a date is no name.
        if name[:2].isdigit():
            continue
        kind = words_of(name)
        if kind in NAMING and (called := _CALLED.match(text, value_at)):
            said = called[1] if ":" in joint or "," in joint else called[1].partition(" ")[0]
            if is_sensitive(said, "", ""):
                named_by = kind
            elif kind == named_by:
                named_by = ""
        if "\n" in joint and _is_next_line(text, found.start(), value_at):
            continue
        before = _WORD_BEFORE.search(text, max(0, found.start() - 24), found.start())
        value = text[value_at : value_at + _VALUE_SHOWN]
        if not (named_by and kind in NAMED) and not is_sensitive(
            name, before[1] if before else "", value
        ):
            continue
        words = _words_behind(name, joint, is_line_protocol)
        end = _value_end(text, value_at, words)
        if "\n" in text[found.end(1) : value_at]:
            end = max(end, _block_end(text, value_at))
        if end > value_at:
            kept += (text[start:value_at], mark)
            position = start = end
    return "".join((*kept, text[start:])) if kept else text


def _words_behind(name: str, joint: str, is_line_protocol: bool) -> re.Pattern[str]:  # noqa: FBT001
    """Choose how far a value goes that is neither quoted nor in brackets."""
    if name.lower() in _HEADERS and joint[:1] == ":":
        return _HEADER_LINE
    if is_line_protocol or joint[:1] == " " or joint.lstrip("\\")[:1] in {'"', "'"}:
        return _WORD
    return _LONG_WORD if "=" in joint else _LINE


def _indent(text: str, position: int) -> int:
    """Count what stands in front of a position in its line, if that is only space."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return 0 if before.strip(" -") else len(before)


def _is_next_line(text: str, name_at: int, value_at: int) -> bool:
    """Whether what would be a value is the name of something else, no deeper than the name."""
    return (
        _indent(text, value_at) <= _indent(text, name_at)
        and _NEXT_NAME.match(text, value_at) is not None
    )


def _block_end(text: str, position: int) -> int:
    """Find the end of the lines of a value in YAML: as deep as the first one, or a list."""
    indent = _indent(text, position)
    end = text.find("\n", position)
    while end >= 0:
        line = text[end + 1 : end + 1 + indent + len("- ")]
        if not (line[:indent].isspace() if indent else line == "- " and text[position] == "-"):
            return end
        end = text.find("\n", end + 1)
    return len(text)


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
