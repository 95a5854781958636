"""Who is behind a number: a list of people, a page at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from chatnation import Persons
from chatnation.plugins.dashboard.analytics_query import AnalyticsQuery
from chatnation.plugins.dashboard.cards import Card, Part
from chatnation.plugins.dashboard.data_tables import Column, DataTable
from chatnation.plugins.dashboard.names import person_names
from chatnation.plugins.dashboard.view import View
from chatnation.query import ActorsQuery, FoundActor

SEE_PERSONS = "persons.view"
PEOPLE = "#card-people"
"""Where on a page the list is."""
PAGE = 10
MOST_DOWNLOADED = 10_000


class PeopleQuery(AnalyticsQuery):
    """Which page of the list of people is shown."""

    offset: int = Field(0, ge=0, le=1_000_000, description="How many of the list come before.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that is open: what to ask, who is in it in words, what the time of each says, and what one row and several
    are called.

    `beside` are lists of the same place: label, address, and whether it is this one.
    """

    question: ActorsQuery
    about: str
    when: str
    rows: tuple[str, str] = ("person", "persons")
    beside: Sequence[tuple[str, str, bool]] = ()


def people_card(draw: Callable[[View[Any]], Awaitable[Part]], *, metric: str) -> Card[Any]:
    """The card of a list, which `draw` makes by `people_part` or `nobody_asked_for`."""
    return Card("people", "Who is behind a number", draw, width=12, permission=SEE_PERSONS, metric=metric)


def nobody_asked_for(how: str, *, empty: bool) -> Part:
    """What is there until a list is opened: how that is done. `empty`: the page has nothing to open."""
    values = {"listed": None, "how": how}
    return Part("dashboard/people.html", values, empty=empty, empty_text="Nobody came in this period.")


async def people_part(view: View[Any], listed: Listed) -> Part:
    """A page of a list; as a download, all of it."""
    query: PeopleQuery = view.query
    whole = view.request.url.path.endswith(".csv")
    limit, offset = (MOST_DOWNLOADED, 0) if whole else (PAGE, query.offset)
    found = await view.ask(replace(listed.question, limit=limit, offset=offset))
    persons = [] if whole else [actor.person_id for actor in found.actors if actor.person_id]
    return Part(
        "dashboard/people.html",
        {
            "listed": listed,
            "actors": found.actors,
            "total": found.total,
            "names": await person_names(view, persons),
            "last_seen": await _last_seen(view, persons) if persons else {},
            "page": PAGE,
            "downloadable": min(found.total, MOST_DOWNLOADED),
        },
        table=_table(found.actors),
    )


async def _last_seen(view: View[Any], person_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When persons did the last thing that is known of them."""
    persons, tenant_id = view.app.services.get(Persons), view.tenant.id
    async with view.app.storage.tenant(tenant_id) as connection:
        activity = await persons.activity(connection, tenant_id, list(dict.fromkeys(person_ids)))
    return {person_id: activity.last_seen for person_id, activity in activity.items()}


def _table(actors: Sequence[FoundActor]) -> DataTable:
    return DataTable(
        columns=[Column("person", "Person"), Column("at", "At")],
        rows=[[actor.actor, actor.at.isoformat()] for actor in actors],
    )
