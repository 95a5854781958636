"""Finds keywords in texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def pattern(keywords: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches any of `keywords` as whole words in a casefolded text; None if there are none.

    Longer ones come first, so that "nil return" is found where "nil" is a keyword too.
    """
    folded = {" ".join(keyword.casefold().split()) for keyword in keywords} - {""}
    if not folded:
        return None
    longest_first = sorted(folded, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def find(text: str, keywords: tuple[str, ...]) -> set[str]:
    """The keywords that occur in `text`, casefolded, each once."""
    wanted = pattern(keywords)
    return set(wanted.findall(" ".join(text.casefold().split()))) if wanted else set()


def text_of(properties: Mapping[str, Any]) -> str:
    """The text of a message event; senders put it in `text`, `text.body`, `caption` or `content`."""
    return " ".join(_texts(properties))


def _texts(properties: Mapping[str, Any]) -> Iterable[str]:
    text = properties.get("text")
    body = text.get("body") if isinstance(text, dict) else text
    values = (body, properties.get("caption"), properties.get("content"))
    return (value for value in values if isinstance(value, str))
