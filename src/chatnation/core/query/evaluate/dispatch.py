"""From a question to the evaluator of its kind."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from chatnation.core.query.answers import Answer
from chatnation.core.query.evaluate.local import localized
from chatnation.core.query.fields import UnknownField
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import FunnelActors, FunnelWalk, Query, Range
from chatnation.core.query.store import QueryRefused


async def evaluate(query: Query, loader: Loader, now: datetime) -> Answer:
    """The answer to a question about frames, as of `now`. Raises QueryRefused where the question makes no sense.

    Every kind has a module of its name, with `async def answer(query, loader, now)`.
    """
    stretch = query.funnel.range if isinstance(query, FunnelActors | FunnelWalk) else query.range
    check_range(stretch)
    evaluator: Any = import_module(f"chatnation.core.query.evaluate.{query.kind}")
    try:
        answer: Answer = await evaluator.answer(query, localized(loader, stretch.zone), now)
    except UnknownField as unknown:
        raise QueryRefused(str(unknown)) from unknown
    return answer


def check_range(stretch: Range) -> None:
    """Refuses a range without offsets, one that ends before it begins, and one in no known timezone."""
    if stretch.start.tzinfo is None or stretch.end.tzinfo is None:
        raise QueryRefused("The start and the end of the range need an offset from UTC.")
    try:
        zone = stretch.zone
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise QueryRefused(f"There is no timezone {stretch.timezone!r}.") from unknown
    try:
        start, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    except OverflowError as overflow:
        raise QueryRefused("The range is beyond all calendars.") from overflow
    if not 1900 <= start.year <= end.year <= 9000:
        raise QueryRefused("The range has to lie between the years 1900 and 9000.")
    if start.timestamp() >= end.timestamp():
        raise QueryRefused("The range has to end after it begins.")
