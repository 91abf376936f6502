"""What a server says is shown as text, and without what nobody else may know."""

import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt

from custom_components.ha_ingestor.health.texts.server_text import (
    markdown,
    plain,
    redacted,
    redacted_for_report,
    redacted_line,
)

HOSTILE = [
    "![x](http://evil.example/x.png)",
    "[click](http://evil.example)",
    "<img src=http://evil.example/x.png>",
    "<script>alert(1)</script>",
    "http://evil.example/a_b",
    "www.evil.example",
    "me@evil.example",
    "`code` **bold** _style_ ~~gone~~ # title",
    "a\n\n# title\n\n* list\n\n> quote\n\n| a | b |",
    "- list",
    "+ list",
    "1. first",
    "&lt;img&gt; &amp; \\[x\\](y)",
    "<http://evil.example>",
    "[x]: http://evil.example",
    "{% raw %}{{ states('a') }}",
]
HARMLESS = [
    "sensor.odd",
    "home_assistant on 127.0.0.1",
    'field type conflict: input field "value" is type float',
    "data-api on nas-2.local",
    "No space left on device",
]


def shown(text: str) -> tuple[str, set[str]]:
    """Render Markdown as the frontend does; return its text and the kinds of elements."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inline)}
    return "".join(child.content for child in inline), kinds


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_characters_of_a_text_and_does_nothing_else(text: str) -> None:
    said, kinds = shown(f"It says: {markdown(text)}.")
    assert said == f"It says: {' '.join(text.split())}."
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    # The frontend makes links of bare addresses, and of addresses of people.
    assert not re.search(r"(?<!\\):(?=//)|(?<!\\)@|www\.", markdown(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_is_shown_as_it_is_holds_no_markup_either(text: str) -> None:
    assert [part for part in ("![", "](", "<", ">", "`", "\n") if part in plain(text)] == []


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert markdown(text) == plain(text) == redacted(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://login.example/auth?session=abc123&next=/", "abc123"),
        ("/login?session=abc123", "abc123"),
        ("https://login.example/cb#access_token=abc123", "abc123"),
        ("http://adam:pa55@host:8086/write", "pa55"),
        ("invalid header: Token t0ken-of-adam", "t0ken-of-adam"),
        ("Authorization: Bearer eyJhbGciOi.J9.x-y", "eyJhbGciOi.J9.x-y"),
        ("Basic YWRhbTpwYTU1", "YWRhbTpwYTU1"),
        ('{"token":"abc123"}', "abc123"),
        ("{'api_key': 'abc123'}", "abc123"),
        ("db=home&password=pa55&u=adam", "pa55"),
        ("client_secret: pa55", "pa55"),
        ("latitude=52.5200", "52.5200"),
        ("attr_longitude=13.405,a=1", "13.405"),
        ('attributes="{\\"latitude\\":52.52,\\"longitude\\":13.4}"', "52.52"),
        ('attributes="{\\"latitude\\":52.52,\\"longitude\\":13.4}"', "13.4"),
        ('{"location": [52.52, 13.4]}', "13.4"),
        ("lat=52.5", "52.5"),
        ("home,location=My\\ Home,domain=sensor", "Home"),
        ("somewhere near 52.5200, 13.4050", "13.4050"),
        ('{"gps_coordinates":"52.52;13.40"}', "52.52"),
    ],
)
def test_secrets_and_places_are_hidden_wherever_they_are(text: str, secret: str) -> None:
    for show in (redacted, plain, markdown, redacted_for_report):
        assert secret not in show(f"unable to parse '{text}': bad timestamp")
        assert "bad timestamp" in show(f"unable to parse '{text}': bad timestamp")


@pytest.mark.parametrize(
    "text",
    [
        'psk_str="hunter2"',
        'network_key_str="hunter2"',
        'private_key="hunter2"',
        'attr_private_key_str="hunter2"',
        'pin_str="hunter2"',
        'code="hunter2"',
        'data_code="12 hunter2"',
        'auth_str="hunter2"',
        'attr_entity_picture_str="/api/camera_proxy/camera.x?token=hunter2"',
        "cookie: a=1; session=hunter2",
        "Authorization: Basic hunter2aGVsbG8=",
        "Authorization: Bearer a hunter2",
        "home_lat=hunter2",
        'street_str="hunter2 lane"',
        'postal_code_str="hunter2"',
        "user code: hunter2",
        "http://u:p@hunter2@host/x",
        "http://u:p/hunter2@host/x",
        "http:\\/\\/u:p#hunter2@host",
        "https://kept.local/api/webhook/hunter2",
        '{"passwords":["a",["hunter2"]]}',
        "Login(password=Secret('hunter2'))",
        "<password>hunter2</password>",
    ],
)
@pytest.mark.parametrize("show", [redacted, plain, markdown, redacted_for_report])
def test_what_is_no_history_is_not_shown_either(show: Callable[[str], str], text: str) -> None:
    assert "hunter2" not in show(f"unable to parse 'climate,entity_id=a {text}': bad timestamp")
    assert "hunter2" not in show(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"code":"invalid","message":"partial write"}',
        '{"code":"unprocessable entity","message":"failure"}',
        "error code: 12, HTTP status code: 503",
        "Cannot connect to host 127.0.0.1:8086 ssl:default (Connect call failed)",
    ],
)
def test_why_a_server_refuses_is_told(text: str) -> None:
    assert redacted(text) == text


def test_a_refused_line_shows_its_fields_and_nothing_that_is_in_them() -> None:
    line = (
        "home_assistant_events,area=Bedroom\\ of\\ Eve,domain=device_tracker,"
        "entity_id=device_tracker.a,"
        'location=Elm\\ Street attr_latitude=52.5,attributes="{\\"a\\":\\"x, y=z\\"}",'
        'state="not_home",value=21i,flag=t 1700000000000000000'
    )
    told = redacted_line(line)
    for kept in ("home_assistant_events", "device_tracker.a", "attr_latitude", "state", "value"):
        assert kept in told
    for hidden in ("Eve", "Elm", "52.5", "not_home", "21i", "x, y", "=z", "=t"):
        assert hidden not in told
    assert redacted_line("nonsense") == "**REDACTED**"


def test_a_bug_report_holds_no_values_that_a_server_repeats() -> None:
    said = redacted_for_report(
        "partial write: unable to parse 'a,area=Room\\ of\\ Eve,entity_id=sensor.a "
        'value=21.5,state="asleep, or not",power=2100i 1\': bad field dropped=1'
    )
    for hidden in ("21.5", "asleep", "or not", "Eve", "2100"):
        assert hidden not in said
    for kept in ("dropped=1", "entity_id=sensor.a", "bad field", "unable to parse"):
        assert kept in said
    cut = redacted_for_report("unable to parse 'a,b=c state=\"asleep and")
    assert "asleep" not in cut
