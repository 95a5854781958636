"""What people, agents and channels are called on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from chatnation import Persons
from chatnation.plugins.dashboard.view import View
from chatnation.query import Breakdown, BreakdownAnswer, Filter, Query, Range, Selection, Series

SEE_PERSONS = "persons.view"
LONGEST = 100
MOST_AGENTS = 2_000
_AGENT, _AGENT_NAME = "properties.agentId", "properties.agentName"


def channel_name(channel: str) -> str:
    """A channel in words: WhatsApp, AI, Web."""
    return {"whatsapp": "WhatsApp", "ai": "AI"}.get(channel, channel[:1].upper() + channel[1:])


async def person_names(view: View[Any], person_ids: Iterable[UUID | None]) -> Mapping[UUID, str]:
    """What persons are called, as far as that is known, for whoever may know."""
    if not view.actor.can(SEE_PERSONS):
        return {}
    persons, tenant_id = view.app.services.get(Persons), view.tenant.id
    names: dict[UUID, str] = {}
    async with view.app.storage.tenant(tenant_id) as connection:
        for person_id in dict.fromkeys(person_ids):
            name = (await persons.traits(connection, tenant_id, person_id)).get("name") if person_id else None
            if person_id and isinstance(name, str) and name.strip():
                names[person_id] = name.strip()[:LONGEST]
    return names


async def agent_names(view: View[Any]) -> Mapping[str, str]:
    """The most frequent name of each agent of whom some event of the period told one; filters do not matter."""
    return _most_frequent(await view.ask(_agents_named(view.range)))


async def with_agent_names(view: View[Any], question: Query) -> tuple[Any, Mapping[str, str]]:
    """The answer to a question, and `agent_names`, found side by side."""
    answer, named = await view.ask_all(question, _agents_named(view.range))
    return answer, _most_frequent(named)


def _agents_named(stretch: Range) -> Breakdown:
    named = Selection((), (Filter(_AGENT, "is_set"), Filter(_AGENT_NAME, "is_set")))
    return Breakdown(range=stretch, series=(Series("events", named),), by=(_AGENT, _AGENT_NAME), limit=MOST_AGENTS)


def _most_frequent(answer: BreakdownAnswer) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for row in answer.rows:  # The most frequent come first.
        agent, name = row.values
        if agent and name:
            names.setdefault(agent, name)
    return names
