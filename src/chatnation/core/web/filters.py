"""How templates write numbers, lengths of time and instants.

`web/dashboard/src/lib/format.ts` does the same for charts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from jinja2 import pass_context
from jinja2.runtime import Context


def number(value: float) -> str:
    """1234567.89 → 1,234,567.9"""
    return f"{value:,}" if isinstance(value, int) else f"{round(value, 1):,.1f}".removesuffix(".0")


def percent(value: float) -> str:
    """12.345 → 12.3%"""
    return f"{number(float(value))}%"


def duration(seconds: float) -> str:
    """0.35 → 350ms; 2.5 → 2.5s; 125 → 2m 05s; 3 900 → 1h 05m; 100 000 → 1d 3h"""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{number(float(seconds))}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 86_400:,}d {whole % 86_400 // 3600}h"


def quantity(value: float | None, unit: str = "number") -> str:
    """`value` in its unit: `number`, `percent`, `seconds`, `score` or a currency such as `USD`; None is a dash."""
    if value is None:
        return NOTHING
    if unit in _UNITS:
        return _UNITS[unit](value)
    digits = 2 if value == 0 or abs(value) >= 1 else 4
    return f"{unit} {value:,.{digits}f}"


def score(value: float) -> str:
    """4.345 → 4.35"""
    return f"{value:,.2f}"


NOTHING = "–"  # noqa: RUF001 - a dash stands for no value
_UNITS: dict[str, Callable[[float], str]] = {
    "number": number,
    "percent": percent,
    "seconds": duration,
    "score": score,
}


@pass_context
def instant(context: Context, value: datetime | None, form: str = "%-d %b %Y, %H:%M") -> str:
    """An instant in the tenant's time zone; empty for None."""
    if value is None:
        return ""
    tenant = context.get("tenant")
    return value.astimezone(ZoneInfo(tenant.timezone) if tenant else UTC).strftime(form)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "percent": percent,
    "duration": duration,
    "quantity": quantity,
    "instant": instant,
}


def add_filters(environment: jinja2.Environment) -> None:
    """Make the filters known to templates."""
    environment.filters.update(FILTERS)
