"""What counts as an occurrence."""

from __future__ import annotations

from typing import Any

import pytest
from chatnation_keywords.matching import find, text_of


@pytest.mark.parametrize(
    ("text", "keywords", "found"),
    [
        ("I forgot my PIN", ("pin",), {"pin"}),
        ("spinning", ("pin",), set()),
        ("pin, Pin and PIN!", ("pin",), {"pin"}),
        ("how do I file a nil  return?", ("nil", "nil return"), {"nil return"}),
        ("STRASSE", ("Straße",), {"strasse"}),
        ("what is c++", ("c++", "a.b"), {"c++"}),
        ("axb", ("a.b",), set()),
        ("anything", (), set()),
        ("anything", ("", "  "), set()),
    ],
)
def test_keywords_are_whole_words_of_any_case(text: str, keywords: tuple[str, ...], found: set[str]) -> None:
    assert find(text, keywords) == found


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"text": "a"}, "a"),
        ({"text": {"body": "a"}}, "a"),
        ({"caption": "a", "content": "b"}, "a b"),
        ({"text": {"body": 7}, "caption": None}, ""),
        ({}, ""),
    ],
)
def test_the_text_of_a_message_is_found_wherever_senders_put_it(properties: dict[str, Any], text: str) -> None:
    assert text_of(properties) == text
