"""What is sent as JSON is read at one place, and not as deep as somebody likes."""

import orjson
import pytest

from core.nesting import DEEPEST, NotJson, read_json


def nested(levels: int, opening: str, closing: str) -> str:
    return opening * levels + closing * levels


@pytest.mark.parametrize("given", ["[]", '{"a": [1, {"b": "[[[["}]}', '"' + "[" * 5000 + '"', "7", "null"])
def test_what_people_send_is_read_as_it_is(given: str) -> None:
    assert read_json(given) == read_json(given.encode()) == orjson.loads(given)


def test_as_deep_as_is_allowed_is_read_and_one_deeper_is_not() -> None:
    assert read_json(nested(DEEPEST, "[", "]"))
    wide = "[" + ",".join(["[[]]"] * 1000) + "]"
    assert len(read_json(wide)) == 1000, "many are not deep"
    for deep in (
        nested(DEEPEST + 1, "[", "]"),
        nested(900, "[", "]"),
        nested(5000, "[", "]"),
        '{"a":' * 900 + "1" + "}" * 900,
        f'{{"outline": {nested(900, "[", "]")}}}',
        "[" * 5000,
    ):
        for given in (deep, deep.encode()):
            with pytest.raises(NotJson):
                read_json(given)


@pytest.mark.parametrize("given", ["", "{", "NaN", '"\\ud800"', "[1,]", "\x00", b"\xff"])
def test_what_is_no_json_is_not_read(given: bytes | str) -> None:
    with pytest.raises(NotJson):
        read_json(given)
