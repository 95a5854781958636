"""Names of countries, which the build of the web assets writes down."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "static" / "countries.txt"
"""A two-letter code, a tab, the English name, one country a line."""


def country_name(code: str) -> str:
    """The English name of a country by its two-letter code; a code that is no country's is its own name."""
    return _names().get(code.upper(), code)


@cache
def _names() -> dict[str, str]:
    if not FILE.is_file():
        return {}  # The assets are not built; pages have no styles either then.
    pairs = (line.partition("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    return {code: name for code, _, name in pairs}
