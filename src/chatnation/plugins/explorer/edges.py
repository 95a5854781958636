"""Where the ranges of a histogram begin."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10

ABOUT = 10
"""Ranges that a histogram has, more or less."""
_STEPS = (1, 2, 2.5, 5, 10)


def round_edges(least: float, most: float, *, whole: bool = False) -> tuple[float, ...]:
    """Round numbers from at or below `least` to at or below `most`, equally far apart; of `whole` ones 1 or more."""
    width = (most - least) / ABOUT
    if whole and 0 < width < 1:
        return tuple(float(number) for number in range(floor(least), floor(most) + 1))
    if not isfinite(width) or width <= 0:
        return (least,)
    scale = 10.0 ** floor(log10(width))
    step = next((each * scale for each in _STEPS if each * scale >= width), width)
    first, last = floor(least / step), ceil(most / step)
    places = range(first, last) if last > first else range(first, first + 1)
    return tuple(float(f"{place * step:.10g}") for place in places)
