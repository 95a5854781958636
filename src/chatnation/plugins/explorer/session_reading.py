"""Reads of sessions for pages and API, through the sessions plugin, as far as that runs for a tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Actor, App, NotFound, Persons, Slice, decode_cursor, slice_rows
from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.explorer.session_query import SessionQuery
from chatnation.query import NamesPersons

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import SessionRow, SessionTotals

CURSOR = (datetime, UUID)
PERSONS = "persons.view"


@dataclass(frozen=True, slots=True)
class PersonTotals:
    """Sessions of a person, and how many of them converted."""

    sessions: int
    converted: int


class SessionReader:
    """Lists, counts and finds sessions.

    Those who may not see persons get lists without them, and nothing about one person or a single session.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def runs(self, tenant_id: int) -> bool:
        """Whether the tenant has sessions at all."""
        app = self._app()
        return app.inventory.runs("sessions") and "sessions" in app.enabled(tenant_id)

    def check(self, tenant_id: int) -> None:
        """Raises NotFound where sessions are switched off."""
        if not self.runs(tenant_id):
            raise NotFound("Sessions are switched off.")

    async def page(self, actor: Actor, period: Period, query: SessionQuery) -> Slice[SessionRow]:
        """A page of sessions, newest first."""
        self._check(actor, query)
        async with self._app().storage.tenant(actor.tenant.id) as connection:
            found = await self._page(connection, actor.tenant.id, period, query)
        if actor.can(PERSONS):
            return found
        return replace(found, items=[replace(row, person_id=None, user_id=None) for row in found.items])

    async def totals(self, actor: Actor, period: Period, query: SessionQuery) -> SessionTotals:
        """What all of them add up to."""
        self._check(actor, query)
        tenant_id = actor.tenant.id
        from chatnation.plugins.sessions.api import total_sessions

        async with self._app().storage.tenant(tenant_id) as connection:
            wanted = query.wanted(period, await self._leafs(connection, tenant_id, query.person))
            return await total_sessions(connection, tenant_id, wanted)

    async def all(
        self, actor: Actor, period: Period, query: SessionQuery, most: int
    ) -> AsyncIterator[Sequence[SessionRow]]:
        """All of them, at most so many, some at a time."""
        query = query.model_copy(update={"after": None, "limit": min(1_000, most)})
        left = most
        while left > 0:
            found = await self.page(actor, period, query)
            yield found.items[:left]
            left -= len(found.items)
            if found.next_cursor is None:
                return
            query = query.model_copy(update={"after": found.next_cursor})

    async def called(self, actor: Actor, session_id: UUID) -> list[SessionRow]:
        """The session with this id, or those to which the client gave it; raises NotFound."""
        tenant_id = actor.tenant.id
        self.check(tenant_id)
        if not actor.can(PERSONS):
            raise NamesPersons("What somebody did in a session")
        from chatnation.plugins.sessions.api import sessions_called

        async with self._app().storage.tenant(tenant_id) as connection:
            found = await sessions_called(connection, tenant_id, session_id)
        if not found:
            raise NotFound("There is no such session.")
        return found

    async def of_person(
        self,
        connection: AsyncConnection,
        tenant_id: int,
        leaf_ids: Sequence[UUID],
        start: datetime,
        end: datetime,
        most: int = 1_000,
    ) -> list[SessionRow]:
        """Sessions of a person that began in a stretch of time, newest first; none where there are no sessions."""
        if not self.runs(tenant_id):
            return []
        from chatnation.plugins.sessions.api import SessionFilter, list_sessions

        wanted = SessionFilter(start, end, "UTC", leaf_ids=leaf_ids, include_bots=True)
        return (await list_sessions(connection, tenant_id, wanted, None, most))[:most]

    async def totals_of_persons(
        self, connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
    ) -> dict[UUID, PersonTotals]:
        """By canonical person; nobody where there are no sessions."""
        if not self.runs(tenant_id) or not persons:
            return {}
        from chatnation.plugins.sessions.api import totals_of_persons

        found = await totals_of_persons(connection, tenant_id, persons)
        return {person: PersonTotals(*totals) for person, totals in found.items()}

    def _check(self, actor: Actor, query: SessionQuery) -> None:
        self.check(actor.tenant.id)
        if (query.user or query.person) and not actor.can(PERSONS):
            raise NamesPersons("A list of one person's sessions")

    async def _page(
        self, connection: AsyncConnection, tenant_id: int, period: Period, query: SessionQuery
    ) -> Slice[SessionRow]:
        from chatnation.plugins.sessions.api import list_sessions

        before = decode_cursor(query.after, CURSOR) if query.after else None
        wanted = query.wanted(period, await self._leafs(connection, tenant_id, query.person))
        rows = await list_sessions(connection, tenant_id, wanted, before, query.limit)
        return slice_rows(rows, query.limit, lambda row: (row.started_at, row.session_id))

    async def _leafs(self, connection: AsyncConnection, tenant_id: int, person: UUID | None) -> list[UUID] | None:
        if person is None:
            return None
        return await self._app().services.get(Persons).leaf_ids(connection, tenant_id, person)
