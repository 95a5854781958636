"""From a question to the evaluator of its kind."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from chatnation.core.query.answers import Answer
from chatnation.core.query.checks import range_of
from chatnation.core.query.evaluate.local import localized
from chatnation.core.query.fields import UnknownField
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Query
from chatnation.core.query.store import QueryRefused


async def evaluate(query: Query, loader: Loader, now: datetime) -> Answer:
    """The answer to a question about frames, as of `now`; its range has been checked. Raises QueryRefused.

    Every kind has a module of its name, with `async def answer(query, loader, now)`.
    """
    evaluator: Any = import_module(f"chatnation.core.query.evaluate.{query.kind}")
    try:
        answer: Answer = await evaluator.answer(query, localized(loader, range_of(query).zone), now)
    except UnknownField as unknown:
        raise QueryRefused(str(unknown)) from unknown
    return answer
