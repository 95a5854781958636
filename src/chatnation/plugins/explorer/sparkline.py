"""A small line in an SVG of 100 by 24."""

from __future__ import annotations

from collections.abc import Sequence


def sparkline(values: Sequence[float | None]) -> str:
    """The path of a line through values from left to right, the greatest at the top; empty where there is no line."""
    numbers = [value or 0 for value in values]
    if len(numbers) < 2 or not max(numbers):
        return ""
    step, most = 100 / (len(numbers) - 1), max(numbers)
    return "M" + "L".join(f"{place * step:.1f} {23 - 22 * value / most:.1f}" for place, value in enumerate(numbers))
