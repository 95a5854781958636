"""Days of the demo, stored as the collector would have taken them."""

from __future__ import annotations

from collections.abc import Sequence

from chatnation.core.demo.facts import Fact
from chatnation.core.demo.sender import _wire
from tests.core.query.stored import History

AT_ONCE = 400


async def store(history: History, facts: Sequence[Fact]) -> None:
    """Take facts of the demo in, a few hundred at a time."""
    for start in range(0, len(facts), AT_ONCE):
        wires = [_wire(fact) for fact in facts[start : start + AT_ONCE]]
        await history.intake.store(history.intake.delivery(*wires, received=history.clock.now(), server_side=True))
