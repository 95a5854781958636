"""A page on which nothing is to be seen: whether anything ever came, so that it can say what to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chatnation import Problem
from chatnation.plugins.dashboard.cards import Block
from chatnation.plugins.dashboard.period import LONGEST_DAYS
from chatnation.plugins.dashboard.view import View
from chatnation.query import Events, Range

CATALOGUE = "/events/catalogue"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is counted here. `events_came`: the tenant has events, but none that counts in this view.

    `catalogue`: where all events are listed by name, if there is such a page.
    """

    events_came: bool
    catalogue: str | None


async def nothing_of(view: View[Any], blocks: Collection[Block]) -> Nothing | None:
    """None unless every card is empty, or on its way where no event ever came; one that failed may have something.

    Key figures may tell of the period before; beside other cards they do not count.
    """
    others = [block for block in blocks if block.shape != "figures"] or blocks
    waiting = any(block.state == "waiting" for block in others)
    if not all(block.empty or block.state == "waiting" for block in others):
        return None
    came = await events_came(view)
    if waiting and came:
        return None
    listed = view.app.inventory.runs("explorer") and "explorer" in view.app.enabled(view.tenant.id)
    return Nothing(came, view.url(CATALOGUE) if listed else None)


async def events_came(view: View[Any]) -> bool:
    """Whether the tenant has any event of the last years. Where that cannot be told, it has."""
    range_ = Range(view.now - timedelta(days=LONGEST_DAYS - 1), view.now + timedelta(days=1), view.period.timezone)
    try:
        answer = await view.ask(Events(range=range_, limit=1, include_bots=True))
    except Problem:
        return True
    return bool(answer.events)
