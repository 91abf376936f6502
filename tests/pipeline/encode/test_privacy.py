"""What is nobody's history is left out: by its kind, at any depth, of attributes and of events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    AttributesPolicy,
    Shape,
    without_secrets,
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import OtherEvent, StateEvent
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

HIDDEN = "hunter2"
PROFILES: list[type[HomeIQ | Tidy]] = [HomeIQ, Tidy]
both = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.__name__)

SECRETS = (
    *("token", "access_token", "accessToken", "Access Token", "ACCESS-TOKEN", "refreshtoken"),
    *("tokens", "token2", "api_key", "apiKey", "APIKey", "apikeys", "secret_key", "client_secret"),
    *("clientSecretKey", "Password", "wifi_password_2", "password_hash", "passwd", "passphrase"),
    *(
        "private_key",
        "network_key",
        "local_key",
        "localKey",
        "encryption_key",
        "psk",
        "credentials",
    ),
    *(
        "entity_picture",
        "entityPicture",
        "Entity Picture Local",
        "user_code",
        "UserCode",
        "pin_code",
    ),
    *("action_code", "pairing_code", "setupCode", "manual_pairing_code", "auth_code", "qrCode"),
    *(
        "activation_code",
        "backup_codes",
        "recovery_codes",
        "two_factor_code",
        "mfa_code",
        "qr_code",
    ),
    *("user_pin", "userPin", "alarm_pin", "door_pin", "slot_1_pin", "slot_1_code", "code_slot_1"),
    *("CodeSlot12", "smtp_pass", "mqttPass", "userpass", "basic_auth", "HTTPAuth", "x_auth"),
    *("auth_header", "X-Auth-Token", "token_value", "tokenValue", "token_v2", "access_token_hash"),
    *("api_key_value", "apiKeyV2", "new_api_key", "signature", "X-Amz-Signature", "sig", "dsk"),
    *("csrf", "qr_code_string", "wifi_pw", "pw", "passwort", "Kennwort", "pswd", "mot_de_passe"),
    *(
        "Contraseña",
        "Clave del wifi",
        "hasło",
        "Lösenord",
        "şifre",
        "Mot de passe",
        "Jeton d'accès",
    ),
    *(
        "Clé API",
        "clé_d_accès",
        "Código de acceso",
        "Zugangscode",
        "API-Schlüssel",
        "wlan_schluessel",
    ),
    *(
        "Zugangsdaten",
        "Toegangscode",
        "api_sleutel",
        "Inloggegevens",
        "Пароль",
        "wifi密码",
        "".join(chr(ord(letter) + 0xFEE0) for letter in "password"),
    ),
    *(
        "パスワード",
        "비밀번호",
        "API ключ",
        "token_de_acceso",
        "Κωδικός",
        "PÄSSWORD",
        "Mòt dé passé",
    ),
    *("wpa_key", "psk_hex", "private_pem", "oauth2", "rolling_code", "fob_code", "mesh_key"),
    *(
        "install_code",
        "usercode",
        "webhook_id",
        "Authorization",
        "authSig",
        "session_id",
        "bindkey",
    ),
    *("wlan_key", "wpa2_key", "wlanSchlüssel", "clef_api", "cle_wifi", "code_alarme", "codeSecret"),
    *("Mot de passe wifi", "mdp", "code d'accès", "código_de_seguridad", "codigoDeAcceso"),
    *("codice_di_accesso", "codice sblocco", "chiave_segreta", "chiaveAPI", "chave_de_acesso"),
    *("Passwörter", "kennwoerter", "wachtwoorden", "contraseñas", "claves", "senhas", "heslá"),
    *("Sicherheitscode", "Türcode", "pinkod", "lösenkod", "Geheim", "application_key", "encKey"),
    *("privKey", "ssl_cert_key", "netkey", "beaconkey", "vpnKey", "wireguard_key", "licence_key"),
    *("activationKey", "push_key", "guest_key", "shareKey", "setup_payload", "qrPayload"),
    *("setup_uri", "signed_url", "presignedUrl", "share_link", "cloudhook", "invitecode"),
    *("onetimecode", "verify_code", "seed_phrase", "recoveryPhrase", "mnemonic", "creds"),
    *("user_creds", "authData", "snmp_community", "oauth_verifier", "S2AccessControl", "cvv"),
    *(
        "default_code",
        "overrideCode",
        "psw",
        "passw",
        "accountKey",
        "subscription_key",
        "serial_key",
    ),
    *("card_number", "creditCardNumber", "security_answer", "pskc", "active_dataset"),
    *("dataset_tlv", "activeDatasetTlvs", "pending_dataset_tlvs"),
)
KEPT = (
    *("token_count", "error_code", "code_format", "keypad", "translation_key", "monkey", "key"),
    *("postal_code", "tokenizer", "pinned", "spinning", "pressure", "locked", "volume_level"),
    *("current_position", "ip_address", "mac_address", "status_code", "weather_code", "gpio_pin"),
    *("led_pins", "requires_auth", "auth_mode", "token_expires", "low_pass", "bypass", "compass"),
    *("signature_status", "power_kw", "country_code", "key_code", "monkeys", "opinion", "value"),
    *(
        "Größe",
        "Schlüsselwort",
        "cléopatra",
        "Température",
        "Выключатель",
        "включено",
        "温度",
        "clef",
        "enclave",
    ),
    *("code_slot", "barcode", "alarm_error_code", "variable_key", "text", "raw_value", "hashtag"),
    *("link", "link_quality", "reset_count", "share", "net_energy", "dev_mode", "cert_expiry"),
    *("activation_count", "response_time", "payload", "uri", "image_url", "community", "seed"),
    *("code_red", "code_version", "vpn_status", "push_enabled", "topic", "phrase", "wlan"),
    *("total_tokens", "prompt_tokens", "completionTokens", "max_tokens", "password_strength"),
    *("password_expires", "days_until_password_expires", "last_password_change", "cookie_count"),
    *("credential_count", "secrets_count", "passwordAge", "dataset", "account", "serial", "answer"),
    *("author", "key_lock", "token_ring", "pin_4_gpio", "pass_count", "session_temperature"),
)
WHEREABOUTS = (
    *("latitude", "Latitude", "lat", "lon", "Lng", "current_latitude", "homeLongitude", "Location"),
    *("gps_accuracy", "GPSAccuracy", "vertical_accuracy", "altitude", "map_link", "mapUrl", "gps"),
    *("coordinates", "Postal Code", "Sub Locality", "Thoroughfare", "formatted_address", "geohash"),
    *("Areas Of Interest", "Administrative Area", "Sub Administrative Area", "city", "cityName"),
    *("town", "village", "suburb", "county", "zip", "house_number", "road", "display_name"),
    *("geojson", "geo_json", "city_district", "neighbourhood", "home_city", "place_name", "w3w"),
    *("google_maps_url", "last_known_location", "lat_lng", "street"),
    *("Breitengrad", "Längengrad", "Adresse", "Straße", "Hausnummer", "PLZ", "Ort", "Standort"),
    *("latitud", "ubicación", "código_postal", "coordonnées", "code_postal", "ville", "adres"),
    *("breedtegraad", "woonplaats", "indirizzo", "longitudine", "geofence", "waypoints", "bbox"),
)
# What is only called after a place is kept without the coordinates, too.
ELSEWHERE = (
    *(
        "ieee_address",
        "nwkAddress",
        "modbus_address",
        "Modbus-Adresse",
        "i2c_address",
        "ipv6_address",
    ),
    *("device_address", "wallet_address", "location_enabled", "location_permission", "gps_fix"),
    *(
        "gps_satellites",
        "street_light",
        "street_lamp_power",
        "color_coordinates",
        "lat_ms",
        "latency",
    ),
    *("elevation", "capacity", "coordinator", "fireplace", "road_temperature", "longest"),
)
PLAYED = (
    *("media_title", "mediaTitle", "Media Artist", "app_id", "appName", "app", "current_app"),
    *("artist", "album_name", "media_content_id", "series_title", "track_name", "playlist"),
    *("genre", "composer", "movie", "tv_show", "currentRadioStation", "channel_name", "tracks"),
    *("Titel", "Künstler", "Interpret", "titre", "artiste", "canción", "titolo"),
)


def fields(
    profile: type[HomeIQ | Tidy], item: StateEvent | OtherEvent, **policy: Any
) -> dict[str, Any]:
    made = profile(dumps=json_dumps, attributes=AttributesPolicy(**policy))
    (line,) = Encoder(profile=made).encode([item]).lines
    found: dict[str, Any] = parse_line(line)["fields"]
    return found


def state(attributes: Mapping[str, Any]) -> StateEvent:
    return change(FakeState(state="1", attributes=attributes))


def event(data: Mapping[str, Any], event_type: str = "custom") -> OtherEvent:
    return OtherEvent(event_type, data, NOON, FakeContext())


def service_call(data: Mapping[str, Any]) -> OtherEvent:
    return event({"service_data": data}, "call_service")


def nested(content: Any, depth: int) -> Any:
    for level in range(depth):
        content = {"inner": content} if level % 2 else [content]
    return {"outer": content}


@both
@pytest.mark.parametrize("shape", [Shape.FLAT, Shape.JSON])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_one_however_it_is_spelled_and_wherever_it_lies(
    profile: type[HomeIQ | Tidy], shape: Shape, name: str
) -> None:
    secret = {name: HIDDEN, "level": 3}
    for depth in (0, 1, 9, 20, 60):
        data = nested(secret, depth)
        for item in (state(data), event(data), service_call(data)):
            assert HIDDEN not in str(fields(profile, item, shape=shape)), (depth, item)
    found = str(fields(profile, state(secret), shape=shape))
    assert "level" in found
    assert HIDDEN not in found


@pytest.mark.parametrize("name", KEPT)
def test_what_only_looks_like_a_secret_is_kept(name: str) -> None:
    policy = {"coordinates": "postal" in name, "media": False}
    assert "kept" in str(fields(HomeIQ, state({name: "kept"}), **policy))
    assert "kept" in str(fields(HomeIQ, event({name: "kept"}), **policy))


@both
def test_whether_there_is_a_secret_is_kept(profile: type[HomeIQ | Tidy]) -> None:
    of = entity("sensor.hub")
    made = profile(dumps=json_dumps, attributes=AttributesPolicy(shape=Shape.JSON))
    told: list[dict[str, Any]] = [
        {"password_set": True, "inner": {"has_password": False}},
        {"password_set": HIDDEN, "inner": {"has_password": HIDDEN}},
        {"password_set": None, "inner": {"has_password": 4711}},
    ]
    first, second, third = (
        Encoder(profile=made)
        .encode([change(FakeState(state="on", attributes=each), of=of) for each in told])
        .lines
    )
    assert json.loads(parse_line(first)["fields"]["attributes"]) == told[0]
    for line in (second, third):
        assert json.loads(parse_line(line)["fields"]["attributes"]) == {"inner": {}}
    assert "true" in fields(profile, event(told[0]))["event_data"]
    # A code is typed in, and never whether there is one.
    assert "true" not in fields(profile, event({"code": True, "a": 1}))["event_data"]


@both
@pytest.mark.parametrize("depth", [0, 1, 8, 9, 15, 40])
@pytest.mark.parametrize("name", ["code", "Code", "PIN", "user_code", "userCode"])
def test_what_is_typed_into_a_lock_is_left_out_at_any_depth(
    profile: type[HomeIQ | Tidy], depth: int, name: str
) -> None:
    data = nested({name: HIDDEN}, depth)
    assert HIDDEN not in str(fields(profile, event(data)))
    assert HIDDEN not in str(fields(profile, service_call(data)))
    if depth:
        assert HIDDEN not in str(fields(profile, state(data), shape=Shape.JSON))


@both
@pytest.mark.parametrize(
    ("names", "policy"), [(WHEREABOUTS, {"coordinates": False}), (PLAYED, {"media": False})]
)
def test_what_the_user_does_not_want_is_left_out_by_its_kind(
    profile: type[HomeIQ | Tidy], names: tuple[str, ...], policy: dict[str, bool]
) -> None:
    for name in names:
        for depth in (0, 1, 9):
            data = nested({name: HIDDEN}, depth) if depth else {name: HIDDEN}
            for make in (state, event, service_call):
                assert HIDDEN in str(fields(profile, make(data), shape=Shape.JSON)), name
                kept = fields(profile, make(data), shape=Shape.JSON, **policy)
                assert HIDDEN not in str(kept), (name, make)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_only_called_after_a_place_is_kept(name: str) -> None:
    for make in (state, event):
        kept = fields(HomeIQ, make({name: "kept"}), shape=Shape.JSON, coordinates=False)
        assert "kept" in str(kept)


@dataclass
class Account:
    name: str
    password: str


class WithText:
    def as_dict(self) -> dict[str, str]:
        return {"name": "kept", "token": HIDDEN}


class Raising(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError


@both
@pytest.mark.parametrize(
    "value",
    [
        Account("kept", HIDDEN),
        WithText(),
        [Account("kept", HIDDEN)],
        {"a": ("kept", {"token": HIDDEN})},
        json.dumps({"name": "kept", "code": HIDDEN}),
        json.dumps([{"name": "kept", "deep": {"password": HIDDEN}}]),
        f"https://kept.local/stream?width=3&token={HIDDEN}",
        f"/api/camera_proxy/camera.kept?access_token={HIDDEN}&x=1",
        f"rtsp://admin:{HIDDEN}@kept.local/stream",
    ],
)
def test_a_secret_in_an_object_or_in_a_text_is_left_out(
    profile: type[HomeIQ | Tidy], value: object
) -> None:
    for item in (state({"value_of": value}), event({"value_of": value})):
        found = str(fields(profile, item, shape=Shape.JSON))
        assert "kept" in found
        assert HIDDEN not in found


def test_a_text_without_a_secret_is_stored_as_it_is() -> None:
    texts = ['{"a" :  1}', "https://a.b/c?x=1&y=2", "[not json", "{", "why?"]
    for text in texts:
        assert without_secrets({"text": text}) == {"text": text}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:20Z password=hunter2",
        "12:00 password: hunter2",
        "07:30 https://me:hunter2@host/",
    ],
)
def test_a_secret_behind_a_time_is_left_out(text: str) -> None:
    data = {"note": text, "notes": ["12:00", text]}

    assert HIDDEN not in str(without_secrets(data))
    assert without_secrets({"times": ["12:00", "2026-11-21T12:00:20.000Z"]}) == {
        "times": ["12:00", "2026-11-21T12:00:20.000Z"]
    }


def test_data_that_branches_without_end_is_cut_in_time() -> None:
    branching: list[Any] = ["x"]
    for _ in range(60):
        branching = [branching, branching]
    assert len(str(without_secrets({"data": branching}))) < 1_000_000


def test_a_container_that_raises_is_the_name_of_its_type() -> None:
    assert without_secrets({"odd": Raising(a=1), "b": 2}) == {"odd": "Raising", "b": 2}


@pytest.mark.parametrize("profile", [*PROFILES, Core])
@pytest.mark.parametrize("entity_id", ["text.slot_1", "input_text.wifi"])
def test_what_is_typed_as_a_password_gives_no_point(profile: Any, entity_id: str) -> None:
    made = Core() if profile is Core else profile(dumps=json_dumps)
    of = entity(entity_id)
    secret = FakeState(state=HIDDEN, attributes={"mode": "password"})
    plain = FakeState(state="12", attributes={"mode": "text"})
    found = Encoder(profile=made).encode(
        [
            change(secret, of=of),
            change(secret, plain, of=of),
            change(None, secret, of=of),
            change(plain, secret, of=of),
            change(secret, of=entity("sensor.not_typed")),
        ]
    )

    assert found.filtered == {"secret": 3}
    kept, of_another_kind = found.lines
    assert HIDDEN not in kept
    assert HIDDEN in of_another_kind


@both
@pytest.mark.parametrize("domain", ["text", "input_text", "Text"])
def test_what_a_service_writes_into_a_text_is_left_out(
    profile: type[HomeIQ | Tidy], domain: str
) -> None:
    data = {"value": HIDDEN, "entity_id": f"{domain}.kept"}
    call = {"domain": domain, "service": "set_value", "service_data": data}
    stored = str(fields(profile, event(call, "call_service")))
    assert HIDDEN not in stored
    assert "kept" in stored
    call = {"domain": "number", "service": "set_value", "service_data": data}
    assert HIDDEN in str(fields(profile, event(call, "call_service")))


@both
@pytest.mark.parametrize("state_of", [HIDDEN, {"state": HIDDEN, "mode": "password"}])
def test_what_a_scene_writes_into_a_text_is_left_out(
    profile: type[HomeIQ | Tidy], state_of: object
) -> None:
    entities = {"input_text.slot_1": state_of, "text.slot_2": state_of, "light.kept": "on"}
    call = {"domain": "scene", "service": "apply", "service_data": {"entities": entities}}
    stored = str(fields(profile, event(call, "call_service")))
    assert HIDDEN not in stored
    assert "light.kept" in stored


@both
@pytest.mark.parametrize(
    "topic", ["home/door/pin", "zigbee2mqtt/lock/set/pin_code", "home/mqtt_password/set", "a/code/"]
)
def test_what_is_published_under_the_name_of_a_secret_is_left_out_of_events(
    profile: type[HomeIQ | Tidy], topic: str
) -> None:
    message = {"topic": topic, "payload": HIDDEN, "qos": 1}
    call = {"domain": "mqtt", "service": "publish", "service_data": message}
    for item in (event(call, "call_service"), event(message), state({"last": message})):
        stored = str(fields(profile, item, shape=Shape.JSON))
        assert HIDDEN not in stored
        assert "qos" in stored
    kept = {"topic": "home/lamp/set", "payload": HIDDEN}
    assert HIDDEN in str(fields(profile, event(kept), shape=Shape.JSON))


KEYPADS = ("lock.front", "alarm_control_panel.home", "sensor.keypad_last", "event.door_opened")


@both
@pytest.mark.parametrize("shape", [Shape.FLAT, Shape.JSON, Shape.NUMERIC])
@pytest.mark.parametrize("name", ["code", "Code", "pin", "PIN", "codes", "pins", "pin_number"])
def test_an_attribute_that_is_typed_in_is_left_out_unless_it_can_only_be_something_else(
    profile: type[HomeIQ | Tidy], shape: Shape, name: str
) -> None:
    def stored(entity_id: str, value: Any) -> bool:
        state_event = change(FakeState(state="x", attributes={name: value}), of=entity(entity_id))
        return "801" in str(fields(profile, state_event, shape=shape))

    assert stored("sensor.outside", 801)
    assert stored("weather.home", 1801)
    assert not stored("sensor.outside", 1801)
    for value in ("801", {"1": "801"}, [801], {"1": 801}):
        assert not stored("sensor.outside", value)
        assert not stored("weather.home", value)
    for entity_id in KEYPADS:
        assert not stored(entity_id, 801)


def test_a_code_that_becomes_a_secret_is_left_out_from_then_on() -> None:
    of = entity("sensor.outside")
    made = HomeIQ(dumps=json_dumps)
    state_events = [
        change(FakeState(state="x", attributes={"code": code}), of=of) for code in (801, "1234")
    ]
    first, second = Encoder(profile=made).encode(state_events).lines
    assert "801" in first
    assert "1234" not in second


@both
@pytest.mark.parametrize(
    "value",
    [
        [{"name": "password", "value": HIDDEN}],
        {"key": "WiFi Password", "Value": HIDDEN},
        {"header": "Authorization", "content": {"kept": HIDDEN}},
        {"parameter": "pin", "values": [HIDDEN]},
        {"property_name": "userCode", "value": HIDDEN, "prev_value": HIDDEN},
        {"command_class_name": "User Code", "value_raw": HIDDEN},
        [["Authorization", HIDDEN]],
        (("Cookie", HIDDEN), ("Accept", "kept")),
        [["Accept", "kept"], ["X-Api-Key", [HIDDEN]]],
        [[["code", HIDDEN]]],
        [("Authorization", HIDDEN, True)],
        [["Cookie", "a", HIDDEN]],
        {"id": "access_token", "value": HIDDEN},
        {"type": "password", "text": HIDDEN},
        {"title": "Contraseña", "content": HIDDEN},
        {"name": "password", "state": HIDDEN, "default": HIDDEN},
        [{"k": "token", "v": HIDDEN}, {"n": "pin", "v": HIDDEN}],
        ["curl", "--token", HIDDEN, "http://kept.local"],
        ("curl", "-u", f"admin:{HIDDEN}"),
        {"password": HIDDEN}.items(),
        {"kept": {"password": HIDDEN}}.values(),
    ],
)
def test_a_value_beside_the_name_of_a_secret_is_left_out(
    profile: type[HomeIQ | Tidy], value: object
) -> None:
    data = {"level": 3, "value_of": value}
    for item in (state(data), event(data), service_call(data)):
        found = str(fields(profile, item, shape=Shape.JSON))
        assert "level" in found
        assert HIDDEN not in found


@pytest.mark.parametrize(
    "value",
    [
        [{"name": "Kitchen", "value": "kept"}],
        {"name": "token_count", "value": "kept"},
        [["Accept", "kept"]],
        [["Accept", "json", "kept"]],
        {"type": "sensor", "value": "kept"},
        ["token", "kept"],
        ["--name", "kept"],
        ["--token", "--kept"],
        ["-u", "kept"],
        {"name": "Kitchen", "state": "kept", "v": 1},
        {"options": ["password", "kept"]},
    ],
)
def test_a_value_beside_a_harmless_name_is_kept(value: object) -> None:
    assert "kept" in str(fields(HomeIQ, state({"value_of": value}), shape=Shape.JSON))


@both
@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        (
            "zwave_js_notification",
            {"command_class": 111, "event_type": 3, "event_data": HIDDEN, "x": "kept"},
        ),
        ("zwave_js_notification", {"event_data": [HIDDEN], "x": "kept"}),
        ("zwave_js_notification", {"event_data": {"typed": HIDDEN}, "": "kept"}),
        ("zha_event", {"command": "arm", "args": [3, HIDDEN, 0], "x": "kept"}),
        ("zha_event", {"command": "kept", "args": {"0": HIDDEN}}),
        ("zha_event", {"command": "kept", "params": {"arm_disarm_code": HIDDEN}}),
    ],
)
def test_what_is_typed_into_a_keypad_is_left_out_where_it_has_no_name(
    profile: type[HomeIQ | Tidy], event_type: str, data: dict[str, Any]
) -> None:
    found = str(fields(profile, event(data, event_type)))
    assert HIDDEN not in found
    assert "kept" in found


def test_data_without_a_name_is_kept() -> None:
    assert "kept" in fields(HomeIQ, event({"": "kept"}))["event_data"]


def test_numbers_that_a_remote_control_sends_are_kept() -> None:
    data = {"command": "move", "args": [1, 83]}
    assert "[1,83]" in fields(HomeIQ, event(data, "zha_event"))["event_data"]


@both
@pytest.mark.parametrize("name", ["position", "Position", "last_position", "positions"])
@pytest.mark.parametrize(
    "value",
    ["52.371234,4.812", "52.371234 / 4.8", [52.371234, 4.8], {"0": 52.371234, "1": 4.8}],
)
def test_a_position_on_the_map_is_left_out_with_the_coordinates(
    profile: type[HomeIQ | Tidy], name: str, value: object
) -> None:
    for data in ({name: value}, {"inner": {name: value}}):
        for make in (state, event, service_call):
            assert "52.37" in str(fields(profile, make(data), shape=Shape.JSON))
            kept = fields(profile, make(data), shape=Shape.JSON, coordinates=False)
            assert "52.37" not in str(kept)


@both
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("current_position", 77), ("position", 77), ("media_position", 77.5)],
        *[("position", "kept77"), ("current_tilt_position", 77), ("velocity", 77)],
        *[("capacity", 77), ("positioning", [77, 77]), ("broadband", 77), ("marketplace", 77)],
    ],
)
def test_the_position_of_a_cover_is_kept_without_the_coordinates(
    profile: type[HomeIQ | Tidy], name: str, value: object
) -> None:
    for data in ({name: value}, {"inner": {name: value}}):
        for make in (state, event, service_call):
            assert "77" in str(fields(profile, make(data), shape=Shape.JSON, coordinates=False))


@both
@pytest.mark.parametrize("domain", [{"password": HIDDEN}, [HIDDEN], (HIDDEN,), {HIDDEN}])
def test_a_domain_that_is_no_text_is_no_tag(profile: type[HomeIQ | Tidy], domain: object) -> None:
    data = {"domain": domain, "entity_id": "light.kitchen"}
    (line,) = Encoder(profile=profile(dumps=json_dumps)).encode([event(data)]).lines
    assert parse_line(line)["tags"]["domain"] == "light"
