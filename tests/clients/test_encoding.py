"""JSON as it is sent and read, whichever encoder does it."""

import json
from typing import Any

import orjson
import pytest

from custom_components.ha_ingestor.clients.encoding import decode, decode_object, encode


@pytest.mark.parametrize(
    "content",
    [
        {"b": 1, "a": [1.5, True, None, "ü"]},
        {"number": 2**70, "text": "\N{SNOWMAN}"},
        {"half": "\ud83d"},
        {1: "a key that is no text"},
    ],
)
def test_what_is_encoded_reads_the_same_whoever_encodes_it(content: Any) -> None:
    wanted = {str(key): value for key, value in content.items()}
    assert json.loads(encode(content)) == wanted
    assert json.loads(encode(content, option=orjson.OPT_SORT_KEYS)) == wanted


@pytest.mark.parametrize("extra", [1, 2**70])
def test_with_sorted_keys_the_order_makes_no_difference(extra: int) -> None:
    one, other = {"a": 1, "b": extra}, {"b": extra, "a": 1}
    option = orjson.OPT_SORT_KEYS
    assert encode(one, option=option) == encode(other, option=option)


@pytest.mark.parametrize("text", ["", "<html>", "{", "[" * 100_000, "NaN"])
def test_a_text_that_is_no_json_decodes_to_none(text: str) -> None:
    assert decode(text) is None
    assert decode_object(text) == {}


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null"])
def test_json_that_is_no_object_decodes_to_an_empty_one(text: str) -> None:
    assert decode_object(text) == {}


def test_an_object_is_read() -> None:
    assert decode_object('{"a": [1]}') == {"a": [1]}
