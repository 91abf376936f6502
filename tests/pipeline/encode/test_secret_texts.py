"""What lies in a text is left out like what lies in data: by its name, or by where it stands."""

import json
from collections import namedtuple
from enum import Enum
from typing import Any

import attr
import pytest
from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    AttributesPolicy,
    Shape,
    without_secrets,
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy

from .test_privacy import HIDDEN, both, event, fields, state

ADDRESSES = (
    f"rtsp://admin:p@{HIDDEN}@kept.local/live",
    f"rtsp://admin:pa#{HIDDEN}@kept.local/live",
    f"rtsp://admin:pa/{HIDDEN}@kept.local/live",
    f"rtsp://admin:pa?{HIDDEN}@kept.local/live",
    f"rtsp://admin:pa&=;{HIDDEN}@kept.local/live",
    f"rtsp://{HIDDEN}@kept.local/live",
    f"mqtt://a:{HIDDEN}@b.local and http://c:{HIDDEN}@kept.local/",
    f"rtsp:\\/\\/admin:{HIDDEN}@kept.local\\/live",
    f"https://kept.local/#access_token={HIDDEN}",
    f"https://kept.local/#/x?access_token={HIDDEN}&a=1",
    f"https://kept.local/?access%5Ftoken={HIDDEN}",
    f"https://kept.local/x?X-Amz-Signature={HIDDEN}",
    f"https://kept.local/x?x-goog-signature={HIDDEN}",
    f"https://kept.local/x?sv=2&sig={HIDDEN}",
    f"https://kept.local/api?key={HIDDEN}",
    f"https://kept.local/api?subscription-key={HIDDEN}",
    f"https://kept.local/api?a=1&amp;appid={HIDDEN}",
    f"https://kept.local/go?to=rtsp%3A%2F%2Fu%3A{HIDDEN}%40h",
    f"https://kept.local/go?to=%2Fcb%3Ftoken%3D{HIDDEN}",
    f"https://kept.local/api/webhook/{HIDDEN}",
    f"/kept/api/webhook/{HIDDEN}",
    f"https://kept.com/api/webhooks/12/{HIDDEN}",
    f"https://kept.slack.com/services/T0/B0/{HIDDEN}",
    f"https://hooks.nabu.casa/{HIDDEN} kept",
    f"https://api.telegram.kept/bot123:{HIDDEN}/sendMessage",
    f"//admin:{HIDDEN}@kept.local/live",
    f"from (//admin:{HIDDEN}@kept.local/live)",
    f"/kept/api/hassio_ingress/{HIDDEN}/",
    f"https://kept.com/trigger/x/with/key/{HIDDEN}",
    f"http://kept.local/live.cgi?loginuse=a&loginpas={HIDDEN}",
    f"http://kept.local/live.cgi?psw={HIDDEN}",
    f"rtsp://kept.name:p:{HIDDEN}@kept.local:554/live",
    f"rtsp://admin:1234/{HIDDEN}@kept.local:554/live",
    f"kept otpauth://totp/a?digits=6&secret={HIDDEN}",
)
WORDS = (
    f"kept=me&password={HIDDEN}",
    f"kept: Authorization: Bearer {HIDDEN}",
    f"kept\nAuthorization: Basic a {HIDDEN}",
    f"kept\nCookie: a=1; session={HIDDEN}",
    f"kept bearer {HIDDEN}x1",
    f"password: {HIDDEN}\nname: kept",
    f"name: kept\npassword: two {HIDDEN} words, too",
    f"name: kept\npassword:\n  {HIDDEN}",
    f"name: kept\npassword: |\n  {HIDDEN}",
    f"{{'password': '{HIDDEN}', 'name': 'kept'}}",
    f"{{'password': b'a {HIDDEN}', 'name': 'kept'}}",
    f"{{'password': 'it\\'s {HIDDEN}', 'name': 'kept'}}",
    f"{{'passwords': ['x', ['{HIDDEN}']], 'name': 'kept'}}",
    f"Login(name='kept', password='{HIDDEN}')",
    f"Login(name='kept', password=Secret('{HIDDEN}'))",
    f"<a><name>kept</name><password>{HIDDEN}</password></a>",
    f"WIFI:S:kept;T:WPA;P:{HIDDEN};;",
    f"kept WIFI:T:WPA;S:a\\;P:b;P:\\;{HIDDEN};H:true;;",
    f"kept, access code: {HIDDEN}",
    f"kept entered code={HIDDEN}",
    f"kept password => {HIDDEN}",
    f'"password": "{HIDDEN}", "name": "kept"',
    f'kept \\"token\\":\\"{HIDDEN}\\"',
    f"kept --password {HIDDEN}",
    f"--api-key '{HIDDEN} x' kept",
    f'kept -pw "{HIDDEN}',
    f"kept --note 'a --password {HIDDEN}' --name x",
    f'kept "--password {HIDDEN}"',
    f"kept --password --token {HIDDEN}",
    f"kept --user-token\t{HIDDEN} x",
    f"kept eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{HIDDEN}-x",
    f"kept -----BEGIN RSA PRIVATE KEY-----\n{HIDDEN}\n-----END RSA PRIVATE KEY-----",
    f"kept -----BEGIN PRIVATE KEY-----\n{HIDDEN}",
    f"kept, Mot de passe : {HIDDEN}",
    f"kept, code d'accès: {HIDDEN}",
    f"kept, clé de sécurité={HIDDEN}",
    f"kept, código de acceso: {HIDDEN}",
    f"kept 密码\uff1a{HIDDEN}",
    f"kept \uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1a{HIDDEN}",
    f"kept password -> {HIDDEN}",
    f"kept password->{HIDDEN}",
    f"kept, ('token', '{HIDDEN}')",
    f'kept "token", "{HIDDEN}"',
    f"kept['password'] = '{HIDDEN}'",
    f"kept[password]={HIDDEN}",
    f"kept password[0]={HIDDEN}",
    f"[('name', 'kept'), ('token', '{HIDDEN}')]",
    f"curl -u admin:{HIDDEN} http://kept.local/",
    f"https://kept.local/x?data=%7B%22token%22%3A%20%22{HIDDEN}%22%7D&b=1",
    f"kept, **password**: {HIDDEN}",
    f"kept, `password`: `{HIDDEN}`",
    f"<map><entry key='name'>kept</entry><entry key='password'>{HIDDEN}</entry></map>",
    f"curl --user 'admin:{HIDDEN}' http://kept.local/",
    f"[{{'name': 'kept', 'value': 1}}, {{'name': 'password', 'value': '{HIDDEN}'}}]",
    f"Parameter(name='password', kind='kept', value='{HIDDEN}')",
    f"OrderedDict([('name', 'password'), ('kept', 1), ('value', '{HIDDEN}')])",
    f"- name: kept\n  value: 1\n- name: wifi password\n  value: {HIDDEN} x",
    f"kept, key: password, value: {HIDDEN}",
    f"<entry key='kept'/><entry key='password' value='{HIDDEN}'/>",
    f"<name>kept</name><password><![CDATA[a<b>{HIDDEN}]]></password>",
    f"kept, password (new): {HIDDEN}",
    f"kept, password [new]: {HIDDEN}",
    f"kept, Passwort f\u00fcr das WLAN: {HIDDEN}",
    f"kept, password for the guest wifi = {HIDDEN}",
    f"kept password == {HIDDEN}",
    f"kept password \u2192 {HIDDEN}",
    f"kept password=\u201cx {HIDDEN}\u201d",
    f'kept Token token="{HIDDEN}"',
    f"wifi:S:kept;T:WPA;P:{HIDDEN};;",
    f"kept\ntoken: |\n  a\n  {HIDDEN}\nb: kept",
    f"kept\npasswords:\n- a\n- {HIDDEN}\nb: kept",
    f"a:\n  tokens:\n    - b\n    - {HIDDEN}\n  c: kept",
    f"kept&token%3A%20{HIDDEN}",
    f"kept %22token%22%3A%22{HIDDEN}%22",
    f"kept &quot;token&quot;: &quot;{HIDDEN}&quot;",
    f"The kept password is {HIDDEN}",
    f"kept: das Passwort f\u00fcr das WLAN lautet {HIDDEN}!",
    f"kept, your PIN is '{HIDDEN}'",
    f"kept, le mot de passe est \u00ab{HIDDEN}\u00bb",
    f"kept ghp_{HIDDEN}0123456789abcdefghijkl",
    f"kept sk-proj-{HIDDEN}0123456789abcdef",
)
# What is a secret by its form alone.
KNOWN = (
    *(
        "MT:Y.K9042C00KA0648G00",
        "xoxb-17653672481-19874698323-pdFZKVeTuE8s",
        "AIzaSyD-9tSrke72PouQM",
    ),
    *("Your code is 482913.", "the PIN is 4711", "verification code is now 4711, keep it"),
)
INNER = json.dumps({"name": "kept", "password": HIDDEN})
DOCUMENTS = (
    f" {INNER}",
    f"\n{INNER}",
    f"\ufeff{INNER}",
    f"{INNER} ok",
    f"{INNER}\n{INNER}",
    f'{{"a":1}}\n{INNER}',
    f"[1] {INNER}",
    f"kept: {INNER}",
    f"kept {INNER[:-1]}",
    json.dumps(INNER),
    json.dumps([json.dumps(INNER)]),
    json.dumps({"a": f"kept http://u:{HIDDEN}@h/"}),
    json.dumps({"name": "kept", "pad": "x" * 70_000, "password": HIDDEN}),
)


@attr.s(auto_attribs=True)
class Written:
    name: str
    password: str


class Named(namedtuple("Named", "name password")):  # noqa: PYI024  foreign objects are like this
    __slots__ = ()


class Chosen(Enum):
    ONE = f"kept://a:{HIDDEN}@b"


class Shown:
    def __repr__(self) -> str:
        return f"Shown(name='kept', password='{HIDDEN}')"


OBJECTS = (
    INNER.encode(),
    bytearray(INNER.encode()),
    Written("kept", HIDDEN),
    Named("kept", HIDDEN),
    Shown(),
    {"a": [Shown()]},
    Chosen.ONE,
)


@both
@pytest.mark.parametrize("value", [*ADDRESSES, *WORDS, *DOCUMENTS, *OBJECTS])
def test_a_secret_in_a_text_is_left_out_and_the_rest_stays(
    profile: type[HomeIQ | Tidy], value: object
) -> None:
    for shape in (Shape.JSON, Shape.FLAT):
        for make in (state, event):
            found = str(fields(profile, make({"value_of": value}), shape=shape))
            assert HIDDEN not in found
    assert "kept" in str(without_secrets({"value_of": value}))


@pytest.mark.parametrize("text", KNOWN)
def test_a_secret_that_has_no_name_is_known_by_its_form(text: str) -> None:
    (found,) = without_secrets({"value_of": text}).values()
    assert "..." in found
    assert not any(sign.isdigit() for sign in found)


def test_a_name_without_a_value_hides_nothing_of_the_next_line() -> None:
    text = "password:\nname: kept\nroom: kitchen"
    assert without_secrets({"text": text}) == {"text": text}


@both
@pytest.mark.parametrize(
    ("event_type", "name"),
    [
        ("logbook_entry", "message"),
        ("logbook_entry", "name"),
        ("automation_triggered", "source"),
        ("script_started", "name"),
        ("call_service", "service"),
        ("custom", "domain"),
    ],
)
@pytest.mark.parametrize("text", [ADDRESSES[0], WORDS[0], DOCUMENTS[0], {"password": HIDDEN}])
def test_no_field_or_tag_of_an_event_holds_a_secret(
    profile: type[HomeIQ | Tidy], event_type: str, name: str, text: Any
) -> None:
    made = profile(dumps=json_dumps, attributes=AttributesPolicy())
    (line,) = Encoder(profile=made).encode([event({name: text}, event_type)]).lines
    assert HIDDEN not in line


PLACES = (
    f"https://maps.google.com/?q=52.37{HIDDEN},4.8",
    f"https://www.google.com/maps/@52.37{HIDDEN},4.8,15z",
    f"https://www.google.com/maps/place/{HIDDEN}+12/data=!3d52.37!4d4.8",
    f"https://maps.google.com/?q={HIDDEN}+Street+12",
    f"https://maps.apple.com/?ll=52.37{HIDDEN},4.8",
    f"https://www.openstreetmap.org/#map=15/52.37{HIDDEN}/4.8",
    f"https://www.openstreetmap.org/?mlat=52.37{HIDDEN}&mlon=4.8",
    f"https://waze.com/ul?ll=52.37{HIDDEN}%2C4.8",
    f"https://maps.app.goo.gl/{HIDDEN}",
    f"https://what3words.com/{HIDDEN}.b.c",
    f"geo:52.37{HIDDEN},4.8",
    f"seen at geo:52.37{HIDDEN},4.8;u=35 today",
    f"https://a.b/x?at=52.37{HIDDEN},4.8",
    f"Location: 12 {HIDDEN} Street",
    f"{{'latitude': 52.37{HIDDEN}}}",
    f"lat={HIDDEN}&x=1",
)


@both
@pytest.mark.parametrize("text", PLACES)
def test_a_place_in_a_text_is_left_out_where_the_user_wants_none(
    profile: type[HomeIQ | Tidy], text: str
) -> None:
    for make in (state, event):
        told = fields(profile, make({"value_of": text}), shape=Shape.JSON)
        kept = fields(profile, make({"value_of": text}), shape=Shape.JSON, coordinates=False)
        assert HIDDEN in str(told)
        assert HIDDEN not in str(kept)


def test_a_secret_in_a_key_is_left_out_and_each_member_stays() -> None:
    streams = {
        f"rtsp://admin:{HIDDEN}@kept.local/1": 1,
        f"rtsp://guest:{HIDDEN}@kept.local/1": 2,
        "aa:bb:cc:dd:ee:ff": 3,
    }
    assert without_secrets({"streams": streams}) == {
        "streams": {
            "rtsp://...@kept.local/1": 1,
            "rtsp://...@kept.local/1_": 2,
            "aa:bb:cc:dd:ee:ff": 3,
        }
    }
    seen = {"at": {"52.370216, 4.895168": 1}}
    assert without_secrets(seen, coordinates=False) == {"at": {"...": 1}}


def test_a_pair_of_exact_numbers_in_a_text_is_taken_for_coordinates() -> None:
    text = {"text": "seen at 52.370216, 4.895168 today"}
    assert without_secrets(text) == text
    assert without_secrets(text, coordinates=False) == {"text": "seen at ... today"}
    assert without_secrets({"a": "52.370216,4.895168"}, coordinates=False) == {"a": "..."}


ORDINARY = (
    *("ls --all x", "-5 dBm", "a - password reset", "--token-count 3", "eyJ is short", "x -- y"),
    *("--password", "--password --token", "-40 token", "BEGIN PRIVATE KEY"),
    *(
        "Living room",
        "12:30:05",
        "2026-11-25T21:00:00+00:00",
        "aa:bb:cc:dd:ee:ff",
        "spotify:track:1",
    ),
    *("Error code: 12", "HTTP status code: 404", "https://a.b:8123/x?width=3&y=4#top", "a=1, b=2"),
    *(
        '{"a" :  1}',
        "[1, 2]\n[3]",
        "[not json",
        "{",
        "why?",
        "a: b",
        "x/y",
        "1.5, 2.5",
        '"quoted": 1',
    ),
    *(
        "me@a.b",
        "https://medium.com/@me/page",
        "GPIO pin: 5",
        "token_count: 3",
        "52 %",
        "Basic Lighting",
    ),
    *("https://a.b/x?data=%7B%22a%22%3A1%7D", "<a b='c'>x</a>", "**bold**: x", "`a`: `b`"),
    *("Mode de passage: auto", "clef d'or: 3", "// to do: a @ b", "room -> kitchen", "密度\uff1a5"),
    *("curl -u admin http://a.b", "('name', 'kept')", "rooms[0]=a", "hub -> key fob"),
    *(
        "<b>bold: yes</b>",
        "C:\\Users\\me",
        "Wi-Fi: ok",
        "media-source://a/b?x=1",
        "at 21.5 °C, 40.5 %",
    ),
    *("http://kept.local:8123/local/icon@2x.png", "https://a.b:443/@user/video", "R&B music: on"),
    *("https://cdn.a.b:443/npm/lit@3/index.js", "localhost:80/a@b", "http://127.0.0.1:81/a@b"),
    *("Next pass: 12:30", "ISS pass: in 3 min", "Boarding pass: gate B2", "Bowling pins: 3"),
    *("the token is valid", "The password is required", "password is 8 characters long"),
    *("Passwort ist abgelaufen", "the error code is 10013", "the pin is GPIO12", "code is 404"),
    *(
        "the token is 3600 s old",
        "the key is 2048 bits",
        "temperature is 21.5",
        "my name is b4kery",
    ),
    *(
        "[{'name': 'room', 'value': 3}]",
        "name: token_count, value: 3",
        "50 %3 of 5",
        "a &quot;b&quot;",
    ),
    *(
        "key for the door: on top",
        "time of day: night",
        "monkey (new): 3",
        "risk-free-trial-1234567890",
    ),
    *("list of songs: 1, 2", "Token Ring 16Mbit", "author: Jane", "Type: session, data: 3"),
)


@pytest.mark.parametrize("text", ORDINARY)
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    wanted = {"text": text, "list": [text]}
    assert without_secrets(wanted) == wanted
    assert without_secrets(wanted, coordinates=False) == wanted
