"""What each agent took over."""

from __future__ import annotations

from dataclasses import dataclass

from chatnation.query import BreakdownAnswer


@dataclass(frozen=True, slots=True)
class Agent:
    """Hand-offs to an agent, and from how many persons. `agent_id` None: hand-offs that name nobody."""

    agent_id: str | None
    name: str | None
    handoffs: int
    persons: int


def agents_of(answer: BreakdownAnswer, named: BreakdownAnswer) -> list[Agent]:
    """Agents, the busiest first, each by the name that their hand-offs have most often."""
    names: dict[str, str] = {}
    for row in named.rows:  # The most frequent come first.
        agent_id, name = row.values
        if agent_id is not None and name is not None:
            names.setdefault(agent_id, name)
    return [
        Agent(agent_id, names.get(agent_id or ""), int(row.measures[0] or 0), int(row.measures[1] or 0))
        for row in answer.rows
        if row.measures[0]
        for agent_id in row.values
    ]
