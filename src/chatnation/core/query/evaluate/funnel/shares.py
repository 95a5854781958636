"""Shares of a whole, and what can be said of them by chance."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Of a normal distribution, 95 % lies within so many standard deviations."""
LEAST_EXPECTED = 5
"""Two shares are only compared where at least so many are expected on either side, in both groups."""


def share(part: int, whole: int) -> float | None:
    """From 0 to 1; of nothing there is none."""
    return part / whole if whole else None


def wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    """The 95 % bounds of a share (Wilson's score interval)."""
    if not whole:
        return None, None
    p, z2 = part / whole, Z95 * Z95
    middle = p + z2 / (2 * whole)
    margin = Z95 * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    scale = 1 + z2 / whole
    return max(0.0, (middle - margin) / scale), min(1.0, (middle + margin) / scale)


def differ(part: int, whole: int, other_part: int, other_whole: int) -> bool:
    """Whether two shares differ with p < 0.05 (two-sided z-test of two proportions, pooled)."""
    if not whole or not other_whole:
        return False
    pooled = (part + other_part) / (whole + other_whole)
    if min(whole, other_whole) * min(pooled, 1 - pooled) < LEAST_EXPECTED:
        return False
    error = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / other_whole))
    return abs(part / whole - other_part / other_whole) / error > Z95
