"""How many actors go through steps: the rule is in `docs/explanation/funnels.md`, kept by `ordered` and `any_order`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chatnation.core.query.answers import FunnelAnswer
from chatnation.core.query.evaluate.funnel.counted import count
from chatnation.core.query.evaluate.funnel.plan import plan_of
from chatnation.core.query.evaluate.funnel.report import report
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Funnel


async def answer(query: Funnel, loader: Loader, now: datetime) -> FunnelAnswer:
    """The funnel in the range of the question, and in the range before where it compares."""
    plan = plan_of(query)
    found = report(await count(plan, loader, query.range, now), query.range)
    if not query.compare:
        return found
    before = query.range.previous()
    return replace(found, previous=report(await count(plan, loader, before, now), before))
