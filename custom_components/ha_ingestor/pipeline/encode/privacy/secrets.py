"""Which names tell a secret: never kept, whatever a user wants.

A `code` or a `pin` is what somebody types in, and never kept either, but for one exception: an
attribute may be the code of the weather or the pin of a microcontroller. It is kept where its value
is a number below 1000, or any number of a weather entity, and where nothing in the entity's id says
that it is about a lock, an alarm, a door or a keypad.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from .words import listed, plain_letters, spelled, thing_of, words_of

# Anywhere in a name.
_SECRET_WORDS: Final = listed("""
    password passwords passwd pwd passphrase passcode passcodes pword pswd passw psw pswrd
    passwort passworter passwoerter kennwort kennworte kennworter kennwoerter zugangsdaten
    geheim geheimnis geheimnisse wachtwoord wachtwoorden inloggegevens contrasena contrasenas
    clave claves senha senhas haslo hasla heslo hesla losenord passord salasana adgangskode
    adgangskoder kodeord jelszo jelszavak sifre sifreler parola parole parool geslo zaporka lozinka
    slaptazodis jeton jetons mdp identifiants ключ
    secret secrets cred creds credential credentials authorization bearer jwt cookie cookies
    csrf xsrf psk totp otp puk authsig apikey bindkey dsk pem cvv cvc mnemonic pskc
""")

# In other scripts, where words are joined. They are compared without accents.
_OTHER_SCRIPTS: Final = tuple(
    map(
        plain_letters,
        listed("""
            пароль токен секрет κωδικός 密码 密碼 口令 密钥 令牌 パスワード トークン 暗証番号
            비밀번호 암호 토큰 סיסמה كلمة_السر كلمة_المرور
        """),
    )
)

# At the end of a name without its underscores, because `accesstoken` is one too; `token_count` is
# none. What a key, a code and so on is for makes it a secret.
_ENDS_WITH: Final[Mapping[str, frozenset[str]]] = {
    "keys?": listed("""
        api access accesscontrol private secret encryption decryption encrypt network security
        auth authentication authenticated unauthenticated authorization ssh license local
        wep wpa wpa2 wpa3 wifi wlan shared link session master app application client consumer aes
        signing user bind beacon net pairing legacy owner pass device licence activation
        registration wireguard openvpn vpn certificate account subscription serial
    """),
    "codes?": listed("""
        user pin lock alarm door gate access entry unlock disarm arm keypad guest master security
        pass pairing setup auth activation backup recovery verification qr install login
        sicherheits entsperr tuer tur schloss beveiligings invite invitation onetime twofactor
    """),
    "kod": listed("pin losen atkomst larm las"),
    "phrase": listed("seed recovery backup wallet"),
    "pass": listed("user admin login db smtp mqtt ftp imap wifi mail proxy"),
    "pw": listed("user admin root login db smtp mqtt ftp wifi wlan"),
    "pin": listed("user lock alarm door"),
    "id": listed("sess session webhook"),
    "(?:url|uri|link)": listed("""
        webhook cloudhook hook share shared sharing signed presigned sas magic invite reset
    """),
    "(?:payload|uri)": listed("setup pairing onboarding commissioning qr matter homekit"),
    "(?:data|response)": listed("auth login saml"),
    "community": listed("snmp"),
    "answer": listed("security"),
    "number": listed("card creditcard"),
    # What a device needs to join a Thread network.
    "dataset": listed("active operational pending thread"),
    "tlvs?": listed("dataset"),
    "verifier": listed("oauth code"),
}
# What a code or a key is for, in the languages that say so behind the word.
_FOR: Final = (
    "(?:d[eia]?l?a?)?(?:acces|acceso|acesso|accesso|alarm|alarme|alarma|allarme|securite|seguridad"
    "|seguranca|sicurezza|secrete?|secret[oa]|segret[oa]|privee|privad[oa]|privat[oa]|api|pin"
    "|sblocco|desbloqueo|desbloqueio|deverrouillage|porte|porta|puerta|serrure|verrou|cerradura"
    "|serratura|wifi|wlan|reseau|rede|rete|chiffrement|cifrado|cifratura)"
)
_SECRET_ENDS: Final = re.compile(
    ".*(?:tokens?|password|passphrase|passcode|secret|credentials?|authsig|(?:web|cloud)hooks?|"
    + "|".join(f"(?:{'|'.join(sorted(of))}){end}" for end, of in _ENDS_WITH.items())
    # German and Dutch join words, and in French and Spanish the word behind says what it is.
    + "|schl(?:ue|u)ssel|zugangscode|freigabecode|toegangscode|sleutel|palavrapasse"
    + f"|(?:token|code|codigo|codice|clef?|clave|chave|chiave)s?{_FOR}"
    + "|motdepasse.*|s2(?:accesscontrol|(?:un)?authenticated)"
    # These are the whole name. A picture's address carries a token.
    + ")|entitypicture(?:local)?|(?:o|basic|http|x)?auth|pass|irk"
)

# By the last word: what makes it a secret if it is the word before.
_SECRET_AFTER: Final[Mapping[str, frozenset[str]]] = {
    "code": listed("""
        action pair pairing setup up auth authorization oauth link authentication activation
        backup recovery verification mfa 2fa tfa factor qr fob rolling homekit matter manual
        login invite invitation reset sms temporary visitor admin duress panic emergency
        installer install registration confirmation safe private wifi nfc rfid card badge owner
        slot intercom garage parental child sim commissioning provisioning claim enrollment
        sharing bypass house default override verify license licence parking twofactor
    """),
    "key": listed("""
        mesh net beacon ble gateway root server account login verification backup recovery
        crypto cipher hub secure unlock s0 s2 tls ssl hmac host lan identity join install
        rsa ec priv enc cert dev share u2f wallet product activation push guest ntp
    """),
}
# By the last word: what makes it none if it is the word before; it is a secret after any other.
_SECRET_UNLESS_AFTER: Final[Mapping[str, frozenset[str]]] = {
    "pin": listed("""
        gpio led data reset relay input output clock clk trigger echo sda scl tx rx cs dc busy
        switch analog digital adc pwm i2c spi uart io board button power sensor
        available used free enable interrupt int bowling
    """),
    "pass": listed("""
        low high band all by first second next previous over iss satellite ski season boarding
        test under mountain
    """),
    "auth": listed("requires required needs has is no without factor"),
}
# Alone, or as the last of several words.
_SECRET_LAST: Final = listed("pw signature signatures sig ltk csrk oauth")
_OF_A_SLOT: Final = re.compile(r"(?:.*_)?(?:code|pin)_?slot_?[0-9]+")

# What is said about a secret is none.
_SAID_ABOUT: Final = listed("""
    count age strength protected required expires expiry expired expiration changed change enabled
""")
# Tokens that are counted, as those of a language model.
_COUNTED: Final = listed("""
    total prompt completion input output max used remaining cached reasoning thinking
""")

_TYPED_IN: Final = listed("code codes pin pins code_number pin_number")
# Words of the ids of what is typed into.
_TYPED_INTO: Final = listed("""
    lock locks doorlock smartlock alarm alarms door gate garage keypad intercom safe
    code codes pin pins security panel
""")
# No code for people has fewer than four digits.
_CODES_BEGIN: Final = 1000


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether an attribute of this name is never kept, whatever a user wants."""
    thing = thing_of(name)
    if thing[-1] in _SAID_ABOUT or (thing[-1] == "tokens" and not _COUNTED.isdisjoint(thing)):
        return False
    return (
        not _SECRET_WORDS.isdisjoint(words_of(name).split("_"))
        or (not name.isascii() and any(word in spelled(name) for word in _OTHER_SCRIPTS))
        or _SECRET_ENDS.fullmatch("".join(thing)) is not None
        or _is_secret_by_its_end(thing)
        or _OF_A_SLOT.fullmatch(spelled(name)) is not None
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


def tells_nothing(name: str, value: object) -> bool:
    """Whether the value of a secret is none: whether a password is set may be known."""
    return isinstance(value, bool) and is_secret(name)


def is_harmless_behind(name: str, before: str) -> bool:
    """Whether the word in front of a name makes it none of a secret, as in `next pass`."""
    (*_, last) = thing_of(name)
    last = last if last == "pass" else last.removesuffix("s")
    return before.lower() in _SECRET_UNLESS_AFTER.get(last, ())


@lru_cache(maxsize=4096)
def is_keypad_code(name: str) -> bool:
    """Whether it is a code for a lock or an alarm panel; an `error_code` is not."""
    return "_".join(thing_of(name)) in _TYPED_IN


def is_harmless_code(value: Any, entity_id: str) -> bool:
    """Whether an attribute that is called as what is typed in is something else: see above."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if not _TYPED_INTO.isdisjoint(words_of(entity_id).split("_")):
        return False
    return abs(value) < _CODES_BEGIN or entity_id.startswith("weather.")
