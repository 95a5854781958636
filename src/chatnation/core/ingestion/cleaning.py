"""Values as PostgreSQL can keep them, in JSON and in text columns."""

from __future__ import annotations

import math
from typing import Any

MAX_DEPTH = 100
"""Objects and lists within each other, in the properties of an event."""


class TooDeep(ValueError):
    """Objects within objects beyond any sense."""


def clean(value: Any, depth: int = 0) -> Any:
    """`value` without what jsonb refuses: NUL characters, lone surrogates, numbers that are none. Raises TooDeep."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            raise TooDeep
        return {clean_text(key): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            raise TooDeep
        return [clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def is_too_deep(value: object) -> bool:
    """Whether `value` is nested deeper than MAX_DEPTH; quick for what is flat."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ())
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def clean_text(text: str) -> str:
    """`text` without NUL characters; lone surrogates become replacement characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def refuses_underflow(digits: str) -> float:
    """For `float_hook` of a decoder: a number that jsonb can keep as it is written. Raises ValueError.

    jsonb keeps every digit, so it refuses numbers that only look small here (1e-20000) and endless fractions.
    """
    number = float(digits)
    if not math.isfinite(number) or len(digits) > 400 or (number == 0.0 and ("e" in digits or "E" in digits)):
        raise ValueError("number out of range")
    return number
