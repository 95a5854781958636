"""`/api/sessions`: lists, single sessions, and persons with everything they did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import App, NotFound, Persons, Problem, Route
from chatnation.plugins.dashboard.api import PeriodAnswer
from chatnation.plugins.explorer import answers
from chatnation.plugins.explorer.person_reading import SHORTEST, PersonReader, stretch
from chatnation.plugins.explorer.session_events import events_of_session
from chatnation.plugins.explorer.session_query import SessionQuery
from chatnation.plugins.explorer.session_reading import SessionReader
from chatnation.query import Analytics, EventsAnswer

VIEW, PERSONS = "analytics.view", "persons.view"
LATEST_SESSIONS = 50


class SearchQuery(BaseModel):
    """What persons are looked for by."""

    q: str = Field(min_length=SHORTEST, max_length=256, description="A part of an id, name, e-mail address or number.")
    limit: int = Field(10, ge=1, le=50)


class JourneyQuery(BaseModel):
    """How much of a person's events."""

    limit: int = Field(500, ge=1, le=1_000, description="Events in a page.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    before: datetime | None = Field(None, description="Only events before a time; of the last 1,000 days before it.")


class SessionRoutes:
    """Everything under `/api/sessions`."""

    def __init__(self, app: Callable[[], App], sessions: SessionReader, persons: PersonReader) -> None:
        self._app = app
        self._sessions = sessions
        self._persons = persons

    def routes(self) -> list[Route]:
        return [
            Route("GET", "//sessions", self.list, VIEW, query=SessionQuery, response=answers.SessionList),
            Route("GET", "//sessions/search", self.search, PERSONS, query=SearchQuery, response=answers.FoundUsers),
            Route("GET", "//sessions/{session:uuid}", self.session, VIEW, response=answers.SessionDetail),
            Route(
                "GET",
                "//sessions/journey/{known_id}",
                self.journey,
                PERSONS,
                query=JourneyQuery,
                response=answers.Journey,
            ),
        ]

    async def list(self, request: Request, query: SessionQuery) -> answers.SessionList:
        """The sessions that began in a period, newest first, and how many there are in all."""
        actor = request.state.actor
        period = query.resolve(actor.tenant.timezone, self._app().clock.now())
        found = await self._sessions.page(actor, period, query)
        totals = await self._sessions.totals(actor, period, query)
        return answers.SessionList(
            period=PeriodAnswer.of(period),
            items=[answers.SessionAnswer.model_validate(row) for row in found.items],
            total=totals.sessions,
            converted=totals.converted,
            next_cursor=found.next_cursor,
        )

    async def session(self, request: Request) -> answers.SessionDetail:
        """One session with its events. Of several to which a client gave the same id, the latest."""
        actor = request.state.actor
        session = (await self._sessions.called(actor, request.path_params["session"]))[-1]
        events = await events_of_session(self._app().services.get(Analytics), actor.tenant.id, session)
        return answers.SessionDetail(session=answers.SessionAnswer.model_validate(session), events=events)

    async def search(self, request: Request, query: SearchQuery) -> answers.FoundUsers:
        """Persons of whom an id, name, e-mail address or number contains a text."""
        found = await self._persons.search(request.state.actor.tenant.id, query.q, query.limit)
        users = [
            answers.FoundUser(
                person_id=each.person_id,
                id=each.value,
                type=each.kind,
                label=each.label,
                total_sessions=each.sessions,
                total_events=each.events,
                first_seen=each.first_seen,
                last_seen=each.last_seen,
            )
            for each in found
        ]
        return answers.FoundUsers(users=users)

    async def journey(self, request: Request, query: JourneyQuery) -> answers.Journey:
        """A person by any id of theirs: who they are, their latest sessions, a page of their events."""
        tenant_id: int = request.state.actor.tenant.id
        person_id = await self._person(tenant_id, request.path_params["known_id"])
        card = await self._persons.card(tenant_id, person_id)
        before = query.before.replace(tzinfo=query.before.tzinfo or UTC) if query.before else None
        range_ = stretch(card.totals, before)
        page = EventsAnswer((), None)
        if range_ is not None:
            page = await self._persons.events(tenant_id, person_id, range_, after=query.after, limit=query.limit)
        async with self._app().storage.tenant(tenant_id) as connection:
            leafs = await self._app().services.get(Persons).leaf_ids(connection, tenant_id, person_id)
            begin, end = card.totals.first_seen, card.totals.last_seen + timedelta(seconds=1)
            sessions = await self._sessions.of_person(connection, tenant_id, leafs, begin, end, LATEST_SESSIONS)
        first = card.person.identities[0]
        user = answers.JourneyUser(
            person_id=card.person.person_id,
            id=first.value,
            type=first.kind,
            label=card.label,
            ids=[{"type": each.kind, "id": each.value} for each in card.person.identities],
            traits=card.person.traits,
            total_sessions=card.totals.sessions,
            total_events=card.totals.events,
            total_conversions=card.totals.conversions,
            first_seen=card.totals.first_seen,
            last_seen=card.totals.last_seen,
        )
        return answers.Journey(
            user=user,
            sessions=[answers.SessionAnswer.model_validate(row) for row in sessions],
            events=list(page.events),
            next_cursor=page.next_cursor,
        )

    async def _person(self, tenant_id: int, wanted: str) -> UUID:
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await self._app().services.get(Persons).find(connection, tenant_id, wanted[:256])
        if not found:
            raise NotFound("Nobody is known under this id.")
        if len(found) > 1:
            raise Problem(409, "ambiguous", "This is an id of several persons; ask by the id of one of them.")
        return found[0]
