"""Actors by period: new, returning, resurrecting, dormant."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from chatnation.core.query.answers import LifecycleAnswer, LifecycleBucket
from chatnation.core.query.evaluate.comings import comings_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Lifecycle, LifecycleState


async def answer(query: Lifecycle, loader: Loader, now: datetime) -> LifecycleAnswer:
    """The buckets of the range, each with its actors."""
    found = await comings_of(query, loader, now)
    counts = (found.counts(state) for state in get_args(LifecycleState))
    return LifecycleAnswer(tuple(map(LifecycleBucket, found.buckets, *counts)))
