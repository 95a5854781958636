"""Lengths of time as people write them: `90s`, `30m`, `12h`, `7d`."""

from __future__ import annotations

import re
from typing import Literal

Unit = Literal["s", "m", "h", "d"]

SECONDS: dict[Unit, int] = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""From the longest to the shortest."""
NAMES: dict[Unit, str] = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,6})?[smhd]$"
_LENGTH = re.compile(PATTERN)


def read_length(text: str) -> float:
    """Seconds; raises ValueError."""
    if not _LENGTH.match(text):
        raise ValueError(f"{text!r} is no length of time such as 30m or 7d")
    unit: Unit = text[-1]  # type: ignore[assignment]
    return float(text[:-1]) * SECONDS[unit]


def in_unit(seconds: float) -> tuple[str, Unit]:
    """The number and the longest unit in which it is whole: 5400 → 90, m."""
    for unit, length in SECONDS.items():
        if seconds % length == 0:
            return f"{seconds // length:.0f}", unit
    return f"{seconds:.6f}".rstrip("0"), "s"


def write_length(seconds: float) -> str:
    """The reverse of `read_length`."""
    return "".join(in_unit(seconds))


def spoken(seconds: float) -> str:
    """In words: 5400 → 90 minutes."""
    number, unit = in_unit(seconds)
    return f"{number} {NAMES[unit]}{'' if number == '1' else 's'}"
