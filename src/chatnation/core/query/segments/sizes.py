"""Which columns are too large to be copied."""

from __future__ import annotations

from chatnation.core.query.segments.column import Column

LARGE_COLUMN = 1 << 18
"""Characters of all different values, from which on a column is left out if its values are long."""
LONG_VALUE = 64
"""Characters of a value, on average; ids are shorter, texts of messages are longer."""


def is_large(column: Column) -> bool:
    """Whether a column is too large to be copied."""
    if not isinstance(column.values, list):
        return False
    characters = sum(map(len, column.values))
    return characters >= LARGE_COLUMN and characters >= LONG_VALUE * len(column.values)
