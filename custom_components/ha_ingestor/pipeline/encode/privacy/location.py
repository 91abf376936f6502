"""Which names and values are locations."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from .words import listed, words_of

# Anywhere in a name.
_WORDS: Final = listed("""
    latitude longitude lat lon lng latlng latlon latlong altitude gps geo geolocation geohash
    geocode geocoded geojson coordinate coordinates coord coords location locations whereabouts
    w3w geofence waypoint waypoints polyline mgrs
    street thoroughfare postcode zipcode locality sublocality neighbourhood neighborhood
    suburb hamlet municipality
    breitengrad langengrad laengengrad koordinate koordinaten standort aufenthaltsort wohnort
    anschrift hausnummer postleitzahl plz strasse
    coordonnee coordonnees localisation emplacement rue
    latitud longitud coordenada coordenadas ubicacion localizacion calle
    breedtegraad lengtegraad coordinaat coordinaten locatie woonplaats huisnummer straat
    latitudine longitudine coordinata coordinate indirizzo
""")
# The whole name.
_FORMS: Final = (
    "long",
    ".*(?:vertical|horizontal)_accuracy",
    ".*maps?_(?:link|url|uri|image)",
    ".*google_maps?",
    ".*(?:post|postal|zip|plus)_code",
    ".*what_?3_?words",
    "(?:.*_)?(?:administrative_area|areas?_of_interest|display_name)",
    "(?:.*_)?house_(?:number|name|no)",
    "(?:.*_)?(?:city|town|village|borough|county|road|zip)(?:_(?:name|district))?",
    "(?:.*_)?(?:code_postal|codigo_postal|codice_postale|ville|ciudad)",
    "(?:formatted_)?place(?:_name)?",
    "bounding_?box|bbox|ort|strassenname|domicilio",
    "(?:.*_)?(?:(?:formatted|street|home|current|full|postal)_)?(?:address(?:_line)?|adress?e?)(?:_postale)?",
)
_NAMES: Final = re.compile("|".join(_FORMS))
# Addresses of another kind, what is said about a location, and what is called after streets.
_NO_NAMES: Final = re.compile(
    r".*(?:ipv?\d*|mac|email|mail|bluetooth|ble|hardware|bd|ieee|nwk|network|node|device|modbus|slave"
    r"|register|memory|i2c|bus|usb|dali|dmx|knx|unicast|multicast|dns|server|host|gateway|peer|url"
    r"|wallet|bitcoin)_\d*_?(?:address|adress?e?)"
    r"|.*_(?:enabled|permission|count|tracking|fix|satellites|signal|ms)"
    r"|(?:.*_)?street_(?:light|lamp)s?(?:_.*)?|(?:.*_)?(?:colou?r|xy)_coordinates?"
)

# Where something is, if more than one number says it: a cover's position is one.
_POSITION: Final = re.compile(r"(?:.*_)?positions?")
_TWO_NUMBERS: Final = re.compile(r"[0-9]\.[0-9]+[^0-9]+[0-9]+\.[0-9]")


@lru_cache(maxsize=4096)
def is_location(name: str) -> bool:
    """Whether it is a location."""
    words = words_of(name)
    return (
        not _WORDS.isdisjoint(words.split("_")) or _NAMES.fullmatch(words) is not None
    ) and _NO_NAMES.fullmatch(words) is None


@lru_cache(maxsize=4096)
def is_position(name: str) -> bool:
    """Whether it may be a location, depending on the value."""
    return _POSITION.fullmatch(words_of(name)) is not None


def is_place(value: Any) -> bool:
    """Whether the value of a position is a place, and not how far open a cover is."""
    if isinstance(value, str):
        return _TWO_NUMBERS.search(value) is not None
    return isinstance(value, (Mapping, list, tuple)) and len(value) > 1
