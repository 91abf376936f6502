"""What a refusal names is found, whatever the body holds."""

import json

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.refusal import rejected_lines

LINES = [b"good v=1 1", b"bad v= 2", b'odd v="a\nb" 3']


def test_each_line_that_could_not_be_parsed_is_named() -> None:
    error = f"unable to parse '{LINES[1].decode()}': missing\nunable to parse 'odd v=\"a\nb\" 3': x"
    body = json.dumps({"error": error})
    assert rejected_lines(body, Dialect.V1, LINES) == {1, 2}


def test_a_quote_that_is_never_closed_names_nothing_and_ends_the_search() -> None:
    body = "unable to parse 'good v=1 1': bad; " + "unable to parse '" * 3
    assert rejected_lines(body, Dialect.V2, LINES) == {0}
